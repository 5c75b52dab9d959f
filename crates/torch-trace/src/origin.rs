//! Where each event comes from: the call that launched it, the operator, the line of Python.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::collect::Trace;
use crate::correlate::launches;
use crate::event::{CpuOp, Id, RuntimeCall};
use crate::names::NameId;
use crate::stack::{launch_moments, location_in_call_stack, locations, short_location};

/// How a location is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LocatedBy {
    /// The Python frames around the launch.
    Stack,
    /// The call stack that traces of 2021 keep with the operator.
    CallStack,
    /// The launch of a mapping trace at the same place of the sequence.
    GraphAlignment,
    /// The launch of the kernel at the same place of the same layer, in a step without a graph: inferred, not recorded.
    GraphPosition,
}

impl LocatedBy {
    /// Name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::CallStack => "call-stack",
            Self::GraphAlignment => "graph-alignment",
            Self::GraphPosition => "graph-position",
        }
    }
}

/// Origins of the events of one trace.
pub struct Origins {
    /// For each event, its launch in `Trace::calls`.
    pub launch: Vec<Option<usize>>,
    /// For each call, the frame around it.
    frames: Vec<Option<NameId>>,
    /// For each call, whether it launches a graph.
    graph: Vec<bool>,
    /// External ids to places in `Trace::ops`.
    ops: FxHashMap<Id, usize>,
}

impl Origins {
    /// Finds the origins of all events of a trace.
    #[must_use]
    pub fn of(trace: &Trace) -> Self {
        let launch = launches(trace);
        let moments = launch_moments(trace);
        let ops = trace
            .ops
            .iter()
            .enumerate()
            .filter(|(_, op)| op.external_id.is_some())
            .map(|(index, op)| (op.external_id, index))
            .collect();
        Self {
            launch,
            frames: locations(trace, &moments),
            graph: trace
                .calls
                .iter()
                .map(|call| is_graph_launch(&trace.names.text(call.name)))
                .collect(),
            ops,
        }
    }

    /// The call that launched an event.
    #[must_use]
    pub fn call<'t>(&self, trace: &'t Trace, event: usize) -> Option<(usize, &'t RuntimeCall)> {
        let index = self.launch[event]?;
        Some((index, &trace.calls[index]))
    }

    /// Whether a graph launch started the event.
    #[must_use]
    pub fn in_graph(&self, event: usize) -> bool {
        self.launch[event].is_some_and(|call| self.graph[call])
    }

    /// The operator of an event: by its own external id, else by that of its launch.
    #[must_use]
    pub fn op<'t>(&self, trace: &'t Trace, event: usize) -> Option<&'t CpuOp> {
        let launched = || self.op_of_call(trace, self.launch[event]?);
        self.find(trace, trace.gpu[event].external_id).or_else(launched)
    }

    /// The operator around a call.
    #[must_use]
    pub fn op_of_call<'t>(&self, trace: &'t Trace, call: usize) -> Option<&'t CpuOp> {
        self.find(trace, trace.calls[call].external_id)
    }

    fn find<'t>(&self, trace: &'t Trace, id: Id) -> Option<&'t CpuOp> {
        let index = id.is_some().then(|| self.ops.get(&id)).flatten()?;
        Some(&trace.ops[*index])
    }

    /// The line of Python that launched an event. The line that launches a graph is that of none of its kernels.
    #[must_use]
    pub fn location<'t>(&self, trace: &'t Trace, event: usize) -> Option<(Cow<'t, str>, LocatedBy)> {
        if self.in_graph(event) {
            return None;
        }
        let framed = self.launch[event].and_then(|call| self.frames[call]);
        if let Some(frame) = framed {
            return Some((trace.names.text(frame), LocatedBy::Stack));
        }
        let stack = self.op(trace, event)?.call_stack?;
        let text = trace.names.text(stack);
        let frame = location_in_call_stack(&text)?.to_owned();
        Some((Cow::Owned(frame), LocatedBy::CallStack))
    }

    /// The frame around a call, as a number.
    #[must_use]
    pub fn frame_id(&self, call: usize) -> Option<usize> {
        self.frames[call].map(NameId::index)
    }

    /// The frame around a call, as people read it.
    #[must_use]
    pub fn frame_of_call(&self, trace: &Trace, call: usize) -> Option<String> {
        let frame = self.frames[call]?;
        Some(short_location(&trace.names.text(frame)).to_owned())
    }
}

/// Whether a runtime call launches a graph, of CUDA or of HIP.
#[must_use]
pub fn is_graph_launch(name: &str) -> bool {
    name.contains("GraphLaunch")
}

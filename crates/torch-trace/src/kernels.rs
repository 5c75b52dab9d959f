//! The kernels of a trace: events that mean the same code have one number, whatever address or spacing their names hold.

use rustc_hash::FxHashMap;

use crate::collect::Trace;
use crate::event::{GpuEvent, GpuKind};
use crate::family::{Family, family_of};
use crate::kernel_name::canonical;

/// One kernel, copy or fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Canonical name, whole.
    pub name: String,
    /// Family.
    pub family: Family,
}

/// All of a trace.
#[derive(Clone, Debug, Default)]
pub struct Kernels {
    /// By number.
    pub list: Vec<Kernel>,
    /// For each event of the trace, its kernel.
    pub of_event: Vec<u32>,
}

impl Kernels {
    /// Numbers the kernels of a trace.
    #[must_use]
    pub fn of(trace: &Trace) -> Self {
        let mut list: Vec<Kernel> = Vec::new();
        let mut by_text: FxHashMap<(String, GpuKind), u32> = FxHashMap::default();
        // Names are few and events many: each name is looked at once.
        let mut by_name: FxHashMap<(usize, GpuKind), u32> = FxHashMap::default();
        let of_event = trace
            .gpu
            .iter()
            .map(|event| {
                *by_name
                    .entry((event.name.index(), event.kind))
                    .or_insert_with(|| {
                        let name = canonical(&trace.names.text(event.name)).into_owned();
                        *by_text.entry((name.clone(), event.kind)).or_insert_with(|| {
                            list.push(Kernel {
                                family: family(event, &name),
                                name,
                            });
                            u32::try_from(list.len() - 1).unwrap_or(u32::MAX)
                        })
                    })
            })
            .collect();
        Self { list, of_event }
    }

    /// The kernel of an event.
    #[must_use]
    pub fn at(&self, event: usize) -> &Kernel {
        &self.list[self.of_event[event] as usize]
    }
}

fn family(event: &GpuEvent, name: &str) -> Family {
    match event.kind {
        GpuKind::Memcpy => Family::Memcpy,
        GpuKind::Memset => Family::Memset,
        GpuKind::Kernel => family_of(name),
    }
}

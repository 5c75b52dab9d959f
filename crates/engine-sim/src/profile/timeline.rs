//! Steps to events: when the host did what, when the device worked, and the truth of it all.
//!
//! ```text
//! host    |schedule|--- run_batch: prepare, launch ---|   wait   |-- results --|schedule|…
//! device                                              |##########|
//!          round_ns        half of step_ns             device_ns   the other half of step_ns, sequences_ns
//! ```
//! Kernels that are launched one by one have the launch gaps between them, which makes the device's part longer by
//! `launches_ns`. Nothing overlaps, so every sum can be checked by hand.

use contracts::engine_sim::{
    Identity, PROFILE_TRUTH_SCHEMA, ProfileFamily, ProfileStage, ProfileTruth, StepStage,
};

use super::ask::Ask;
use super::event::{Event, Kind};
use super::kernels::{Planned, divide, planned};
use super::names::{HostFrames, host_frames, names};
use super::record::{Recording, StepRecord};
use crate::flavor::Flavor;

/// Where a trace begins.
const BEGIN_NS: u64 = 1_000_000_000;

/// What all traces of a server share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    pub(crate) flavor: Flavor,
    /// Hub id.
    pub(crate) model: String,
    /// Name of the accelerator, as `--hardware` takes it.
    pub(crate) hardware: &'static str,
    /// Layers of a step in a trace.
    pub(crate) layers: u64,
}

/// The events of a trace and what they add up to; the name of the file is left open.
pub(super) fn timeline(scene: &Scene, ask: &Ask, recording: &Recording) -> (Vec<Event>, ProfileTruth) {
    let mut drawing = Drawing {
        scene,
        ask,
        host: host_frames(scene.flavor),
        events: Vec::new(),
        stages: Vec::new(),
        ids: 0,
        now_ns: BEGIN_NS,
        first_ns: None,
        last_end_ns: None,
    };
    for step in &recording.steps {
        drawing.step(step);
    }
    let end_ns = drawing.now_ns;
    drawing.frame(drawing.host.event_loop, BEGIN_NS, end_ns);
    let span_ns = drawing
        .first_ns
        .zip(drawing.last_end_ns)
        .map_or(0, |(first, last)| last - first);
    let mut stages = drawing.stages;
    stages.sort_by_key(|stage| stage.stage);
    let device_ns = stages.iter().map(|stage| stage.device_ns).sum();
    let truth = ProfileTruth {
        schema: PROFILE_TRUTH_SCHEMA.to_owned(),
        simulated: true,
        trace: String::new(),
        engine: match scene.flavor {
            Flavor::Sglang => Identity::Sglang,
            Flavor::Vllm => Identity::Vllm,
        },
        model: scene.model.clone(),
        layers: scene.layers,
        steps_dropped: recording.dropped,
        span_ns,
        device_ns,
        idle_ns: span_ns - device_ns,
        stages,
    };
    (drawing.events, truth)
}

/// A trace being drawn.
struct Drawing<'a> {
    scene: &'a Scene,
    ask: &'a Ask,
    host: HostFrames,
    events: Vec<Event>,
    stages: Vec<ProfileStage>,
    ids: u64,
    now_ns: u64,
    first_ns: Option<u64>,
    last_end_ns: Option<u64>,
}

/// A kernel with its launch: the host is at it from `host.0` to `host.1`; graph kernels have none.
struct Placed {
    planned: Planned,
    start_ns: u64,
    host: Option<(u64, u64)>,
}

impl Drawing<'_> {
    fn step(&mut self, step: &StepRecord) {
        let timing = &step.timing;
        let begin_ns = self.now_ns;
        let run_ns = begin_ns + timing.round_ns;
        let before_ns = timing.step_ns / 2;
        let device_ns = run_ns + before_ns;
        let end_ns = device_ns + timing.launches_ns + timing.device_ns;
        let results_ns = end_ns + (timing.step_ns - before_ns) + timing.sequences_ns;
        let forward_ns = run_ns + before_ns * 7 / 10;
        let kernels = planned(timing, self.scene.layers);
        let small_ns = (timing.device_ns / 20).clamp(1, 4_000);
        let (placed, launched_ns) = if step.graph {
            self.graph_launch(device_ns - before_ns / 10, device_ns);
            (graph(kernels, device_ns, small_ns), device_ns + 5 * small_ns)
        } else if timing.launches_ns > 0 {
            let placed = one_by_one(kernels, device_ns, before_ns / 10, timing.launches_ns);
            let last_ns = placed.last().map_or(device_ns, |kernel| kernel.start_ns);
            (placed, last_ns + small_ns)
        } else {
            (ahead(kernels, forward_ns, device_ns), device_ns + small_ns)
        };
        // The correlation of the graph is the last id given out.
        let graph_id = self.ids;
        let launched_ns = launched_ns.min(end_ns);
        self.annotate(step, (forward_ns, launched_ns), (device_ns, end_ns));
        self.host_frames(
            step,
            [begin_ns, run_ns, forward_ns, device_ns, launched_ns, results_ns],
        );
        self.call(
            "cudaEventSynchronize",
            (launched_ns + small_ns).min(end_ns),
            end_ns,
        );
        self.account(step, &placed, device_ns);
        self.layer_frames(&placed);
        for kernel in &placed {
            self.kernel(step, kernel, graph_id);
        }
        self.first_ns.get_or_insert(device_ns);
        self.last_end_ns = Some(end_ns);
        self.now_ns = results_ns;
    }

    fn graph_launch(&mut self, from_ns: u64, to_ns: u64) {
        self.ids += 1;
        let correlation = self.ids;
        if self.ask.gpu {
            self.events.push(Event {
                correlation,
                ..Event::new(Kind::Call, "cudaGraphLaunch", from_ns, to_ns)
            });
        }
    }

    fn annotate(&mut self, step: &StepRecord, host: (u64, u64), device: (u64, u64)) {
        if !self.ask.cpu {
            return;
        }
        let text = match (self.scene.flavor, step.stage) {
            (Flavor::Sglang, StepStage::Decode) => format!("step[DECODE bs={}]", step.decodes),
            (Flavor::Sglang, stage) => format!(
                "step[{} bs={} toks={}]",
                if stage == StepStage::Mixed {
                    "MIXED"
                } else {
                    "EXTEND"
                },
                step.prefills + step.decodes,
                step.prefill_tokens + step.decodes
            ),
            (Flavor::Vllm, _) => format!(
                "execute_context_{}({})_generation_{}({})",
                step.prefills, step.prefill_tokens, step.decodes, step.decodes
            ),
        };
        self.ids += 1;
        let external_id = self.ids;
        let kinds = [(Kind::Step, host), (Kind::StepOnDevice, device)];
        for (kind, (from_ns, to_ns)) in kinds {
            if kind == Kind::Step || self.ask.gpu {
                self.events.push(Event {
                    external_id,
                    ..Event::new(kind, text.clone(), from_ns, to_ns)
                });
            }
        }
    }

    /// The frames of the scheduler around a step.
    fn host_frames(&mut self, step: &StepRecord, times: [u64; 6]) {
        let [begin_ns, run_ns, forward_ns, device_ns, launched_ns, results_ns] = times;
        let host = self.host;
        if run_ns > begin_ns {
            self.frame(host.schedule, begin_ns, run_ns);
        }
        self.frame(host.run_batch, run_ns, launched_ns);
        self.frame(host.prepare, run_ns, forward_ns);
        self.frame(host.forward, forward_ns, launched_ns);
        if step.graph {
            self.frame(host.replay, forward_ns, device_ns);
        } else {
            self.frame(host.model, forward_ns, launched_ns);
        }
        // The host waits for the tokens, then works on them.
        self.frame(host.results, launched_ns, results_ns);
    }

    fn layer_frames(&mut self, placed: &[Placed]) {
        let layer = self.host.layer;
        let launched = |kernel: &Placed| Some((kernel.planned.layer?, kernel.host?));
        let layers: Vec<(u64, (u64, u64))> = placed.iter().filter_map(launched).collect();
        for group in layers.chunk_by(|one, other| one.0 == other.0) {
            if let (Some((_, (from_ns, _))), Some((_, (_, to_ns)))) = (group.first(), group.last()) {
                self.frame(layer, *from_ns, *to_ns);
            }
        }
    }

    /// A kernel, and the frame, operator and call that launched it.
    fn kernel(&mut self, step: &StepRecord, kernel: &Placed, graph_id: u64) {
        let names = names(
            self.scene.flavor,
            kernel.planned.piece,
            step.stage != StepStage::Decode,
        );
        let (mut correlation, mut external_id) = (graph_id, 0);
        let copy = names.family == "memcpy";
        if let Some((from_ns, to_ns)) = kernel.host {
            let width_ns = to_ns - from_ns;
            self.frame(names.frame, from_ns, to_ns);
            if self.ask.cpu {
                self.ids += 1;
                external_id = self.ids;
                self.events.push(Event {
                    external_id,
                    ..Event::new(Kind::Op, names.op, from_ns + width_ns / 5, to_ns)
                });
            }
            self.ids += 1;
            correlation = self.ids;
            if self.ask.gpu {
                let call = if copy {
                    "cudaMemcpyAsync"
                } else {
                    "cudaLaunchKernel"
                };
                self.events.push(Event {
                    correlation,
                    external_id,
                    ..Event::new(Kind::Call, call, from_ns + width_ns * 2 / 5, to_ns)
                });
            }
        }
        if self.ask.gpu {
            let kind = if copy { Kind::Copy } else { Kind::Kernel };
            let end_ns = kernel.start_ns + kernel.planned.dur_ns;
            self.events.push(Event {
                correlation,
                external_id,
                ..Event::new(kind, names.kernel, kernel.start_ns, end_ns)
            });
        }
    }

    fn account(&mut self, step: &StepRecord, placed: &[Placed], device_ns: u64) {
        let gap_ns = self.last_end_ns.map(|last_ns| device_ns - last_ns);
        let flavor = self.scene.flavor;
        let at = match self.stages.iter().position(|stage| stage.stage == step.stage) {
            Some(at) => at,
            None => {
                self.stages.push(empty(step.stage));
                self.stages.len() - 1
            }
        };
        let stage = &mut self.stages[at];
        stage.steps += 1;
        stage.prefill_tokens += step.prefill_tokens;
        stage.decode_tokens += step.decodes;
        stage.device_ns += step.timing.device_ns;
        stage.launch_gap_ns += step.timing.launches_ns;
        if let Some(gap_ns) = gap_ns {
            stage.host_gap_ns += gap_ns;
            stage.scheduler_round_ns += step.timing.round_ns;
        }
        stage.graph_launches += u64::from(step.graph);
        for kernel in placed {
            if kernel.host.is_some() {
                stage.single_launches += 1;
            } else {
                stage.graph_kernels += 1;
            }
            let name = names(flavor, kernel.planned.piece, false).family;
            let family = match stage.families.iter_mut().find(|family| family.family == name) {
                Some(family) => family,
                None => {
                    stage.families.push(ProfileFamily {
                        family: name.to_owned(),
                        kernels: 0,
                        total_ns: 0,
                    });
                    stage.families.last_mut().expect("one was just pushed")
                }
            };
            family.kernels += 1;
            family.total_ns += kernel.planned.dur_ns;
        }
        stage.families.sort_by(|one, other| one.family.cmp(&other.family));
    }

    fn frame(&mut self, name: &'static str, from_ns: u64, to_ns: u64) {
        if self.ask.cpu && self.ask.with_stack {
            self.events.push(Event::new(Kind::Frame, name, from_ns, to_ns));
        }
    }

    fn call(&mut self, name: &'static str, from_ns: u64, to_ns: u64) {
        if self.ask.gpu {
            self.ids += 1;
            self.events.push(Event {
                correlation: self.ids,
                ..Event::new(Kind::Call, name, from_ns, to_ns)
            });
        }
    }
}

fn empty(stage: StepStage) -> ProfileStage {
    ProfileStage {
        stage,
        steps: 0,
        prefill_tokens: 0,
        decode_tokens: 0,
        device_ns: 0,
        host_gap_ns: 0,
        scheduler_round_ns: 0,
        launch_gap_ns: 0,
        graph_launches: 0,
        graph_kernels: 0,
        single_launches: 0,
        families: Vec::new(),
    }
}

/// One launch for all but the last two, which are launched while the graph runs.
fn graph(kernels: Vec<Planned>, device_ns: u64, small_ns: u64) -> Vec<Placed> {
    let (mut start_ns, mut launch_ns) = (device_ns, device_ns + small_ns);
    let place = |planned: Planned| {
        let host = planned.piece.is_outside_graph().then(|| {
            let window = (launch_ns, launch_ns + small_ns);
            launch_ns += 2 * small_ns;
            window
        });
        let placed = Placed {
            planned,
            start_ns,
            host,
        };
        start_ns += planned.dur_ns;
        placed
    };
    kernels.into_iter().map(place).collect()
}

/// Each kernel waits for its launch: the gaps between them are `launches_ns` together.
fn one_by_one(kernels: Vec<Planned>, device_ns: u64, first_ns: u64, launches_ns: u64) -> Vec<Placed> {
    let gaps = (kernels.len() as u64).saturating_sub(1);
    let widths = std::iter::once(0).chain(divide(launches_ns, (0..gaps).map(|_| 1), gaps));
    let mut end_ns = device_ns;
    let mut from_ns = device_ns - first_ns;
    let place = |(planned, width_ns): (Planned, u64)| {
        let start_ns = end_ns + width_ns;
        end_ns = start_ns + planned.dur_ns;
        let host = Some((std::mem::replace(&mut from_ns, end_ns), start_ns));
        Placed {
            planned,
            start_ns,
            host,
        }
    };
    kernels.into_iter().zip(widths).map(place).collect()
}

/// All launches come before the first kernel, which then follow each other without a gap.
fn ahead(kernels: Vec<Planned>, from_ns: u64, device_ns: u64) -> Vec<Placed> {
    let count = kernels.len() as u64;
    let widths = divide(device_ns - from_ns, (0..count).map(|_| 1), count);
    let (mut launch_ns, mut start_ns) = (from_ns, device_ns);
    let place = |(planned, width_ns): (Planned, u64)| {
        let host = Some((launch_ns, launch_ns + width_ns));
        launch_ns += width_ns;
        let placed = Placed {
            planned,
            start_ns,
            host,
        };
        start_ns += planned.dur_ns;
        placed
    };
    kernels.into_iter().zip(widths).map(place).collect()
}

//! Everything that analyses share, made once a trace.

use crate::collect::Trace;
use crate::family::Family;
use crate::kernels::Kernels;
use crate::origin::Origins;
use crate::stages::{StageChoice, Stages};
use crate::sweep::{Sweep, Work, sweep};

/// A trace with everything that is derived from it once.
pub struct Derived {
    /// Which kernel each event is.
    pub kernels: Kernels,
    /// What launched each event.
    pub origins: Origins,
    /// Which stage each event belongs to.
    pub stages: Stages,
    /// The events as the sweep sees them.
    pub work: Vec<Work>,
    /// What ran when.
    pub swept: Sweep,
}

impl Derived {
    /// Derives all of it.
    #[must_use]
    pub fn of(trace: &Trace, choice: StageChoice, file_name: &str) -> Self {
        let kernels = Kernels::of(trace);
        let origins = Origins::of(trace);
        let stages = Stages::of(trace, &origins.launch, choice, file_name);
        let work: Vec<Work> = trace
            .gpu
            .iter()
            .enumerate()
            .map(|(index, event)| {
                let comm = kernels.at(index).family == Family::Comm;
                let stage = u32::try_from(stages.of_event[index].number()).unwrap_or(0);
                Work::of(event, comm, stage)
            })
            .collect();
        Self {
            kernels,
            origins,
            stages,
            swept: sweep(&work),
            work,
        }
    }
}

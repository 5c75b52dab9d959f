//! The end of a run: by itself, or by Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine_client::Cancel;

/// Shared by everything that takes part in a run.
#[derive(Clone, Default)]
pub(super) struct Stop {
    /// Thrown by Ctrl-C: what is in flight ends as cancelled, nothing more is sent.
    pub(super) cancel: Cancel,
    finished: Arc<AtomicBool>,
}

impl Stop {
    /// All requests have ended.
    pub(super) fn finish(&self) {
        self.finished.store(true, Ordering::Relaxed);
    }

    pub(super) fn finished(&self) -> bool {
        self.finished.load(Ordering::Relaxed)
    }
}

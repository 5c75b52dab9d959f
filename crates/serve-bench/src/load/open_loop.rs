//! Requests at times that do not depend on the answers. A cap on requests in flight makes them wait in order; the
//! wait is reported, and every latency is also counted from the scheduled send.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use engine_client::Slot;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::timer::PreciseTimer;
use super::{Dispatch, Shared};

pub(super) async fn run(shared: &Arc<Shared>) {
    let Ok(mut timer) = PreciseTimer::new() else {
        shared.stop.cancel.cancel();
        return;
    };
    let cap = shared
        .level
        .info
        .max_concurrency
        .map(|cap| Arc::new(Semaphore::new(cap.max(1) as usize)));
    let idle: Arc<Mutex<Vec<Slot>>> = Arc::default();
    let mut tasks = JoinSet::new();
    for (position, request) in shared.level.requests.iter().enumerate() {
        let due = shared.epoch + request.due.unwrap_or_default();
        let waited = tokio::select! {
            waited = timer.sleep_until(due) => waited,
            () = shared.stop.cancel.cancelled() => break,
        };
        if waited.is_err() || !shared.sending() {
            break;
        }
        let mut ready = due;
        let mut permit = None;
        if let Some(cap) = &cap {
            let before = Instant::now();
            tokio::select! {
                acquired = Arc::clone(cap).acquire_owned() => permit = acquired.ok(),
                () = shared.stop.cancel.cancelled() => break,
            }
            if before.elapsed().as_micros() > 0 {
                ready = Instant::now().max(due);
            }
        }
        let queued = cap.as_ref().map(|_| ready.saturating_duration_since(due));
        let (shared, idle) = (Arc::clone(shared), Arc::clone(&idle));
        tasks.spawn(async move {
            let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut slot = free.unwrap_or_else(|| shared.slot());
            shared
                .send(
                    &mut slot,
                    position,
                    Dispatch {
                        scheduled: Some(due),
                        ready,
                        queued,
                    },
                )
                .await;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
            drop(permit);
        });
        // Ended tasks are reaped as we go, or a long trace would keep them all.
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

//! A fixed number of requests in flight: each slot takes the next request when its last one has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use engine_client::Slot;

use super::{Dispatch, Level, Shared};

/// A connection takes no longer on a network that carries a measurement.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// One slot for every request in flight, each with its connection open. Where a connection hangs, the others are left
/// to their requests, which have a limit and are typed outcomes.
pub(super) async fn open_slots(level: &Level) -> Vec<Slot> {
    let slots = level.info.concurrency.unwrap_or(1).max(1) as usize;
    let mut open = Vec::with_capacity(slots.min(level.requests.len()));
    let mut is_answering = true;
    for _ in 0..slots.min(level.requests.len()) {
        let mut slot = Slot::new(level.endpoint.clone(), level.headers.clone());
        if is_answering && !cli_kit::interrupted() {
            is_answering = tokio::time::timeout(CONNECT_LIMIT, slot.open()).await.is_ok();
        }
        open.push(slot);
    }
    open
}

pub(super) async fn run(shared: &Arc<Shared>, slots: Vec<Slot>) {
    let next = Arc::new(AtomicUsize::new(0));
    let total = shared.level.requests.len();
    let mut tasks = JoinSet::new();
    for mut slot in slots {
        let (shared, next) = (Arc::clone(shared), Arc::clone(&next));
        tasks.spawn(async move {
            while shared.sending() {
                let ready = Instant::now();
                let position = next.fetch_add(1, Ordering::Relaxed);
                if position >= total {
                    break;
                }
                shared
                    .send(
                        &mut slot,
                        position,
                        Dispatch {
                            scheduled: None,
                            ready,
                            queued: None,
                        },
                    )
                    .await;
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

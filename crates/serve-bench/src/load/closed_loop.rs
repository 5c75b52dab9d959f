//! A fixed number of requests in flight: each slot takes the next request when its last one has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::task::JoinSet;

use super::{Dispatch, Shared};

pub(super) async fn run(shared: &Arc<Shared>) {
    let next = Arc::new(AtomicUsize::new(0));
    let total = shared.level.requests.len();
    let slots = shared.level.info.concurrency.unwrap_or(1).max(1) as usize;
    let mut tasks = JoinSet::new();
    for _ in 0..slots.min(total) {
        let (shared, next) = (Arc::clone(shared), Arc::clone(&next));
        tasks.spawn(async move {
            let mut slot = shared.slot();
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

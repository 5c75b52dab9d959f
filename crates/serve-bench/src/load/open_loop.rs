//! Requests at times that do not depend on the answers. A cap on requests in flight makes them wait in order; the
//! wait is reported, and every latency is also counted from the scheduled send.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use engine_client::Slot;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::timer::PreciseTimer;
use super::{Dispatch, Shared};

pub(super) async fn run(shared: &Arc<Shared>) {
    let Ok(mut timer) = PreciseTimer::new() else {
        shared.stop.cancel.cancel();
        return;
    };
    let mut gate = Gate::new(shared.level.info.max_concurrency, shared.epoch);
    let idle: Arc<Mutex<Vec<Slot>>> = Arc::default();
    let mut tasks = JoinSet::new();
    for (position, request) in shared.level.requests.iter().enumerate() {
        let offset = request.due.unwrap_or_default();
        // Nobody waits for a request that will not be sent.
        if !shared.lasts_until(offset) {
            break;
        }
        let due = shared.epoch + offset;
        let waited = tokio::select! {
            waited = timer.sleep_until(due) => waited,
            () = shared.stop.cancel.cancelled() => break,
        };
        if waited.is_err() || !shared.sending() {
            break;
        }
        let Admitted { ready, permit } = tokio::select! {
            admitted = gate.admit(due) => admitted,
            () = shared.stop.cancel.cancelled() => break,
        };
        // The wait may have been long.
        if !shared.sending() {
            break;
        }
        let queued = gate.cap.as_ref().map(|_| ready.saturating_duration_since(due));
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

/// The cap on requests in flight.
struct Gate {
    cap: Option<Arc<Semaphore>>,
    /// Until when the cap held the last request that it held, and all that were due behind it.
    held_until: Instant,
}

/// A request that may go out.
struct Admitted {
    /// The moment from which only the client itself delays it.
    ready: Instant,
    permit: Option<OwnedSemaphorePermit>,
}

impl Gate {
    fn new(cap: Option<u32>, epoch: Instant) -> Gate {
        Gate {
            cap: cap.map(|cap| Arc::new(Semaphore::new(cap.max(1) as usize))),
            held_until: epoch,
        }
    }

    /// Waits for a place. Where one was free at once, the cap held nobody up: what is late then is the client.
    async fn admit(&mut self, due: Instant) -> Admitted {
        let permit = match &self.cap {
            None => None,
            Some(cap) => match Arc::clone(cap).try_acquire_owned() {
                Ok(free) => Some(free),
                Err(_) => {
                    let freed = Arc::clone(cap).acquire_owned().await.ok();
                    self.held_until = Instant::now();
                    freed
                }
            },
        };
        Admitted {
            ready: due.max(self.held_until),
            permit,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn only_a_wait_for_the_cap_is_the_caps() {
        let epoch = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        let due = |ms| epoch + Duration::from_millis(ms);
        let mut gate = Gate::new(Some(1), epoch);
        let first = gate.admit(due(10)).await;
        assert_eq!(
            first.ready,
            due(10),
            "a place was free: 990 ms late is the client's lag"
        );

        let begun = Instant::now();
        let permit = first.permit;
        let (second, ()) = tokio::join!(gate.admit(due(20)), async {
            tokio::task::yield_now().await;
            drop(permit);
        });
        assert!(second.ready >= begun, "it waited for the first to end");
        drop(second.permit);
        let third = gate.admit(due(30)).await;
        assert_eq!(third.ready, second.ready, "it was due while the second was held");
        drop(third.permit);
        let later = Instant::now() + Duration::from_secs(1);
        assert_eq!(gate.admit(later).await.ready, later);
    }

    #[tokio::test]
    async fn without_a_cap_nothing_waits() {
        let epoch = Instant::now();
        let admitted = Gate::new(None, epoch).admit(epoch).await;
        assert_eq!(admitted.ready, epoch);
        assert!(admitted.permit.is_none());
    }
}

//! A fixed number of requests in flight: each slot takes the next request when its last one has ended.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use engine_client::Slot;

use super::{Dispatch, Level, Prepared, Shared};

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
    let units = Arc::new(units(&shared.level.requests));
    let mut tasks = JoinSet::new();
    for mut slot in slots {
        let (shared, next, units) = (Arc::clone(shared), Arc::clone(&next), Arc::clone(&units));
        tasks.spawn(async move {
            let mut ready = Instant::now();
            while shared.sending() {
                let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                for position in unit.clone() {
                    let think = shared.level.requests[position].think();
                    // The user thinks from the end of the answer, whatever the client did since.
                    if !think.is_zero() && !shared.pause_until(ready + think).await {
                        return;
                    }
                    if !shared.sending() {
                        return;
                    }
                    let dispatch = Dispatch {
                        scheduled: None,
                        ready: ready + think,
                        queued: None,
                    };
                    shared.send(&mut slot, position, dispatch).await;
                    ready = Instant::now();
                }
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

/// What one slot sends one after the other: a request, or the turns of a conversation.
fn units(requests: &[Prepared]) -> Vec<Range<usize>> {
    let mut units: Vec<Range<usize>> = Vec::new();
    for (position, request) in requests.iter().enumerate() {
        let follows = |last: &Range<usize>| {
            let before = requests[last.start].turn.map(|turn| turn.conversation);
            before.is_some() && before == request.turn.map(|turn| turn.conversation)
        };
        match units.last_mut().filter(|last| follows(last)) {
            Some(last) => last.end = position + 1,
            None => units.push(position..position + 1),
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use contracts::Finite;
    use contracts::serve_bench::workload::Turn;

    use super::*;

    #[test]
    fn turns_of_one_conversation_are_one_unit() {
        let request = |conversation: Option<u64>| Prepared {
            index: 0,
            turn: conversation.map(|conversation| Turn {
                conversation,
                number: 0,
                think_ms: Finite::from(0),
            }),
            body: bytes::Bytes::new(),
            due: None,
            output_len: None,
            ignore_eos: false,
        };
        let requests = [None, None, Some(0), Some(0), Some(0), Some(1), None].map(request);
        assert_eq!(units(&requests), [0..1, 1..2, 2..5, 5..6, 6..7]);
    }
}

//! First turns of conversations against later ones.

use std::collections::BTreeSet;

use contracts::Finite;
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::RequestRecord;
use contracts::serve_bench::run::Turns;

use super::weighted::distribution;

/// `None` where no request is a turn.
pub(super) fn turns(measured: &[&RequestRecord]) -> Option<Turns> {
    let of_conversations: Vec<_> = measured
        .iter()
        .filter_map(|record| Some((record.turn?, *record)))
        .collect();
    if of_conversations.is_empty() {
        return None;
    }
    let conversations: BTreeSet<u64> = of_conversations
        .iter()
        .map(|(turn, _)| turn.conversation)
        .collect();
    let answered = |later: bool| {
        let is_one = move |number: u32| (number > 0) == later;
        of_conversations
            .iter()
            .filter(move |(turn, record)| is_one(turn.number) && record.outcome == Outcome::Ok)
            .map(|(_, record)| *record)
    };
    let ttft = |later: bool| {
        distribution(
            answered(later)
                .filter_map(|record| record.ttft_ms)
                .map(Finite::get),
        )
    };
    let cached: Option<u64> = answered(true).map(|record| record.cached_tokens).sum();
    let input: Option<u64> = answered(true).map(|record| record.input_tokens).sum();
    Some(Turns {
        conversations: conversations.len() as u64,
        first_ttft_ms: ttft(false),
        later_ttft_ms: ttft(true),
        later_cached_ratio: cached
            .zip(input.filter(|input| *input > 0))
            .and_then(|(cached, input)| Finite::ratio(cached as f64, input as f64)),
    })
}

#[cfg(test)]
mod tests {
    use contracts::serve_bench::workload::Turn;

    use super::super::requests::tests::ok_record;
    use super::*;

    #[test]
    fn later_turns_stand_apart() {
        let record = |conversation, number, ttft_ms: f64, cached| {
            let mut record = ok_record();
            record.turn = Some(Turn {
                conversation,
                number,
                think_ms: Finite::from(0),
            });
            record.ttft_ms = Finite::new(ttft_ms);
            record.input_tokens = Some(100);
            record.cached_tokens = Some(cached);
            record
        };
        let records = [
            record(0, 0, 50.0, 0),
            record(0, 1, 10.0, 80),
            record(1, 0, 70.0, 0),
            record(1, 1, 20.0, 60),
        ];
        let found = turns(&records.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(found.conversations, 2);
        assert_eq!(found.first_ttft_ms.mean.map(Finite::get), Some(60.0));
        assert_eq!(found.later_ttft_ms.mean.map(Finite::get), Some(15.0));
        assert_eq!(found.later_cached_ratio.map(Finite::get), Some(0.7));
        assert_eq!(turns(&[&ok_record()]), None);
    }
}

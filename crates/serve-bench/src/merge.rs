//! The parts of a load become the whole: the records of all of them on one axis of time, so that nothing is lost and every
//! quantile is that of the requests. Pure.

use std::collections::BTreeSet;

use cli_kit::Failure;
use contracts::serve_bench::record::{RecordHeader, RequestRecord};
use contracts::serve_bench::run::{ClientHealth, Lag};
use contracts::serve_bench::shard::Shard;
use contracts::{Exit, Finite};
use jiff::Timestamp;

use crate::fold::{ClientSamples, client_health};
use crate::shard;

/// What one load generator measured.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// File, for messages.
    pub(crate) name: String,
    pub(crate) header: RecordHeader,
    pub(crate) shard: Shard,
    /// When its clock started.
    pub(crate) epoch_at: Timestamp,
    pub(crate) records: Vec<RequestRecord>,
    /// What it knew of itself; `None` when it died.
    pub(crate) client: Option<ClientHealth>,
    pub(crate) complete: bool,
}

/// The whole.
#[derive(Clone, Debug)]
pub(crate) struct Merged {
    /// The header of a measurement that was made by one generator.
    pub(crate) header: RecordHeader,
    pub(crate) epoch_at: Timestamp,
    /// By their number.
    pub(crate) records: Vec<RequestRecord>,
    pub(crate) client: ClientHealth,
    pub(crate) complete: bool,
}

/// Puts the parts together.
///
/// # Errors
/// Exit 3 when a part is missing or there twice, or a request is of none; exit 7 when they are not of one measurement.
pub(crate) fn merge(mut parts: Vec<Part>) -> Result<Merged, Failure> {
    parts.sort_by_key(|part| part.shard.index);
    let first = &parts[0];
    for part in &parts[1..] {
        same(first, part)?;
    }
    whole(&parts)?;
    let shard = first.shard.clone();
    let mut header = first.header.clone();
    header.contract = shard::whole_contract(header.contract, &shard);
    header.load = shard.load.clone();
    header.shard = None;
    let mut records: Vec<RequestRecord> = parts.iter().flat_map(on_one_axis).collect();
    records.sort_by_key(|record| record.index);
    let client = client(&parts, &records);
    Ok(Merged {
        header,
        epoch_at: shard.start_at,
        client,
        complete: parts.iter().all(|part| part.complete),
        records,
    })
}

/// Its records with times from the common start, by its own clock.
fn on_one_axis(part: &Part) -> impl Iterator<Item = RequestRecord> {
    let late_ms = shard::late_ms(&part.shard, part.epoch_at);
    let later = move |ms: Finite| Finite::new(ms.get() + late_ms).unwrap_or(ms);
    part.records.iter().cloned().map(move |mut record| {
        record.start_ms = later(record.start_ms);
        record.scheduled_ms = record.scheduled_ms.map(later);
        record
    })
}

/// Whether two parts are of one measurement.
fn same(first: &Part, part: &Part) -> Result<(), Failure> {
    let whole = |part: &Part| shard::whole_contract(part.header.contract.clone(), &part.shard);
    let of = |part: &Part| (part.shard.of, part.shard.start_at, part.shard.load.clone());
    let differing = whole(first).compare(&whole(part)).differing;
    let what = if let Some((field, ..)) = differing.first() {
        format!("the contract's {field}")
    } else if of(first) != of(part) {
        "the load, its parts or its start".to_owned()
    } else if first.header.subject.fingerprint != part.header.subject.fingerprint {
        "the subject: the server is another, or was started otherwise".to_owned()
    } else if (&first.header.slo, &first.header.goodput) != (&part.header.slo, &part.header.goodput) {
        "the rules".to_owned()
    } else {
        return Ok(());
    };
    Err(Failure::new(
        Exit::Drift,
        "shards-differ",
        format!(
            "{} and {} are not parts of one measurement: what differs is {what}",
            first.name, part.name
        ),
    )
    .hint("start all parts with the same flags, but for --shard"))
}

/// Whether every part is there once, and every request of the one that sends it.
fn whole(parts: &[Part]) -> Result<(), Failure> {
    let bad = |code: &str, message: String| Failure::new(Exit::BadInput, code, message);
    let of = parts[0].shard.of;
    let mut there = BTreeSet::new();
    for part in parts {
        if !there.insert(part.shard.index) {
            return Err(bad(
                "shard-twice",
                format!("part {} is given twice, once as {}", part.shard.name(), part.name),
            )
            .hint("give the records of each part once"));
        }
        let mut seen = BTreeSet::new();
        let is_wrong = |record: &&RequestRecord| {
            !part.shard.sends(shard::unit(record.index, record.turn)) || !seen.insert(record.index)
        };
        if let Some(wrong) = part.records.iter().find(is_wrong) {
            return Err(bad(
                "shard-foreign-request",
                format!(
                    "{} holds request {}, which is not part {}'s or is there twice",
                    part.name,
                    wrong.index,
                    part.shard.name()
                ),
            )
            .hint("give the files as `serve-bench run --shard … --records FILE` wrote them"));
        }
    }
    let missing: Vec<String> = (1..=of)
        .filter(|index| !there.contains(index))
        .map(|index| index.to_string())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(bad(
        "shards-missing",
        format!(
            "of {of} parts {} are missing: {}",
            missing.len(),
            missing.join(", ")
        ),
    )
    .hint("give the records of every part; without one of them the load was another"))
}

/// What the clients know of themselves together: of delays the worst, since quantiles do not add up; counts are added.
fn client(parts: &[Part], records: &[RequestRecord]) -> ClientHealth {
    let own = || parts.iter().filter_map(|part| part.client.as_ref());
    // What follows from the records, of all requests; of several processes there are no samples.
    let together = client_health(&ClientSamples::default(), records, &parts[0].shard.load);
    let worst = |of: fn(&ClientHealth) -> &Lag| {
        let largest =
            |pick: fn(&Lag) -> Option<Finite>| own().filter_map(|client| pick(of(client))).reduce(larger);
        Lag {
            p50: largest(|lag| lag.p50),
            p99: largest(|lag| lag.p99),
            max: largest(|lag| lag.max),
        }
    };
    let sum = |of: fn(&ClientHealth) -> Option<u64>| own().filter_map(of).reduce(u64::saturating_add);
    let mut reasons = together.reasons.clone();
    for part in parts {
        let said = part.client.as_ref().map_or(&[][..], |client| &client.reasons);
        reasons.extend(
            said.iter()
                .map(|reason| format!("part {}: {reason}", part.shard.name())),
        );
    }
    ClientHealth {
        dispatch_lag_ms: worst(|client| &client.dispatch_lag_ms),
        poll_delay_ms: worst(|client| &client.poll_delay_ms),
        cpu_share_ratio: own().filter_map(|client| client.cpu_share_ratio).reduce(larger),
        cpu_s: own()
            .filter_map(|client| client.cpu_s)
            .reduce(|a, b| Finite::new(a.get() + b.get()).unwrap_or(a)),
        cores: own()
            .filter_map(|client| client.cores)
            .reduce(u32::saturating_add),
        connections_opened: sum(|client| client.connections_opened),
        peak_rss_bytes: own().filter_map(|client| client.peak_rss_bytes).max(),
        client_limited: !reasons.is_empty(),
        reasons,
        ..together
    }
}

fn larger(a: Finite, b: Finite) -> Finite {
    if b.get() > a.get() { b } else { a }
}

#[cfg(test)]
mod tests {
    use contracts::serve_bench::record::Phase;
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::fold::{FoldContext, SloRules, fold_run};
    use crate::load::closed_loop_info;
    use crate::records::tests::header;

    fn record(index: u64, start_ms: f64, length_ms: f64, tokens: u64) -> RequestRecord {
        let mut record = crate::fold::ok_record();
        record.index = index;
        record.phase = if index < 2 { Phase::Warmup } else { Phase::Measured };
        record.start_ms = Finite::new(start_ms).unwrap();
        record.ended_ms = Finite::new(length_ms).unwrap();
        record.ttft_ms = Finite::new(length_ms / 3.0);
        record.e2e_latency_ms = Finite::new(length_ms);
        record.output_tokens = Some(tokens);
        record.chunk_offsets_us = vec![(length_ms * 300.0) as u32, (length_ms * 1000.0) as u32];
        record
    }

    /// Parts of one run, each with a clock that started a little late.
    fn parts(records: &[RequestRecord], of: u32, late_ms: &[i64]) -> Vec<Part> {
        let part = |index: u32| {
            let shard = Shard {
                index,
                of,
                start_at: Timestamp::from_second(1000).unwrap(),
                load: closed_loop_info(8, 2),
            };
            let late = late_ms[(index - 1) as usize % late_ms.len()];
            let mut header = header("a");
            header.contract = shard::contract(header.contract, &shard);
            header.shard = Some(shard.clone());
            let own = records
                .iter()
                .filter(|record| shard.sends(record.index))
                .cloned()
                .map(|mut record| {
                    record.start_ms = Finite::new(record.start_ms.get() - late as f64).unwrap();
                    record
                });
            Part {
                name: format!("{index}.jsonl"),
                epoch_at: shard.start_at + SignedDuration::from_millis(late),
                records: own.collect(),
                client: None,
                complete: true,
                header,
                shard,
            }
        };
        (1..=of).map(part).collect()
    }

    fn folded(records: &[RequestRecord], epoch_at: Timestamp) -> contracts::serve_bench::run::Run {
        let rules = SloRules::parse(&["p50_ttft_ms<=40".to_owned()], &["ttft_ms<=40".to_owned()]).unwrap();
        let load = closed_loop_info(8, 2);
        let client = client_health(&ClientSamples::default(), records, &load);
        let context = FoldContext {
            run: 0,
            epoch_at,
            load: &load,
            rules: &rules,
            complete: true,
        };
        fold_run(records, client, &context)
    }

    proptest! {
        /// Dealt out and put together again, a run is what it was.
        #[test]
        fn a_run_that_was_dealt_out_is_the_same_run(
            requests in prop::collection::vec((0_u32..5_000, 10_u32..2_000, 2_u64..500), 20..60),
            of in 1_u32..9,
        ) {
            let records: Vec<RequestRecord> = requests
                .iter()
                .enumerate()
                .map(|(index, (start, length, tokens))| record(index as u64, f64::from(*start) * 0.5, f64::from(*length), *tokens))
                .collect();
            // Binary fractions: times moved there and back are the same to the last bit.
            let merged = merge(parts(&records, of, &[0, 16, 32])).unwrap();
            prop_assert_eq!(&merged.records, &records);
            prop_assert_eq!(folded(&merged.records, merged.epoch_at), folded(&records, merged.epoch_at));
            prop_assert_eq!(merged.header.load, closed_loop_info(8, 2));
        }
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        let records: Vec<RequestRecord> = (0..20).map(|index| record(index, 0.0, 100.0, 5)).collect();
        let code = |parts: Vec<Part>| merge(parts).unwrap_err().document.code;
        let all = || parts(&records, 4, &[0]);
        assert_eq!(code(all().split_off(1)), "shards-missing");
        assert_eq!(code([all(), all().split_off(3)].concat()), "shard-twice");
        let mut other_start = all();
        other_start[1].shard.start_at += SignedDuration::from_secs(1);
        assert_eq!(code(other_start), "shards-differ");
        let mut other_server = all();
        other_server[2].header.subject.fingerprint = Some("sha256:other".to_owned());
        assert_eq!(code(other_server), "shards-differ");
        let mut other_load = all();
        other_load[3].shard.load.concurrency = Some(9);
        assert_eq!(code(other_load), "shards-differ");
        let mut foreign = all();
        foreign[0].records[0].index = 1;
        assert_eq!(code(foreign), "shard-foreign-request");
    }

    #[test]
    fn the_worst_client_speaks_for_all() {
        let records: Vec<RequestRecord> = (0..20).map(|index| record(index, 0.0, 100.0, 5)).collect();
        let mut all = parts(&records, 2, &[0]);
        for (part, lag) in all.iter_mut().zip([0.1, 3.0]) {
            let samples = ClientSamples {
                dispatch_lag_ms: vec![lag],
                cpu_s: Some(0.5),
                wall_s: 10.0,
                cores: 1,
                connections_opened: 4,
                ..ClientSamples::default()
            };
            part.client = Some(client_health(&samples, &part.records, &closed_loop_info(4, 1)));
        }
        let client = merge(all).unwrap().client;
        assert_eq!(client.dispatch_lag_ms.max.map(Finite::get), Some(3.0));
        assert_eq!(
            (
                client.cpu_s.map(Finite::get),
                client.cores,
                client.connections_opened
            ),
            (Some(1.0), Some(2), Some(8))
        );
        assert_eq!(client.asked_concurrency, Some(8));
    }
}

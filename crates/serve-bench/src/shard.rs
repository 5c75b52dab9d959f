//! A part of a load: which requests it sends, with how many in flight, and when it begins.

use cli_kit::Failure;
use contracts::fields::contract_field;
use contracts::serve_bench::result::{LoadInfo, LoadMode};
use contracts::serve_bench::shard::Shard;
use contracts::serve_bench::workload::Turn;
use contracts::{Exit, Field, FieldSet, Warning};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cli::RunArgs;
use crate::load::Level;

/// Most parts of a load.
const MOST: u32 = 4096;
/// No queue of a cluster is waited for longer.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(24);
/// Later than this a part is not of the same load any more.
const LATE_MS: f64 = 50.0;

/// The part that was asked for, of a level that is the whole; `None` without `--shard`.
///
/// # Errors
/// Exit 2 for what is no part, for a time that has passed, and for a load that is not the same everywhere by itself.
pub(crate) fn of(args: &RunArgs, whole: &LoadInfo) -> Result<Option<Shard>, Failure> {
    let (Some(part), Some(start_at)) = (&args.part.shard, &args.part.start_at) else {
        return Ok(None);
    };
    let (index, of) = numbers(part)?;
    let start_at = time(start_at)?;
    if args.workload.workload.is_none() {
        return Err(usage(
            "shard-not-frozen",
            "--shard needs a workload that is the same for all parts".to_owned(),
        )
        .hint("`serve-bench freeze`, and give every part the file with --workload"));
    }
    if args.repeat > 1 {
        return Err(usage(
            "shard-repeated",
            format!(
                "--shard has one start, and --repeat {} needs as many",
                args.repeat
            ),
        )
        .hint("run all parts again with another --start-at and merge each round by itself"));
    }
    if matches!(whole.mode, LoadMode::ClosedLoop | LoadMode::Conversations) && args.load.concurrency.is_none()
    {
        return Err(usage(
            "shard-load-unclear",
            "--shard divides a load, and none was named".to_owned(),
        )
        .hint("give every part the whole load: --concurrency N or --request-rate R"));
    }
    let slots = whole.concurrency.or(whole.max_concurrency);
    if let Some(slots) = slots.filter(|slots| *slots < of) {
        return Err(usage(
            "shard-without-slots",
            format!("{slots} requests in flight cannot be divided by {of} parts"),
        )
        .hint("fewer parts, or a higher concurrency"));
    }
    Ok(Some(Shard {
        index,
        of,
        start_at,
        load: whole.clone(),
    }))
}

/// The level of one part.
///
/// # Errors
/// Exit 2 when no request is left for it to measure.
pub(crate) fn part(mut level: Level, shard: &Shard) -> Result<Level, Failure> {
    let warmup = level.info.warmup_requests;
    let is_ours = |position: usize| {
        shard.sends(unit(
            level.requests[position].index,
            level.requests[position].turn,
        ))
    };
    let ours: Vec<usize> = (0..level.requests.len())
        .filter(|position| is_ours(*position))
        .collect();
    let warm = ours
        .iter()
        .filter(|position| (**position as u64) < warmup)
        .count();
    if ours.len() == warm {
        return Err(usage(
            "shard-empty",
            format!("part {} has no request to measure", shard.name()),
        )
        .hint("fewer parts, or a workload of more requests"));
    }
    level.requests = ours
        .iter()
        .map(|position| level.requests[*position].clone())
        .collect();
    level.info = LoadInfo {
        concurrency: level.info.concurrency.map(|slots| share(slots, shard)),
        max_concurrency: level.info.max_concurrency.map(|slots| share(slots, shard)),
        warmup_requests: warm as u64,
        ..level.info
    };
    level.start_at = Some(shard.start_at);
    Ok(level)
}

/// By what requests are dealt out: a conversation stays with one part.
pub(crate) fn unit(index: u64, turn: Option<Turn>) -> u64 {
    turn.map_or(index, |turn| turn.conversation)
}

/// So many of the slots that all parts together have as many as the whole.
fn share(slots: u32, shard: &Shard) -> u32 {
    slots / shard.of + u32::from(shard.index <= slots % shard.of)
}

/// The contract of a part: its load is none of a whole measurement, so that nothing takes one for the other.
pub(crate) fn contract(whole: FieldSet, shard: &Shard) -> FieldSet {
    let mut load = json!(shard.load);
    load["shard"] = json!(shard.name());
    with_load(whole, load)
}

/// The contract of the whole load that a part is of.
pub(crate) fn whole_contract(part: FieldSet, shard: &Shard) -> FieldSet {
    with_load(part, json!(shard.load))
}

fn with_load(contract: FieldSet, load: Value) -> FieldSet {
    let mut fields = contract.fields;
    fields.insert(contract_field::LOAD.to_owned(), Field::observed(load));
    FieldSet::new(fields)
}

/// That a measurement is a part of one.
pub(crate) fn partial(shard: &Shard) -> Warning {
    Warning::new(
        "part-of-a-load",
        format!(
            "this is part {} of a load: its rates are of its own requests; `serve-bench merge` makes the whole",
            shard.name()
        ),
    )
}

/// That a part did not begin with the others; `whose` stands before it.
pub(crate) fn late(shard: &Shard, epoch_at: Timestamp, whose: &str) -> Option<Warning> {
    let late_ms = late_ms(shard, epoch_at);
    (late_ms > LATE_MS).then(|| {
        Warning::new(
            "shard-late",
            format!("{whose}it began {late_ms:.0} ms after --start-at: the parts did not begin together; give a later time"),
        )
    })
}

/// How much later than it should a part began, by its own clock, milliseconds.
pub(crate) fn late_ms(shard: &Shard, epoch_at: Timestamp) -> f64 {
    epoch_at.duration_since(shard.start_at).as_secs_f64() * 1e3
}

fn usage(code: &str, message: String) -> Failure {
    Failure::new(Exit::Usage, code, message)
}

fn numbers(text: &str) -> Result<(u32, u32), Failure> {
    let parsed = || {
        let (index, of) = text.split_once('/')?;
        Some((index.trim().parse().ok()?, of.trim().parse().ok()?))
    };
    let is_part = |(index, of): &(u32, u32)| (1..=MOST).contains(of) && (1..=*of).contains(index);
    parsed().filter(is_part).ok_or_else(|| {
        usage("shard-unreadable", format!("--shard `{}` is no part", contracts::text::clean(text, 40)))
            .hint("write `--shard 1/4` to `--shard 4/4`; of a Slurm array `--array=1-4`: `--shard $SLURM_ARRAY_TASK_ID/4`")
    })
}

fn time(text: &str) -> Result<Timestamp, Failure> {
    let text = text.trim();
    let of_seconds = || {
        let seconds: f64 = text.parse().ok()?;
        (0.0..1e11)
            .contains(&seconds)
            .then(|| Timestamp::from_millisecond((seconds * 1e3) as i64).ok())?
    };
    let at: Timestamp = text.parse().ok().or_else(of_seconds).ok_or_else(|| {
        usage(
            "start-unreadable",
            format!("--start-at `{}` is no time", contracts::text::clean(text, 60)),
        )
        .hint("write 2026-11-23T10:00:00Z, or seconds since 1970: `--start-at $(($(date +%s) + 30))`")
    })?;
    let ahead = at.duration_since(Timestamp::now());
    if ahead <= SignedDuration::ZERO {
        return Err(usage("start-passed", format!("--start-at {at} has passed"))
            .hint("give all parts a time that none of them reaches before it has started"));
    }
    if ahead > LONGEST_WAIT {
        return Err(
            usage("start-far", format!("--start-at {at} is more than a day ahead"))
                .hint("give a nearer time"),
        );
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::closed_loop_info;

    fn shard(index: u32, of: u32) -> Shard {
        Shard {
            index,
            of,
            start_at: Timestamp::UNIX_EPOCH,
            load: closed_loop_info(10, 0),
        }
    }

    #[test]
    fn parts_add_up() {
        for of in 1..=10 {
            let all: u32 = (1..=of).map(|index| share(10, &shard(index, of))).sum();
            assert_eq!(all, 10);
            let sent = (0..100)
                .filter(|request| (1..=of).filter(|index| shard(*index, of).sends(*request)).count() == 1);
            assert_eq!(sent.count(), 100);
        }
    }

    #[test]
    fn what_is_no_part_is_refused() {
        assert_eq!(numbers("4/4").unwrap(), (4, 4));
        for text in ["0/4", "5/4", "1", "a/b", "1/0", "1/99999"] {
            assert_eq!(
                numbers(text).unwrap_err().document.code,
                "shard-unreadable",
                "{text}"
            );
        }
    }

    #[test]
    fn a_start_is_ahead() {
        let soon = Timestamp::now() + SignedDuration::from_secs(60);
        assert_eq!(time(&soon.to_string()).unwrap(), soon);
        assert!(time(&soon.as_second().to_string()).is_ok());
        assert_eq!(time("1000").unwrap_err().document.code, "start-passed");
        assert_eq!(time("9999999999").unwrap_err().document.code, "start-far");
        for text in ["soon", "NaN", "-1", "1e300"] {
            assert_eq!(
                time(text).unwrap_err().document.code,
                "start-unreadable",
                "{text}"
            );
        }
    }

    #[test]
    fn the_contract_of_a_part_is_not_that_of_the_whole() {
        let load = |load: &LoadInfo| [(contract_field::LOAD.to_owned(), Field::observed(json!(load)))];
        let whole = FieldSet::new(load(&closed_loop_info(10, 0)).into());
        let part = contract(whole.clone(), &shard(1, 2));
        assert_ne!(part.fingerprint, whole.fingerprint);
        assert_eq!(part.compare(&whole).differing.len(), 1);
        assert_eq!(whole_contract(part, &shard(1, 2)), whole);
    }
}

//! `telemetry-fetch window`: readings, the benchmark they belong to, and the document.

use cli_kit::{Binding, Failure, OutputArgs, Report, ToolError as _};
use contracts::Warning;
use jiff::{SignedDuration, Timestamp};

use crate::benchmark::Benchmark;
use crate::error::TelemetryError;
use crate::observed::Observed;
use crate::plan::{Asked, Readings, WindowPlan};
use crate::source::log::{LogRead, Span, Wanted};
use crate::{beside, past, report, snapshot, watch};

/// How far around a benchmark a store is asked: its readings before the first request and after the last one have all of
/// the requests between them. Stores scrape once a minute or more often.
const AROUND: SignedDuration = SignedDuration::from_secs(90);

/// How much more than what is meant the readings may lie around it, as a ratio, and how many seconds are no matter.
const MOST_BESIDE: f64 = 0.1;
const LEAST_BESIDE_S: f64 = 0.5;

pub(crate) fn run(mut plan: WindowPlan, output: &OutputArgs) -> Result<Report, Failure> {
    // Only around a command the window begins now.
    if matches!(plan.readings, Readings::Around { .. }) {
        plan.logs.iter_mut().for_each(Wanted::begin);
    }
    // A result that the command writes does not exist before it ran.
    let mut observed = match &plan.readings {
        Readings::Snapshots { before, after } => snapshot::pair(before, after)?,
        Readings::Past { servers } => past::window(&plan, servers)?,
        Readings::Around {
            servers,
            argv,
            interval,
            meanwhile,
        } => watch::around(servers, plan.beside.local(), argv, *interval, *meanwhile, output)?,
    };
    let around = plan
        .bind
        .for_result
        .as_ref()
        .map_or(SignedDuration::ZERO, |_| AROUND);
    if let Err(error) = beside::gather(&plan.beside, around, &mut observed) {
        if observed.sources.is_empty() {
            return Err(error.into());
        }
        // What was read ourselves cannot be read again.
        observed
            .notes
            .push(Warning::new(error.code(), format!("failed to {error}")));
    }
    let bound = match bind(&plan, &observed) {
        Ok(bound) => bound,
        // What was read during a command cannot be read again: it is kept, bound to nothing.
        Err(failure) if observed.command.is_some() => Bound {
            refused: Some(failure),
            ..Bound::default()
        },
        Err(failure) => return Err(failure),
    };
    let asked = match (&bound.benchmark, &plan.asked) {
        (Some(benchmark), _) => {
            observed.narrow(benchmark.start_at, benchmark.end_at);
            Some((benchmark.start_at, benchmark.end_at))
        }
        (None, Asked::Span(start, end)) => Some((*start, *end)),
        (None, _) => None,
    };
    if let Some((start, end)) = asked {
        observed
            .notes
            .extend(wider(&plan.readings, start, end, &observed));
    }
    read_logs(&plan, &mut observed)?;
    Ok(report::report(&plan, &observed, bound, output))
}

/// Readings that lie further around the span that is meant than numbers of it allow: what they say is of all between them.
fn wider(readings: &Readings, start: Timestamp, end: Timestamp, observed: &Observed) -> Option<Warning> {
    let mend = match readings {
        Readings::Snapshots { .. } => {
            "take snapshots right at its ends, run it as `-- COMMAND…` inside the window, or name a store or a log"
        }
        Readings::Around { .. } => "give a shorter --interval",
        // A store is scraped as it is, and a log is cut to the span.
        Readings::Past { .. } => return None,
    };
    let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
    let at = || observed.sources.iter().flat_map(|source| &source.history.at);
    let read = seconds(*at().min()?, *at().max()?);
    let asked = seconds(start, end);
    (read - asked > f64::max(LEAST_BESIDE_S, asked * MOST_BESIDE)).then(|| {
        Warning::new(
            "window-wider-than-asked",
            format!(
                "{asked:.1} s are meant, and the readings around them are {read:.1} s apart: counts are of all of that, and rates and means \
                 up to {:.0} % too low where nothing ran beside; {mend}",
                100.0 * (1.0 - asked / read)
            ),
        )
    })
}

/// What the window is bound to.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    pub(crate) binding: Option<Binding>,
    pub(crate) benchmark: Option<Benchmark>,
    /// Why it is bound to nothing, though it was to be.
    pub(crate) refused: Option<Failure>,
}

fn bind(plan: &WindowPlan, observed: &Observed) -> Result<Bound, Failure> {
    let engine = observed.engine.facts.kind.map(|kind| kind.name());
    let binding = plan.bind.read(engine, observed.engine.simulated)?;
    let benchmark = match (&binding, &plan.bind.for_result) {
        (Some(binding), Some(path)) => Some(Benchmark::load(path, binding)?),
        _ => None,
    };
    covers(&plan.asked, benchmark.as_ref(), observed)?;
    Ok(Bound {
        binding,
        benchmark,
        refused: None,
    })
}

/// Adds what the logs say of the window.
fn read_logs(plan: &WindowPlan, observed: &mut Observed) -> Result<(), TelemetryError> {
    let span = Span {
        start: observed.start_at,
        end: observed.end_at,
        zone: plan.log_zone.clone(),
    };
    for wanted in &plan.logs {
        let read = match wanted.read(&span) {
            Ok(read) => read,
            // What was read while the command ran is kept.
            Err(error) if observed.command.is_some() => LogRead::failed(wanted, &error),
            Err(error) => return Err(error.into()),
        };
        // Where a deployment says that its service is; an address that was given stands.
        observed.engine_url = observed.engine_url.take().or_else(|| read.service_url.clone());
        observed.logs.push(read);
    }
    let is_empty = observed.sources.is_empty()
        && observed
            .logs
            .iter()
            .all(|log| !log.has_lines && log.incidents.is_empty());
    if matches!(plan.readings, Readings::Past { .. }) && is_empty {
        let reasons = observed.logs.iter().filter_map(|log| log.source.reason.clone());
        return Err(TelemetryError::NotInLogs {
            start: span.start,
            end: span.end,
            why: reasons.collect::<Vec<_>>().join("; "),
        });
    }
    Ok(())
}

/// Whether the readings lie around what was asked for, or at least touch the benchmark.
fn covers(asked: &Asked, benchmark: Option<&Benchmark>, observed: &Observed) -> Result<(), TelemetryError> {
    let (before, after) = (observed.start_at, observed.end_at);
    if let Some(benchmark) = benchmark
        && (benchmark.end_at < before || benchmark.start_at > after)
    {
        return Err(TelemetryError::OtherWindow {
            path: benchmark.path.clone(),
            start: benchmark.start_at,
            end: benchmark.end_at,
            from: before,
            to: after,
        });
    }
    let (start, end) = match (asked, benchmark) {
        (Asked::Span(start, end), _) => (*start, *end),
        (Asked::Benchmark, Some(benchmark)) => (benchmark.start_at, benchmark.end_at),
        _ => return Ok(()),
    };
    if start < before || end > after {
        return Err(TelemetryError::NotCovered {
            start,
            end,
            before,
            after,
        });
    }
    Ok(())
}

//! `telemetry-fetch window`: readings, the benchmark they belong to, and the document.

use cli_kit::{Binding, Failure, OutputArgs, Report, ToolError as _};
use contracts::Warning;
use jiff::SignedDuration;

use crate::benchmark::Benchmark;
use crate::error::TelemetryError;
use crate::observed::Observed;
use crate::plan::{Asked, Readings, WindowPlan};
use crate::source::log::{LogRead, Span, Wanted};
use crate::{beside, past, report, snapshot, watch};

/// How far around a benchmark a store is asked: its readings before the first request and after the last one have all of
/// the requests between them. Stores scrape once a minute or more often.
const AROUND: SignedDuration = SignedDuration::from_secs(90);

/// How much more than what was asked for two snapshots may lie around it, as a ratio.
const MOST_BESIDE: f64 = 0.1;

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
        // What was read during a command that failed is kept: its benchmark may not have been written.
        Err(failure) if observed.is_broken_off() => Bound {
            refused: Some(failure.document.message),
            ..Bound::default()
        },
        Err(failure) => return Err(failure),
    };
    observed.notes.extend(wider(&plan, &observed));
    if let Some(benchmark) = &bound.benchmark {
        observed.narrow(benchmark.start_at, benchmark.end_at);
    }
    read_logs(&plan, &mut observed)?;
    Ok(report::report(&plan, &observed, bound, output))
}

/// Snapshots that lie further around the span that was asked for than numbers of it allow: what they say is of all between them.
fn wider(plan: &WindowPlan, observed: &Observed) -> Option<Warning> {
    let (Readings::Snapshots { .. }, Asked::Span(start, end)) = (&plan.readings, &plan.asked) else {
        return None;
    };
    let asked = end.duration_since(*start).as_secs_f64();
    let read = observed.end_at.duration_since(observed.start_at).as_secs_f64();
    let beside = read - asked;
    (beside > f64::max(1.0, asked * MOST_BESIDE)).then(|| {
        Warning::new(
            "window-wider-than-asked",
            format!(
                "{asked:.1} s were asked for, and the snapshots are {read:.1} s apart: every count and mean is of all of that; take snapshots at the ends of the span, or name a store or a log"
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
    pub(crate) refused: Option<String>,
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

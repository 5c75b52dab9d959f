//! `telemetry-fetch window`: readings, the benchmark they belong to, and the document.

use cli_kit::{Binding, Failure, OutputArgs, Report};

use crate::benchmark::Benchmark;
use crate::error::TelemetryError;
use crate::observed::Observed;
use crate::plan::{Asked, Readings, WindowPlan};
use crate::{report, snapshot, watch};

pub(crate) fn run(plan: WindowPlan, output: &OutputArgs) -> Result<Report, Failure> {
    // A result that the command writes does not exist before it ran.
    let mut observed = match &plan.readings {
        Readings::Snapshots { before, after } => snapshot::pair(before, after)?,
        Readings::Around {
            servers,
            argv,
            interval,
            beside,
        } => watch::around(servers, argv, *interval, *beside, output)?,
    };
    observed.generated_tokens = report::generated_tokens(&observed);
    let bound = match bind(&plan, &observed) {
        Ok(bound) => bound,
        // What was read during a command that failed is kept: its benchmark may not have been written.
        Err(failure) if observed.is_broken_off() => Bound {
            refused: Some(failure.document.message),
            ..Bound::default()
        },
        Err(failure) => return Err(failure),
    };
    if let Some(benchmark) = &bound.benchmark {
        observed.narrow(benchmark.start_at, benchmark.end_at);
    }
    Ok(report::report(&plan, &observed, bound, output))
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

//! What the benchmark of `--lengths` and the engine say against each other.

use contracts::Warning;
use contracts::capacity_plan::report::Capacity;

use crate::bytes::grouped;
use crate::facts::Facts;
use crate::load::Load;

/// Lengths of a benchmark that measured something else than what speaks here.
pub(crate) fn other_benchmark(load: &Load, facts: &Facts) -> Option<Warning> {
    let measured = load.measured.as_ref()?;
    let plain = |name: &str| name.to_lowercase().replace(['-', '_', '.'], "");
    let mut signs = Vec::new();
    if let (Some(theirs), Some(format)) = (&measured.engine, facts.format)
        && plain(theirs) != plain(format.engine())
    {
        signs.push(format!("it is of {theirs}, this of {}", format.engine()));
    }
    // One side may serve a path, the other a name of a hub: the last part of both is the model's.
    let last = |name: &str| plain(name.trim_end_matches('/').rsplit('/').next().unwrap_or(name));
    if let (Some(theirs), Some(ours)) = (&measured.model, &facts.model)
        && last(theirs) != last(ours)
    {
        signs.push(format!("it is of {theirs}, this of {ours}"));
    }
    if measured.simulated != facts.is_simulated {
        let is = |simulated: bool| if simulated { "simulated" } else { "real" };
        signs.push(format!(
            "its engine is {}, this one {}",
            is(measured.simulated),
            is(facts.is_simulated)
        ));
    }
    (!signs.is_empty()).then(|| {
        Warning::new(
            "lengths-of-another-benchmark",
            format!(
                "the benchmark of --lengths measured something else: {}; its lengths are taken all the same",
                signs.join("; ")
            ),
        )
    })
}

/// A benchmark that kept more in flight than fits.
pub(crate) fn overload(load: &Load, capacity: &[Capacity]) -> Option<Warning> {
    let in_flight = load.concurrency?;
    let row = capacity
        .iter()
        .find(|row| row.of == "mean")
        .or(capacity.first())?;
    let fits = row.requests_shared.or(row.requests)?;
    (in_flight > fits).then(|| {
        Warning::new(
            "load-above-capacity",
            format!(
                "the benchmark kept {in_flight} requests in flight, and {fits} of {} tokens fit: the rest waited, or was preempted",
                grouped(row.length_tokens)
            ),
        )
    })
}

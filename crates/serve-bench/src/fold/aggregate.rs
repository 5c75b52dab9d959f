//! Over runs: mean and interval per headline metric.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::metric::{HEADLINE, Metric};
use contracts::serve_bench::result::Estimate;
use contracts::serve_bench::run::Run;

/// Estimates over the valid runs; a metric that any of them lacks is absent.
pub fn aggregate(runs: &[Run]) -> BTreeMap<String, Estimate> {
    let valid: Vec<&Run> = runs.iter().filter(|run| run.valid).collect();
    HEADLINE
        .iter()
        .filter_map(|name| {
            let metric = Metric::parse(name).expect("headline metrics have known names");
            let values: Option<Vec<f64>> = valid.iter().map(|run| Some(metric.value(run)?.get())).collect();
            Some(((*name).to_owned(), estimate(&values?)?))
        })
        .collect()
}

fn estimate(values: &[f64]) -> Option<Estimate> {
    let interval = stats::interval::mean_interval_t(values, 0.95);
    Some(Estimate {
        mean: Finite::new(stats::summary::mean(values)?)?,
        stddev: stats::summary::stddev(values).and_then(Finite::new),
        cv_pct: stats::summary::cv_pct(values).and_then(Finite::new),
        n: values.len() as u64,
        ci_low: interval.and_then(|(low, _)| Finite::new(low)),
        ci_high: interval.and_then(|(_, high)| Finite::new(high)),
    })
}

//! Our mathematics against Prometheus' own answers on the same samples, one restart among them.
//!
//! The answers lie outside the repository; `SOTA_LOOP_TEST_DATA` says where. Prometheus 2.42.0 gave them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::histogram::quantile;
use super::increase::{growth, increase, resets};
use crate::history::{Bound, Column, Series};

/// Time and value of each sample.
type Samples = Vec<(f64, f64)>;

fn answer(name: &str) -> Option<Value> {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        println!("answers of Prometheus: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
        return None;
    };
    let path = Path::new(&data).join("telemetry/prometheus").join(name);
    let text = std::fs::read(path).expect("the answer can be read");
    let value: Value = serde_json::from_slice(&text).expect("an answer is JSON");
    Some(value["data"]["result"].clone())
}

fn number(value: &Value) -> f64 {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a sample is a number in quotes")
}

fn samples(series: &Value) -> Samples {
    let values = series["values"].as_array().expect("a matrix has values");
    values
        .iter()
        .map(|pair| (pair[0].as_f64().expect("a time"), number(&pair[1])))
        .collect()
}

#[test]
fn an_increase_over_a_restart_counts_what_was_counted() {
    let (Some(raw), Some(told)) = (answer("query_range_counter_reset.json"), answer("resets60.json")) else {
        return;
    };
    let column: Column = samples(&raw[0]).iter().map(|(_, value)| Some(*value)).collect();
    let born = vec![false; column.len()];
    let resets = resets(&column, &born);
    assert_eq!(
        resets.iter().filter(|reset| **reset).count() as f64,
        number(&told[0]["value"][1])
    );
    // 9981 - 2206 before the restart and 13232 after it; last - first is half of that.
    assert_eq!(increase(&column, &resets).map(|of| of.delta), Some(21_007.0));
}

#[test]
fn quantiles_are_those_of_prometheus() {
    let (Some(raw), Some(told)) = (
        answer("query_matrix_raw_buckets.json"),
        answer("query_range_histogram_quantile.json"),
    ) else {
        return;
    };
    let raw: BTreeMap<Bound, Samples> = raw
        .as_array()
        .expect("a matrix")
        .iter()
        .map(|series| (Bound(number(&series["metric"]["le"])), samples(series)))
        .collect();
    let told = samples(&told[0]);
    assert_eq!(told.len(), 11);
    for (end, p95) in told {
        // `histogram_quantile(0.95, sum by (le) (rate(…[10s])))` at that moment.
        let inside = |samples: &Samples| -> Column {
            let inside = samples.iter().filter(|(at, _)| (end - 10.0..=end).contains(at));
            inside.map(|(_, value)| Some(*value)).collect()
        };
        let series = Series {
            buckets: raw
                .iter()
                .map(|(bound, samples)| (*bound, inside(samples)))
                .collect(),
            ..Series::default()
        };
        let readings = series.buckets.values().map(Vec::len).max().unwrap_or(0);
        let grown = growth(&series, &vec![false; readings]).expect("samples in the window");
        let ours = quantile(&grown.buckets, 0.95, 1.0).expect("observations in the window");
        let error = (ours.value.get() / p95 - 1.0).abs();
        // Documents round to six decimals.
        assert!(error < 1e-5, "{} and {p95} at {end}", ours.value.get());
    }
}

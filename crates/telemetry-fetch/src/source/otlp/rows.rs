//! Rows of the document from spans: every request is known, so quantiles are exact.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::telemetry_fetch::metric::{MetricKind, MetricRow, Quantile, Semantics};
use jiff::Timestamp;

use super::ledger::{Ledger, Request};
use super::span::{ANSWER, DECODE, QUANTITIES};
use crate::fold::histogram::QUANTILES;

/// Requests that ended inside the window, as rows.
pub(crate) fn rows(ledger: &Ledger, start_at: Timestamp, end_at: Timestamp) -> Vec<MetricRow> {
    let is_inside =
        |end_ns: u64| (start_at.as_nanosecond()..=end_at.as_nanosecond()).contains(&i128::from(end_ns));
    let requests: Vec<&Request> = ledger
        .requests
        .iter()
        .filter(|request| is_inside(request.end_ns))
        .collect();
    let span_s = end_at.duration_since(start_at).as_secs_f64();
    let row = |id: &str, raw: &[&str], unit: &str, values: Vec<f64>| row(id, raw, unit, values, span_s);
    let mut rows = Vec::new();
    for (place, quantity) in QUANTITIES.iter().enumerate() {
        let values = requests
            .iter()
            .filter_map(|request| request.values[place])
            .collect();
        let unit = if quantity.is_time { "ms" } else { "tokens" };
        rows.extend(row(quantity.id, &[quantity.attribute], unit, values));
    }
    let tpot = requests.iter().filter_map(|request| {
        let tokens = request.values[ANSWER].filter(|tokens| *tokens >= 2.0)?;
        Some(request.values[DECODE]? / (tokens - 1.0))
    });
    let raw = [QUANTITIES[DECODE].attribute, QUANTITIES[ANSWER].attribute];
    rows.extend(row("tpot_ms", &raw, "ms", tpot.collect()));
    for (place, name) in ledger.names.iter().enumerate() {
        let of_stage = ledger
            .stages
            .iter()
            .filter(|((_, stage), time)| *stage == place && is_inside(time.end_ns));
        let values = of_stage.map(|(_, time)| time.total_ns as f64 / 1e6).collect();
        rows.extend(row("stage_time_ms", &[name], "ms", values).map(|mut row| {
            row.labels = BTreeMap::from([("stage".to_owned(), name.clone())]);
            row
        }));
    }
    rows
}

/// Requests that ended inside the window.
pub(crate) fn count(ledger: &Ledger, start_at: Timestamp, end_at: Timestamp) -> usize {
    let window = start_at.as_nanosecond()..=end_at.as_nanosecond();
    ledger
        .requests
        .iter()
        .filter(|request| window.contains(&i128::from(request.end_ns)))
        .count()
}

fn row(id: &str, raw_names: &[&str], unit: &str, mut values: Vec<f64>, span_s: f64) -> Option<MetricRow> {
    stats::percentile::sort(&mut values);
    let quantile = |q: f64| {
        let value = Finite::new(stats::percentile::nearest_rank(&values, q * 100.0)?)?;
        Some(Quantile {
            q: Finite::new(q)?,
            value,
            lo: value,
            hi: Some(value),
        })
    };
    let mean = stats::summary::mean(&values)?;
    Some(MetricRow {
        id: id.to_owned(),
        raw_names: raw_names.iter().map(|&name| name.to_owned()).collect(),
        kind: MetricKind::Spans,
        semantics: Semantics::PerRequest,
        unit: unit.to_owned(),
        value: Finite::new(mean),
        per_s: Finite::ratio(values.len() as f64, span_s),
        min: values.first().copied().and_then(Finite::new),
        max: values.last().copied().and_then(Finite::new),
        quantiles: QUANTILES.into_iter().filter_map(quantile).collect(),
        count: Some(values.len() as u64),
        stale: None,
        labels: BTreeMap::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::span::tests::request;
    use super::*;

    fn at(ns: i128) -> Timestamp {
        Timestamp::from_nanosecond(ns).unwrap()
    }

    #[test]
    fn quantiles_are_those_of_the_requests_inside() {
        let mut ledger = Ledger::default();
        for n in 1..=100_u8 {
            let attributes = [
                ("gen_ai.latency.time_to_first_token", f64::from(n) / 1e3),
                ("gen_ai.latency.time_in_model_decode", 0.63),
                ("gen_ai.usage.completion_tokens", 64.0),
            ];
            ledger
                .take(&request(
                    n,
                    n,
                    "llm_request",
                    (0, 1000 + u64::from(n)),
                    &attributes,
                ))
                .unwrap();
        }
        // The last ten ended after the window.
        let rows = rows(&ledger, at(1000), at(1090));
        let ttft = rows.iter().find(|row| row.id == "ttft_ms").unwrap();
        assert_eq!(ttft.count, Some(90));
        let p50 = ttft
            .quantiles
            .iter()
            .find(|quantile| quantile.q.get() == 0.5)
            .unwrap();
        assert!((p50.value.get() - 45.0).abs() < 1e-9);
        assert_eq!((Some(p50.value), p50.lo), (p50.hi, p50.value));
        assert!((ttft.max.unwrap().get() - 90.0).abs() < 1e-9);
        let tpot = rows.iter().find(|row| row.id == "tpot_ms").unwrap();
        assert!((tpot.value.unwrap().get() - 10.0).abs() < 1e-9);
        assert_eq!(count(&ledger, at(1000), at(1090)), 90);
    }

    #[test]
    fn a_stage_is_a_row_of_its_own() {
        let mut ledger = Ledger::default();
        ledger
            .take(&request(1, 1, "prefill_forward", (0, 4_000_000), &[]))
            .unwrap();
        let rows = rows(&ledger, at(0), at(9_000_000));
        let [row] = rows.as_slice() else {
            panic!("{rows:?}")
        };
        assert_eq!(
            (row.id.as_str(), row.labels["stage"].as_str()),
            ("stage_time_ms", "prefill_forward")
        );
        assert_eq!(row.value.map(Finite::get), Some(4.0));
    }
}

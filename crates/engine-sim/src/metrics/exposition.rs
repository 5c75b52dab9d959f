//! The Prometheus text format.

use std::fmt::Write as _;

use super::histogram::Histogram;

/// Collects samples that share their labels.
#[derive(Debug)]
pub(super) struct Exposition {
    text: String,
    labels: String,
}

/// A label value with what the format reserves escaped.
pub(super) fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// A number as Python's client prints it: integers keep a fraction.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return "+Inf".to_owned();
    }
    format!("{value:?}")
}

impl Exposition {
    pub(super) fn new(labels: String) -> Exposition {
        Exposition {
            text: String::new(),
            labels,
        }
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.put(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.text
            .write_fmt(text)
            .expect("writing to a string cannot fail");
    }

    fn sample(&mut self, name: &str, more: &str, value: f64) {
        let comma = if more.is_empty() { "" } else { "," };
        let (labels, value) = (self.labels.clone(), number(value));
        self.put(format_args!("{name}{{{labels}{comma}{more}}} {value}\n"));
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.gauges(name, help, &[("", value)]);
    }

    /// One gauge with several sets of further labels.
    pub(super) fn gauges(&mut self, name: &str, help: &str, values: &[(&str, f64)]) {
        self.head(name, "gauge", help);
        values
            .iter()
            .for_each(|(more, value)| self.sample(name, more, *value));
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.counters(name, help, &[("", value)]);
    }

    /// One counter with several sets of further labels.
    pub(super) fn counters(&mut self, name: &str, help: &str, values: &[(&str, u64)]) {
        self.head(name, "counter", help);
        values
            .iter()
            .for_each(|(more, value)| self.sample(name, more, *value as f64));
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in histogram.cumulative() {
            self.sample(&bucket, &format!("le=\"{}\"", number(bound)), count as f64);
        }
        self.sample(&format!("{name}_count"), "", histogram.count() as f64);
        self.sample(&format!("{name}_sum"), "", histogram.sum());
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

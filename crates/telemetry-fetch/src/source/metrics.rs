//! The metrics text of an engine or an exporter: asked over HTTP, or kept in a snapshot.

use contracts::serve_bench::result::EngineKind;
use contracts::telemetry_fetch::source::SourceKind;
use contracts::text::clean;
use engine_client::metrics::{Exposition, Kind, Part, Sample, engine_of, is_simulated, parse, same_name};
use engine_client::{ClientError, Endpoint, Headers, Scraper};
use jiff::Timestamp;

use super::{Point, Reading};
use crate::clock::Lead;
use crate::error::TelemetryError;
use crate::vocabulary::find;

/// Longest label value that is kept.
const LABEL_CAP: usize = 200;

/// Where engines have their metrics. TensorRT-LLM answers JSON on the first.
const PATHS: [&str; 2] = ["/metrics", "/prometheus/metrics"];

/// A payload and when it was read.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub(crate) text: String,
    pub(crate) at: Timestamp,
    pub(crate) lead: Option<Lead>,
}

/// A server whose metrics are read again and again.
pub(crate) struct MetricsSource<'a> {
    scraper: Scraper<'a>,
    endpoint: &'a Endpoint,
    path: &'static str,
    pub(crate) kind: SourceKind,
    pub(crate) engine: Option<EngineKind>,
    /// Whether its metrics say that it is simulated, which servers with a key say nowhere else.
    pub(crate) simulated: bool,
}

impl<'a> MetricsSource<'a> {
    /// Finds the path that answers with metrics, and gives the first payload.
    ///
    /// # Errors
    /// When nothing answers, or none of the paths has metrics.
    pub(crate) async fn open(
        endpoint: &'a Endpoint,
        headers: &'a Headers,
    ) -> Result<(MetricsSource<'a>, Payload), TelemetryError> {
        let scraper = Scraper::new(endpoint, headers)?;
        let mut first = None;
        for path in PATHS {
            match ask(&scraper, endpoint, path).await {
                Ok(payload) => {
                    let exposition = parse(&payload.text);
                    let (kind, engine) = recognise(&exposition);
                    let source = MetricsSource {
                        scraper,
                        endpoint,
                        path,
                        kind,
                        engine,
                        simulated: is_simulated(&exposition),
                    };
                    return Ok((source, payload));
                }
                // Nobody behind the address has another path either.
                Err(error @ TelemetryError::Client(_)) => return Err(error),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.expect("there are paths, and none answered"))
    }

    /// Reads it once more.
    ///
    /// # Errors
    /// When it does not answer with metrics this time.
    pub(crate) async fn read(&self) -> Result<Payload, TelemetryError> {
        ask(&self.scraper, self.endpoint, self.path).await
    }

    /// The URL that is read.
    pub(crate) fn url(&self) -> String {
        self.endpoint.url(self.path)
    }
}

async fn ask(scraper: &Scraper<'_>, endpoint: &Endpoint, path: &str) -> Result<Payload, TelemetryError> {
    let asked = Timestamp::now();
    let answer = scraper.get(path).await?;
    let at = Timestamp::now();
    let url = endpoint.url(path);
    match answer.status {
        200 => {}
        502..=504 => {
            return Err(ClientError::NotReady {
                url,
                reason: answer.reason,
            }
            .into());
        }
        _ => {
            return Err(TelemetryError::NoMetrics {
                url,
                reason: answer.reason,
            });
        }
    }
    let exposition = parse(&answer.text);
    // Words of a page may look like samples; a payload is mostly samples.
    if exposition.samples.len() <= exposition.unreadable_lines {
        let start = answer.text.trim_start();
        let reason = if start.is_empty() {
            "an empty answer".to_owned()
        } else if start.starts_with('<') {
            format!("a page of HTML: {}", clean(start, 120))
        } else if start.starts_with(['{', '[']) {
            "JSON".to_owned()
        } else {
            format!("no samples: {}", clean(start, 120))
        };
        return Err(TelemetryError::NotMetrics { url, reason });
    }
    Ok(Payload {
        lead: answer.date.as_deref().and_then(|date| Lead::of(date, asked, at)),
        // Halfway: the server wrote it between question and answer.
        at: asked + at.duration_since(asked) / 2,
        text: answer.text,
    })
}

/// What a payload is of, by the names in it.
pub(crate) fn recognise(exposition: &Exposition<'_>) -> (SourceKind, Option<EngineKind>) {
    let engine = exposition
        .samples
        .iter()
        .find_map(|sample| engine_of(sample.name));
    let is_dcgm = exposition
        .samples
        .iter()
        .any(|sample| sample.name.starts_with("DCGM_FI_"));
    match engine {
        None if is_dcgm => (SourceKind::Dcgm, None),
        engine => (SourceKind::Metrics, engine),
    }
}

/// A payload as a reading.
pub(crate) fn reading(payload: &Payload) -> Reading {
    let exposition = parse(&payload.text);
    Reading {
        at: payload.at,
        samples: (exposition.samples.len() + exposition.dropped_samples) as u64,
        unreadable_lines: exposition.unreadable_lines as u64,
        birth_s: birth(&exposition),
        lead: payload.lead,
        points: exposition.samples.iter().filter_map(point).collect(),
    }
}

/// When the process began; without that metric, when its oldest series did.
fn birth(exposition: &Exposition<'_>) -> Option<f64> {
    let samples = || exposition.samples.iter();
    let process = samples().find(|sample| same_name(sample.name, "process_start_time_seconds"));
    let created = || {
        let created =
            samples().filter(|sample| sample.part == Part::Created && engine_of(sample.name).is_some());
        created.map(|sample| sample.value).min_by(f64::total_cmp)
    };
    process
        .map(|sample| sample.value)
        .or_else(created)
        .filter(|birth| birth.is_finite())
}

fn point(sample: &Sample<'_>) -> Option<Point> {
    if sample.part == Part::Created || sample.value.is_nan() {
        return None;
    }
    let name = find(sample)?;
    let (le, part) = match (sample.part, sample.kind) {
        (Part::Bucket, Kind::Histogram) => (Some(sample.labels.get("le")?.parse().ok()?), Part::Bucket),
        (part, _) => (None, part),
    };
    Some(Point {
        name,
        raw: sample.family.to_owned(),
        part,
        le,
        labels: sample
            .labels
            .iter()
            .filter(|(label, _)| *label != "le")
            .map(|(label, value)| (clean(label, LABEL_CAP), clean(&value, LABEL_CAP)))
            .collect(),
        value: sample.value,
    })
}

/// The text as a snapshot keeps it: lines stay, nothing else that acts on a terminal does.
pub(crate) fn without_controls(text: &str) -> String {
    let keep = |c: &char| *c == '\n' || *c == '\t' || !(c.is_control() || contracts::text::is_invisible(*c));
    text.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::TERMS;

    fn of(text: &str) -> Reading {
        let at = Timestamp::UNIX_EPOCH;
        reading(&Payload {
            text: text.to_owned(),
            at,
            lead: None,
        })
    }

    #[test]
    fn points_are_those_of_the_vocabulary() {
        let read = of(
            "# TYPE sglang:time_to_first_token_seconds histogram\nsglang_time_to_first_token_seconds_bucket{le=\"+Inf\",x=\"y\"} 3\npython_info 1\nsglang:token_usage NaN\n",
        );
        assert_eq!(read.samples, 3);
        let [point] = read.points.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!(TERMS[point.name.term].id, "ttft_ms");
        assert_eq!(
            (point.part, point.le, point.value),
            (Part::Bucket, Some(f64::INFINITY), 3.0)
        );
        assert_eq!(point.labels.get("x").map(String::as_str), Some("y"));
        assert!(!point.labels.contains_key("le"));
    }

    #[test]
    fn birth_is_of_the_process_or_of_the_oldest_series() {
        let both = "process_start_time_seconds 100\nvllm:a_created 50\n";
        assert_eq!(of(both).birth_s, Some(100.0));
        assert_eq!(of("vllm:a_created 50\nvllm:b_created 40\n").birth_s, Some(40.0));
        assert_eq!(of("vllm:a 1\n").birth_s, None);
    }

    #[test]
    fn sources_are_known_by_their_names() {
        let kind = |text: &str| recognise(&parse(text));
        assert_eq!(kind("vllm_x 1"), (SourceKind::Metrics, Some(EngineKind::Vllm)));
        assert_eq!(kind("DCGM_FI_DEV_GPU_UTIL 1"), (SourceKind::Dcgm, None));
        assert_eq!(kind("other 1"), (SourceKind::Metrics, None));
    }

    #[test]
    fn a_kept_payload_acts_on_no_terminal() {
        assert_eq!(without_controls("a 1\n\u{1b}[2Jb\u{202e} 2\r\n"), "a 1\n[2Jb 2\n");
    }
}

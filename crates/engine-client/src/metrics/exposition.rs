//! A payload: its lines read, each sample told its type and its part.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::kind::{Kind, Part, split};
use super::line::{Line, Sample, read};
use super::name::{canonical, same_name};

/// Most samples that are kept of one payload. A deployment of hundreds of ranks has tens of thousands.
const MOST_SAMPLES: usize = 500_000;

/// What an exporter said at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition<'a> {
    /// Samples in the order of the payload.
    pub samples: Vec<Sample<'a>>,
    /// Lines that are neither comments nor samples.
    pub unreadable_lines: usize,
    /// Samples over the limit of what is kept.
    pub dropped_samples: usize,
}

impl Exposition<'_> {
    /// Samples of one metric, by its name with or without `_total`, with `:` or `_`.
    pub fn family<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Sample<'s>> {
        let bare = name.strip_suffix("_total").unwrap_or(name);
        self.samples.iter().filter(move |sample| {
            same_name(sample.family, name)
                || (sample.kind == Kind::Counter && same_name(sample.family, bare))
                // Without a type, `_total` still stands in the family.
                || (sample.kind != Kind::Histogram
                    && sample.family.strip_suffix("_total").is_some_and(|family| same_name(family, bare)))
        })
    }
}

/// Reads a payload; any text gives an exposition, if need be one without samples.
pub fn parse(text: &str) -> Exposition<'_> {
    let mut exposition = Exposition::default();
    let mut declared = Declared::default();
    let mut undeclared = false;
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    for end in ends {
        let line = &text[start..end];
        start = end + 1;
        match read(line) {
            Line::Nothing => {}
            Line::Unreadable => exposition.unreadable_lines += 1,
            Line::Type(name, kind) => declared.add(name, kind),
            Line::Sample(_) if exposition.samples.len() == MOST_SAMPLES => exposition.dropped_samples += 1,
            Line::Sample(sample) => {
                let sample = declared.resolve(sample);
                undeclared |= sample.kind == Kind::Unknown;
                exposition.samples.push(sample);
            }
        }
    }
    if undeclared {
        infer(&mut exposition.samples);
    }
    exposition
}

/// The types that were declared so far.
#[derive(Default)]
struct Declared<'a> {
    /// The last one: samples of a metric stand below its declaration, in any payload that keeps to the format.
    last: Option<(&'a str, Kind)>,
    all: HashMap<Cow<'a, str>, Kind>,
}

impl<'a> Declared<'a> {
    fn add(&mut self, name: &'a str, kind: Kind) {
        self.last = Some((name, kind));
        self.all.insert(canonical(name), kind);
    }

    fn resolve(&self, sample: Sample<'a>) -> Sample<'a> {
        let found = self
            .last
            .and_then(|(declared, kind)| part_of(sample.name, declared, kind))
            .or_else(|| self.look_up(sample.name));
        found.map_or(sample, |(family, kind, part)| Sample {
            family,
            kind,
            part,
            ..sample
        })
    }

    /// The type of a sample that does not stand below its declaration.
    fn look_up<'n>(&self, name: &'n str) -> Option<(&'n str, Kind, Part)> {
        let stripped = split(name)
            .map(|(family, _)| family)
            .or(name.strip_suffix("_total"));
        [Some(name), stripped].into_iter().flatten().find_map(|declared| {
            let kind = *self.all.get(&canonical(declared))?;
            part_of(name, declared, kind)
        })
    }
}

/// Family, type and part of a sample, if it belongs to what is declared under a name.
fn part_of<'n>(name: &'n str, declared: &str, kind: Kind) -> Option<(&'n str, Kind, Part)> {
    let is_declared = |name: &str| same_name(name, declared);
    // The classic text declares `x_created` as a gauge of its own; it is the birth of the series all the same.
    if let Some((family, Part::Created)) = split(name)
        && (is_declared(family) || (kind == Kind::Gauge && is_declared(name)))
    {
        return Some((family, kind, Part::Created));
    }
    let (family, part) = match kind {
        Kind::Histogram | Kind::Summary => split(name).unwrap_or((name, Part::Value)),
        Kind::Counter => (name.strip_suffix("_total").unwrap_or(name), Part::Value),
        Kind::Gauge | Kind::Unknown => (name, Part::Value),
    };
    // A counter is declared as `x` in OpenMetrics and as `x_total` in the classic text.
    (is_declared(family) || (part == Part::Value && is_declared(name))).then_some((family, kind, part))
}

/// Gives types to what was not declared: a family with buckets is a histogram, a name that ends in `_total` a counter.
fn infer(samples: &mut [Sample<'_>]) {
    let histograms: HashSet<Cow<'_, str>> = samples
        .iter()
        .filter(|sample| sample.kind == Kind::Unknown)
        .filter(|sample| sample.name.ends_with("_bucket") && sample.labels.get("le").is_some())
        .filter_map(|sample| Some(canonical(sample.name.strip_suffix("_bucket")?)))
        .collect();
    for sample in samples.iter_mut().filter(|sample| sample.kind == Kind::Unknown) {
        if let Some((family, part)) = split(sample.name)
            && (part == Part::Created || histograms.contains(&canonical(family)))
        {
            (sample.family, sample.part) = (family, part);
            if histograms.contains(&canonical(family)) {
                sample.kind = Kind::Histogram;
            }
        } else if let Some(family) = sample.name.strip_suffix("_total") {
            (sample.family, sample.kind) = (family, Kind::Counter);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Family, type, part and value of each sample.
    fn read_all(text: &str) -> Vec<(&str, Kind, Part, f64)> {
        let exposition = parse(text);
        assert_eq!(exposition.unreadable_lines, 0, "{text}");
        let parts = |sample: &Sample<'_>| (sample.kind, sample.part, sample.value);
        exposition
            .samples
            .iter()
            .map(|sample| {
                let (kind, part, value) = parts(sample);
                (sample.family, kind, part, value)
            })
            .map(|(family, kind, part, value)| {
                // The text outlives the exposition.
                let at = family.as_ptr() as usize - text.as_ptr() as usize;
                (&text[at..at + family.len()], kind, part, value)
            })
            .collect()
    }

    #[test]
    fn counters_of_both_formats_are_one_family() {
        let classic = "# TYPE sglang:prompt_tokens_total counter\nsglang:prompt_tokens_total 7\n";
        let open = "# TYPE sglang:prompt_tokens counter\nsglang_prompt_tokens_total 7\n# EOF\n";
        assert_eq!(
            read_all(classic),
            [("sglang:prompt_tokens", Kind::Counter, Part::Value, 7.0)]
        );
        assert_eq!(
            read_all(open),
            [("sglang_prompt_tokens", Kind::Counter, Part::Value, 7.0)]
        );
        for text in [classic, open, "sglang_prompt_tokens_total 7"] {
            let exposition = parse(text);
            for name in ["sglang:prompt_tokens", "sglang_prompt_tokens_total"] {
                assert_eq!(exposition.family(name).count(), 1, "{name} of {text}");
            }
        }
    }

    #[test]
    fn a_histogram_may_end_in_total() {
        let body = "vllm:iteration_tokens_total_bucket{le=\"1\"} 2\nvllm:iteration_tokens_total_bucket{le=\"+Inf\"} 3\n\
                    vllm:iteration_tokens_total_sum 9\nvllm:iteration_tokens_total_count 3\n";
        let declared = format!("# TYPE vllm:iteration_tokens_total histogram\n{body}");
        for text in [declared.as_str(), body] {
            let read = read_all(text);
            assert!(
                read.iter().all(|(family, kind, _, _)| (*family, *kind)
                    == ("vllm:iteration_tokens_total", Kind::Histogram)),
                "{read:?}"
            );
            let parts: Vec<Part> = read.iter().map(|(_, _, part, _)| *part).collect();
            assert_eq!(parts, [Part::Bucket, Part::Bucket, Part::Sum, Part::Count]);
            assert_eq!(parse(text).family("vllm_iteration_tokens_total").count(), 4);
        }
    }

    #[test]
    fn the_birth_of_a_series_is_known_however_it_is_declared() {
        let own = "# TYPE a_total counter\na_total 1\n# TYPE a_created gauge\na_created 1.7e9\n";
        let open = "# TYPE a counter\na_total 1\na_created 1.7e9\n";
        for text in [own, open, "a_total 1\na_created 1.7e9\n"] {
            let read = read_all(text);
            assert_eq!((read[0].0, read[0].2), ("a", Part::Value), "{text}");
            assert_eq!((read[1].0, read[1].2), ("a", Part::Created), "{text}");
        }
    }

    #[test]
    fn a_gauge_keeps_its_endings() {
        let text =
            "# TYPE running_count gauge\nrunning_count 3\n# TYPE x_bucket gauge\nx_bucket 1\nalone_sum 2\n";
        let read = read_all(text);
        assert_eq!(read[0], ("running_count", Kind::Gauge, Part::Value, 3.0));
        assert_eq!(read[1], ("x_bucket", Kind::Gauge, Part::Value, 1.0));
        assert_eq!(read[2], ("alone_sum", Kind::Unknown, Part::Value, 2.0));
    }

    #[test]
    fn declarations_may_stand_anywhere_above() {
        let text = "# TYPE h histogram\n# TYPE c counter\nc_total 1\nh_sum 2\nh_count 1\nh_bucket{le=\"+Inf\"} 1\nc_total{a=\"b\"} 1\n";
        let kinds: Vec<Kind> = read_all(text).iter().map(|(_, kind, _, _)| *kind).collect();
        assert_eq!(
            kinds,
            [
                Kind::Counter,
                Kind::Histogram,
                Kind::Histogram,
                Kind::Histogram,
                Kind::Counter
            ]
        );
    }

    #[test]
    fn a_page_is_counted_line_by_line() {
        let page = parse("<html>\n<body>Sign in 5</body>\n</html>\n");
        assert_eq!((page.samples.len(), page.unreadable_lines), (0, 3));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,200}") {
            let exposition = parse(&text);
            let lines = text.lines().count();
            prop_assert!(exposition.samples.len() + exposition.unreadable_lines <= lines);
        }

        #[test]
        fn what_is_written_is_read_back(
            samples in proptest::collection::vec(
                ("[a-zA-Z_:][a-zA-Z0-9_:]{0,20}", proptest::collection::vec(("[a-z_]{1,8}", "\\PC{0,12}"), 0..4), any::<f64>()),
                0..20,
            ),
        ) {
            let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let text: String = samples
                .iter()
                .map(|(name, labels, value)| {
                    let labels: Vec<String> =
                        labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escape(value))).collect();
                    format!("{name}{{{}}} {value}\n", labels.join(","))
                })
                .collect();
            let exposition = parse(&text);
            prop_assert_eq!(exposition.unreadable_lines, 0);
            prop_assert_eq!(exposition.samples.len(), samples.len());
            for (read, (name, labels, value)) in exposition.samples.iter().zip(&samples) {
                prop_assert_eq!(read.name, name);
                prop_assert!(read.value.to_bits() == value.to_bits() || (read.value.is_nan() && value.is_nan()));
                let back: Vec<(String, String)> =
                    read.labels.iter().map(|(label, value)| (label.to_owned(), value.into_owned())).collect();
                prop_assert_eq!(&back, labels);
            }
        }
    }
}

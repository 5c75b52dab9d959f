//! Answers of the Prometheus HTTP API, as Prometheus, VictoriaMetrics and Mimir give them.
//!
//! Numbers of samples are text (`"NaN"`, `"+Inf"`); a sample that is none is passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;

use contracts::text::clean;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Longest error of a store that is repeated.
const REASON_CAP: usize = 300;

/// Why an answer is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// The store says why.
    Refused(String),
    /// It is no answer of this API.
    Foreign(String),
}

/// Labels of a series, its name among them.
pub(crate) type Metric = BTreeMap<String, String>;

/// Raw samples of one series, ascending in time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Stored {
    pub(crate) metric: Metric,
    /// Empty for a native histogram, which no engine exports.
    #[serde(default)]
    pub(crate) values: Vec<Value>,
}

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) at_ms: i64,
    /// NaN when it is no number.
    pub(crate) value: f64,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        #[derive(Deserialize)]
        struct Pair<'a>(f64, #[serde(borrow)] Cow<'a, str>);
        let Pair(seconds, text) = Pair::deserialize(deserializer)?;
        Ok(Value {
            // Saturates for a time beyond all calendars, which no window has.
            at_ms: (seconds * 1e3).round() as i64,
            value: text.parse().unwrap_or(f64::NAN),
        })
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    #[serde(rename = "errorType")]
    error_type: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Outcome<T> {
    result: T,
}

/// The series of a range selector.
pub(crate) fn matrix(text: &str) -> Result<Vec<Stored>, Unusable> {
    read::<Outcome<Vec<Stored>>>(text).map(|data| data.result)
}

/// The labels of series.
pub(crate) fn series(text: &str) -> Result<Vec<Metric>, Unusable> {
    read(text)
}

/// The moment at which the store evaluated a scalar.
pub(crate) fn moment(text: &str) -> Result<i64, Unusable> {
    let Outcome { result } = read::<Outcome<serde_json::Value>>(text)?;
    // VictoriaMetrics answers a vector of one.
    let pair = result.pointer("/0/value").unwrap_or(&result);
    Value::deserialize(pair)
        .map(|value| value.at_ms)
        .map_err(|_| Unusable::Foreign("a scalar without its moment".to_owned()))
}

/// What a failing answer says, whatever its status.
pub(crate) fn refusal(text: &str) -> Unusable {
    match read::<serde_json::Value>(text) {
        Err(unusable) => unusable,
        Ok(_) => Unusable::Foreign("a success that is an error".to_owned()),
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Unusable> {
    let foreign = |what: &str| Unusable::Foreign(clean(what, REASON_CAP));
    let envelope: Envelope<T> = serde_json::from_str(text).map_err(|error| {
        let start = text.trim_start();
        match start.as_bytes().first() {
            None => foreign("an empty answer"),
            Some(b'<') => foreign(&format!("a page of HTML: {start:.120}")),
            Some(b'{') => foreign(&format!("JSON of another form: {error}")),
            Some(_) => foreign(&format!("text: {start:.120}")),
        }
    })?;
    match envelope {
        Envelope {
            status,
            data: Some(data),
            ..
        } if status == "success" => Ok(data),
        Envelope {
            error: Some(error),
            error_type,
            ..
        } => Err(Unusable::Refused(clean(
            &format!("{}: {error}", error_type.unwrap_or_default()),
            REASON_CAP,
        ))),
        Envelope { status, .. } => Err(foreign(&format!("the status `{status}` without data"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn samples_are_numbers_in_text() {
        let text = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"a","x":"\u0041"},
            "values":[[1795302854.318,"66"],[1795302855,"+Inf"],[1795302856.5,"NaN"]]},{"metric":{},"histograms":[]}]}}"#;
        let all = matrix(text).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].metric["x"], "A");
        assert_eq!(
            all[0].values[0],
            Value {
                at_ms: 1_795_302_854_318,
                value: 66.0
            }
        );
        assert_eq!(all[0].values[1].value, f64::INFINITY);
        assert!(all[0].values[2].value.is_nan());
        assert!(all[1].values.is_empty());
        let scalar =
            r#"{"status":"success","data":{"resultType":"scalar","result":[1795303002.956,"+Inf"]}}"#;
        assert_eq!(moment(scalar), Ok(1_795_303_002_956));
        let vector = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[7.5,"7"]}]}}"#;
        assert_eq!(moment(vector), Ok(7_500));
        assert!(moment(r#"{"status":"success","data":{"result":[]}}"#).is_err());
    }

    #[test]
    fn errors_are_told_from_foreign_answers() {
        let bad = r#"{"status":"error","errorType":"422","error":"cannot parse \u001b[31m"}"#;
        assert!(matches!(refusal(bad), Unusable::Refused(reason) if reason == "422: cannot parse"));
        for (text, start) in [
            ("", "an empty answer"),
            ("<html><title>x", "a page of HTML"),
            ("not found", "text: not found"),
            ("{\"detail\":1}", "JSON of another form"),
            (r#"{"status":"success"}"#, "the status `success` without data"),
        ] {
            assert!(
                matches!(matrix(text), Err(Unusable::Foreign(reason)) if reason.starts_with(start)),
                "{text}: {:?}",
                matrix(text)
            );
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = (matrix(&text), series(&text), moment(&text), refusal(&text));
        }
    }
}

//! Graphsignal's hosted context API, asked directly: the command-line client does not tell a wrong key from another error.
//!
//! The form of what it says is not published. It is passed on as it is, bounded and cleaned.

use contracts::telemetry_fetch::context::ForeignContext;
use contracts::telemetry_fetch::source::SourceKind;
use contracts::text::clean;
use engine_client::{ClientError, Endpoint, Headers, Scraper};
use jiff::Timestamp;
use serde_json::Value;

use super::error::GraphsignalError;
use super::foreign::bounded;

/// Variable of the key.
pub(crate) const KEY: &str = "GRAPHSIGNAL_API_KEY";
/// Variable of another base URL.
pub(crate) const BASE: &str = "GRAPHSIGNAL_API_BASE";
const HOSTED: &str = "https://api.graphsignal.com";
const SIGNALS: &str = "/api/v1/context/signals/";
const SUMMARY: &str = "/api/v1/context/summary/";
/// Tag that names a run.
const RUN: &str = "run.uid";

/// The API with its key.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    endpoint: Endpoint,
    headers: Headers,
}

impl Api {
    /// From the environment.
    ///
    /// # Errors
    /// Without a key, or with a base URL that cannot be used.
    pub(crate) fn from_environment() -> Result<Api, GraphsignalError> {
        let of = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let key = of(KEY).ok_or(GraphsignalError::KeyMissing)?;
        let mut headers = Headers::new();
        headers.set("X-API-KEY", key.trim())?;
        Ok(Api {
            endpoint: Endpoint::parse(of(BASE).as_deref().unwrap_or(HOSTED))?,
            headers,
        })
    }

    /// What it says of a window; the summary too where the window has one run.
    ///
    /// # Errors
    /// When it cannot be asked, refuses the key, or has no context.
    pub(crate) async fn read(
        &self,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<ForeignContext>, GraphsignalError> {
        let span = format!(
            "?start_time_ns={}&end_time_ns={}",
            start.as_nanosecond(),
            end.as_nanosecond()
        );
        let context = self.field(SIGNALS, &span, "context").await?;
        let mut found = Vec::new();
        if let Some(run) = only_run(&context) {
            let tags = format!("{span}&tags={}", encoded(&format!("{RUN}:{run}")));
            // The context stands without it.
            if let Ok(summary) = self.field(SUMMARY, &tags, "summary").await {
                found.push(self.part(SUMMARY, "summary", &summary));
            }
        }
        found.insert(0, self.part(SIGNALS, "context", &context));
        Ok(found)
    }

    /// What is asked.
    pub(crate) fn url(&self) -> String {
        self.endpoint.url(SIGNALS)
    }

    async fn field(&self, path: &str, query: &str, field: &str) -> Result<Value, GraphsignalError> {
        let scraper = Scraper::new(&self.endpoint, &self.headers)?;
        let url = self.endpoint.url(path);
        let answer = match scraper.get(&format!("{path}{query}")).await {
            Err(ClientError::Unauthorized { status, .. }) => {
                return Err(GraphsignalError::KeyRefused { url, status });
            }
            answer => answer?,
        };
        let none = |reason: String| GraphsignalError::NoContext {
            url: url.clone(),
            reason,
        };
        if answer.status != 200 {
            return Err(none(answer.reason));
        }
        let text = self.headers.without_secrets(&answer.text);
        let value: Value =
            serde_json::from_str(&text).map_err(|_| none(format!("no JSON: {}", clean(&text, 120))))?;
        let content = value.get(field).filter(|content| match content {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        });
        content
            .cloned()
            .ok_or_else(|| none(format!("an answer without `{field}`")))
    }

    fn part(&self, path: &str, part: &str, value: &Value) -> ForeignContext {
        let (content, truncated) = bounded(value);
        ForeignContext {
            kind: SourceKind::Graphsignal,
            url: self.endpoint.url(path),
            part: part.to_owned(),
            content,
            truncated,
        }
    }
}

/// The run of the window, if there is one only: the API makes no summary of several.
fn only_run(context: &Value) -> Option<String> {
    let parsed;
    let context = match context {
        Value::String(text) => {
            parsed = serde_json::from_str::<Value>(text).ok()?;
            &parsed
        }
        other => other,
    };
    let runs = context.get("meta")?.get("available_tags")?.get(RUN)?;
    match runs {
        Value::String(run) => Some(run.clone()),
        Value::Array(all) if all.len() == 1 => all[0].as_str().map(str::to_owned),
        _ => None,
    }
}

fn encoded(text: &str) -> String {
    let encode = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_summary_is_of_one_run() {
        let of = |runs: Value| only_run(&json!({"meta": {"available_tags": {RUN: runs}}}));
        assert_eq!(of(json!(["abc"])).as_deref(), Some("abc"));
        assert_eq!(of(json!("abc")).as_deref(), Some("abc"));
        assert_eq!(of(json!(["abc", "def"])), None);
        assert_eq!(only_run(&json!("# text")), None);
        assert_eq!(encoded("run.uid:a&b"), "run.uid%3Aa%26b");
    }
}

//! Logs of a run that dstack deployed, and why it ended, from dstack's server.
//!
//! Paths and fields are those of dstack 0.22.5: `POST …/runs/get` and `…/logs/poll`, whose messages are base64.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::telemetry_fetch::incident::{Incident, IncidentKind};
use contracts::text::clean;
use engine_client::{ClientError, Endpoint, Headers, Scraper};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::clock::LogClock;
use super::error::LogError;
use super::sample::sample;
use super::scan::Scan;
use super::{Read, Span};

/// Most events of one answer; the server allows no more.
const PAGE: usize = 1000;
/// Most answers of one job: a million events.
const PAGES: usize = 1000;

/// Where a run is and how to ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    url: String,
    project: String,
    token: String,
}

/// Reads the window of a run.
///
/// # Errors
/// When no server is configured, or it does not answer with the run.
pub(super) fn read(project: Option<&str>, run: &str, span: &Span) -> Result<Read, LogError> {
    let failed = |reason: String| LogError::Dstack {
        run: clean(run, 100),
        reason,
        is_unknown: false,
    };
    let server = server(project)?;
    let endpoint = Endpoint::parse(&server.url).map_err(|error| failed(error.to_string()))?;
    let mut headers = Headers::new();
    headers
        .set_bearer(&server.token)
        .map_err(|error| failed(error.to_string()))?;
    let asked = Asked {
        scraper: Scraper::new(&endpoint, &headers).map_err(|error| failed(error.to_string()))?,
        path: format!("/api/project/{}", server.project),
        run,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(error.to_string()))?;
    runtime.block_on(asked.window(&server, span))
}

struct Asked<'a> {
    scraper: Scraper<'a>,
    path: String,
    run: &'a str,
}

impl Asked<'_> {
    async fn window(&self, server: &Server, span: &Span) -> Result<Read, LogError> {
        let found = self.post("runs/get", &json!({"run_name": self.run})).await?;
        let (start_ms, end_ms) = span.ms();
        let mut scan = Scan::new(LogClock::new(span.zone.clone(), span.start), start_ms, end_ms);
        for submission in submissions(&found) {
            if was_there(submission, span) {
                self.logs(submission, span, &mut scan).await?;
                // Another job is another process.
                scan.finish();
            }
        }
        let mut read = Read::default();
        read.take(scan);
        read.service_url = service_url(&server.url, &found);
        read.incidents = terminations(&found, self.run, span);
        Ok(read)
    }

    async fn logs(&self, submission: &Value, span: &Span, scan: &mut Scan) -> Result<(), LogError> {
        let mut next: Option<String> = None;
        for _ in 0..PAGES {
            let question = json!({
                "run_name": self.run,
                "job_submission_id": submission["id"],
                "start_time": span.start.to_string(),
                "end_time": span.end.to_string(),
                "descending": false,
                "limit": PAGE,
                "next_token": next,
            });
            let answer = self.post("logs/poll", &question).await?;
            let logs = answer["logs"].as_array().map_or(&[][..], Vec::as_slice);
            for event in logs {
                let at: Option<Timestamp> = event["timestamp"].as_str().and_then(|text| text.parse().ok());
                if let (Some(at), Some(message)) = (at, event["message"].as_str()) {
                    scan.event(at.as_millisecond(), &decoded(message));
                }
            }
            let token = answer["next_token"].as_str().map(str::to_owned);
            if logs.is_empty() || token.is_none() || token == next {
                break;
            }
            next = token;
        }
        Ok(())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, LogError> {
        let failed = |reason: String, is_unknown| LogError::Dstack {
            run: clean(self.run, 100),
            reason,
            is_unknown,
        };
        let asked = self
            .scraper
            .post_json(&format!("{}/{path}", self.path), body)
            .await;
        let answer = asked.map_err(|error| match error {
            ClientError::Unauthorized { status, .. } => failed(
                format!("the server does not accept the token (HTTP {status})"),
                false,
            ),
            error => failed(error.to_string(), false),
        })?;
        match answer.status {
            200 => {
                serde_json::from_str(&answer.text).map_err(|_| failed("it answers no JSON".to_owned(), false))
            }
            _ => Err(failed(answer.reason, answer.text.contains("resource_not_exists"))),
        }
    }
}

/// Every submission of every job.
fn submissions(run: &Value) -> impl Iterator<Item = &Value> {
    let jobs = run["jobs"].as_array().into_iter().flatten();
    jobs.flat_map(|job| job["job_submissions"].as_array().into_iter().flatten())
}

fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Whether a submission ran in any part of the window.
fn was_there(submission: &Value, span: &Span) -> bool {
    moment(&submission["submitted_at"]).is_none_or(|at| at <= span.end)
        && moment(&submission["finished_at"]).is_none_or(|at| at >= span.start)
}

/// Why the run or one of its jobs ended, unless that was over before the window.
fn terminations(run: &Value, name: &str, span: &Span) -> Vec<Incident> {
    let source = format!("dstack:{}", clean(name, 100));
    submissions(run)
        .filter(|submission| was_there(submission, span))
        .filter_map(|submission| {
            let reason = submission["termination_reason"].as_str()?;
            let at =
                moment(&submission["finished_at"]).or_else(|| moment(&submission["last_processed_at"]))?;
            let words = submission["termination_reason_message"]
                .as_str()
                .unwrap_or_default();
            let exit = submission["exit_status"]
                .as_i64()
                .map(|code| format!(", exit status {code}"));
            Some(Incident {
                kind: IncidentKind::Terminated,
                at,
                last_at: at,
                count: 1,
                invalidates: at >= span.start && at <= span.end,
                message: format!(
                    "the job ended: {}{}",
                    clean(reason, 100),
                    exit.unwrap_or_default()
                ),
                source: Some(source.clone()),
                sample: (!words.is_empty()).then(|| sample(words)),
            })
        })
        .collect()
}

/// Where the service of a run answers. Without a gateway it is a path of the server.
fn service_url(server: &str, run: &Value) -> Option<String> {
    let url = run["service"]["url"].as_str().filter(|url| !url.is_empty())?;
    let url = match url.contains("://") {
        true => url.to_owned(),
        false => format!("{}/{}", server.trim_end_matches('/'), url.trim_start_matches('/')),
    };
    Some(clean(url.trim_end_matches('/'), 500))
}

/// The server: from the environment, else from dstack's own configuration.
fn server(project: Option<&str>) -> Result<Server, LogError> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let project = project.map(str::to_owned).or_else(|| variable("DSTACK_PROJECT"));
    if let (Some(url), Some(token)) = (variable("DSTACK_SERVER_URL"), variable("DSTACK_TOKEN")) {
        let project =
            project.ok_or_else(|| LogError::DstackConfig("DSTACK_PROJECT is not set".to_owned()))?;
        return Ok(Server { url, project, token });
    }
    let home = variable("HOME").ok_or_else(|| LogError::DstackConfig("HOME is not set".to_owned()))?;
    let path: PathBuf = [&home, ".dstack", "config.yml"].iter().collect();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| LogError::DstackConfig(format!("~/.dstack/config.yml: {error}")))?;
    configured(&text, project.as_deref())
}

fn configured(text: &str, project: Option<&str>) -> Result<Server, LogError> {
    // Its own message may quote the line, and with it a token.
    let config: Value = serde_saphyr::from_str(text)
        .map_err(|_| LogError::DstackConfig("~/.dstack/config.yml is no YAML".to_owned()))?;
    let projects = config["projects"].as_array().map_or(&[][..], Vec::as_slice);
    let is_meant = |entry: &&Value| match project {
        Some(name) => entry["name"] == name,
        None => entry["default"] == true,
    };
    let text = |entry: &Value, field: &str| entry[field].as_str().map(str::to_owned);
    let found = projects.iter().find(is_meant).and_then(|entry| {
        Some(Server {
            url: text(entry, "url")?,
            project: text(entry, "name")?,
            token: text(entry, "token")?,
        })
    });
    found.ok_or_else(|| {
        let which = project.map_or("default project".to_owned(), |name| {
            format!("project `{}`", clean(name, 100))
        });
        LogError::DstackConfig(format!("~/.dstack/config.yml has no {which} with url and token"))
    })
}

/// What base64 says, or the text itself where it is none.
fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_a_gateway_is_a_path_of_the_server() {
        let run = |url: &str| json!({"service": {"url": url}});
        for (server, url, expected) in [
            (
                "http://127.0.0.1:3000",
                "/proxy/services/main/r/",
                "http://127.0.0.1:3000/proxy/services/main/r",
            ),
            (
                "http://127.0.0.1:3000/",
                "proxy/services/main/r",
                "http://127.0.0.1:3000/proxy/services/main/r",
            ),
            (
                "http://127.0.0.1:3000",
                "https://r.example.com",
                "https://r.example.com",
            ),
        ] {
            assert_eq!(service_url(server, &run(url)).as_deref(), Some(expected));
        }
        assert_eq!(service_url("http://h", &json!({"service": null})), None);
    }

    #[test]
    fn the_default_project_or_the_named_one_is_taken() {
        let text = "projects:\n- {name: a, url: 'http://a', token: t1, default: false}\n- {name: b, url: 'http://b', token: t2, default: true}\n";
        assert_eq!(configured(text, None).unwrap().url, "http://b");
        assert_eq!(configured(text, Some("a")).unwrap().token, "t1");
        for (text, project) in [
            (text, Some("c")),
            ("", None),
            ("projects: 7", None),
            (": [", None),
        ] {
            assert!(
                matches!(configured(text, project), Err(LogError::DstackConfig(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn messages_are_base64_or_text() {
        assert_eq!(decoded("aGVsbG8K"), b"hello\n");
        assert_eq!(decoded("aGk="), b"hi");
        assert_eq!(decoded("not base64!"), b"not base64!");
        assert_eq!(decoded(""), b"");
    }

    #[test]
    fn a_job_that_ended_in_the_window_says_why() {
        let run = json!({"jobs": [{"job_submissions": [
            {"submitted_at": "2026-01-02T09:00:00Z", "finished_at": "2026-01-02T09:30:00Z", "termination_reason": "container_exited_with_error", "exit_status": 1},
            {"submitted_at": "2026-01-02T09:31:00Z", "finished_at": "2026-01-02T10:00:30Z", "termination_reason": "interrupted_by_no_capacity",
             "termination_reason_message": "spot\u{1b}[2J gone", "exit_status": null},
        ]}]});
        let span = Span {
            start: "2026-01-02T10:00:00Z".parse().unwrap(),
            end: "2026-01-02T10:01:00Z".parse().unwrap(),
            zone: jiff::tz::TimeZone::UTC,
        };
        let found = terminations(&run, "r", &span);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message, "the job ended: interrupted_by_no_capacity");
        assert_eq!(found[0].sample.as_deref(), Some("spot gone"));
        assert!(found[0].invalidates);
    }
}

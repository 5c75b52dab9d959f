//! One candidate: launched, asked who it is, measured on every scenario, stopped. Every ending is a row.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use capacity::model_config::ModelConfig;
use contracts::config_search::candidate::ScenarioResult;
use contracts::config_search::plan::{Framework, Plan, Scenario};
use contracts::metric::Metric;
use contracts::serve_bench::probe::ProbeData;
use contracts::{Finite, ToolError as _};
use engine_client::{Endpoint, Headers};
use engine_launch::{Environment, Launch, Running};
use serde_json::Value;

use crate::history;
use crate::launcher::{self, Cleanup, Place, Trial, failed, skipped};
use crate::leftover;
use crate::outcome;
use crate::plan::command;
use crate::prior;
use crate::reason::{self, Reason};

/// Pause between two looks at a measurement.
const PAUSE: Duration = Duration::from_millis(25);
/// How long a server may take to end by itself.
const GRACE: Duration = Duration::from_secs(20);
/// Seconds a server may take to answer, where the plan says nothing.
const READY_S: f64 = 600.0;
/// Times a scenario is measured on one launch, while other work on the machine spoils it.
const MEASUREMENTS: u32 = 3;
/// Largest log of a server.
const LOG_CAP: u64 = 256 << 20;
/// What is kept of a log that was larger.
const LOG_KEPT: u64 = 1 << 20;

/// What a candidate is measured with.
pub(crate) struct Bench<'a> {
    pub(crate) plan: &'a Plan,
    /// The model, where the plan names its configuration.
    pub(crate) model: Option<&'a ModelConfig>,
    /// Folder of the plan.
    pub(crate) base: &'a Path,
    pub(crate) metric: &'a Metric,
    /// Folder of the search.
    pub(crate) folder: &'a Path,
    pub(crate) serve_bench: &'a Path,
    /// When everything ends.
    pub(crate) deadline: Option<Instant>,
}

/// What is known of a candidate at its end.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) reason: Option<Reason>,
    pub(crate) argv: Vec<String>,
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) flags_accepted: Option<bool>,
    pub(crate) simulated: Option<bool>,
    pub(crate) results: Vec<ScenarioResult>,
    pub(crate) log_path: Option<String>,
    /// From launch to stop, without waiting for a place.
    pub(crate) wall_s: f64,
    queued_s: f64,
}

impl Bench<'_> {
    /// Tries a candidate.
    pub(crate) fn measure(
        &self,
        framework: &Framework,
        id: &str,
        params: &BTreeMap<String, Value>,
        fidelity: f64,
    ) -> Seen {
        let begun = Instant::now();
        let mut seen = Seen::default();
        let framework = &command::with_variables(framework, params);
        seen.reason = prior::refusal(self.plan, self.model, framework, params);
        if seen.reason.is_some() {
            return seen;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let ended = match runtime {
            Ok(runtime) => runtime.block_on(async {
                if framework.launcher.as_deref() == Some("url") {
                    self.standing(framework, id, fidelity, &mut seen).await
                } else {
                    self.launched(framework, id, params, fidelity, &mut seen).await
                }
            }),
            Err(error) => Err(skipped(
                "no-runtime",
                &error.to_string(),
                "raise the open-file limit: `ulimit -n 65536`",
            )),
        };
        seen.reason = ended.err();
        seen.wall_s = begun.elapsed().as_secs_f64() - seen.queued_s;
        seen
    }

    async fn standing(
        &self,
        framework: &Framework,
        id: &str,
        fidelity: f64,
        seen: &mut Seen,
    ) -> Result<(), Reason> {
        let url = framework.url.as_deref().unwrap_or_default();
        let endpoint =
            Endpoint::parse(url).map_err(|error| failed("url", &error.to_string(), "correct `url`"))?;
        let probe = engine_client::probe(&endpoint, &Headers::new())
            .await
            .map_err(|error| {
                failed(
                    error.code(),
                    &error.to_string(),
                    "start the server, or correct `url`",
                )
            })?;
        self.known(framework, &probe, seen)?;
        self.scenarios(url, id, fidelity, None, seen).await
    }

    async fn launched(
        &self,
        framework: &Framework,
        id: &str,
        params: &BTreeMap<String, Value>,
        fidelity: f64,
        seen: &mut Seen,
    ) -> Result<(), Reason> {
        let port = launcher::free_port()?;
        let trial = Trial {
            framework,
            params,
            id,
            name: launcher::unique_name(id, port),
            folder: self.folder,
        };
        self.declare(framework, id, params)?;
        let cleanup = launcher::cleanup(&trial);
        let place = self.place(&trial, cleanup.as_ref(), seen).await?;
        let prepared = launcher::prepare(&trial, place.as_ref(), port)?;
        seen.argv = contracts::argv::redacted(&prepared.argv);
        let endpoint = prepared.endpoint;
        let url = endpoint.to_string();
        let log = format!("logs/{id}.log");
        let log_path = self.folder.join(&log);
        seen.log_path = Some(log);
        let mark = format!("{}-{}-{port}", std::process::id(), id);
        let mut env = Environment::default();
        for (name, value) in &framework.env {
            let value = if value.is_empty() {
                std::env::var(name).unwrap_or_default()
            } else {
                value.clone()
            };
            env.set.insert(name.clone(), value);
        }
        env.set.insert(leftover::MARK.to_owned(), mark.clone());
        let ready_s = framework
            .ready_timeout_s
            .map_or(READY_S, Finite::get)
            .clamp(0.1, 86_400.0);
        let launch = Launch {
            argv: prepared.argv,
            env,
            dir: prepared.dir,
            endpoint: endpoint.clone(),
            headers: Headers::new(),
            log_path: log_path.clone(),
            ready_timeout: Duration::from_secs_f64(ready_s),
            grace: GRACE,
        };
        // A server that fills the disk before it answers is stopped as well: dropping the launch ends its group.
        let started = tokio::select! {
            biased;
            reason = self.disturbed(&log_path) => Err(reason),
            started = launch.start() => started.map_err(|error| launcher::of_launch(framework, &error)),
        };
        let mut running = match started {
            Ok(running) => running,
            Err(reason) => {
                seen.flags_accepted = (reason.code == "unknown-flag").then_some(false);
                leftover::end(&mark);
                let gone = gone(cleanup.as_ref()).await;
                cut(&log_path);
                // A launcher that reaches nothing cannot end anything, either: why it does not is the reason.
                return Err(match gone {
                    Err(left) if !launcher::is_its_own(&reason) => left,
                    _ => reason,
                });
            }
        };
        seen.flags_accepted = Some(true);
        let probe = running.probe().clone();
        let measured = match self.known(framework, &probe, seen) {
            Ok(()) => self.scenarios(&url, id, fidelity, Some(&mut running), seen).await,
            Err(reason) => Err(reason),
        };
        let evidence = running.stop().await;
        let left = leftover::end(&mark);
        gone(cleanup.as_ref()).await?;
        cut(&log_path);
        // What is left behind is worth more than a measurement that it may have spoilt.
        if measured
            .as_ref()
            .is_err_and(|reason| reason.code != history::INVALID)
        {
            return measured;
        }
        // What the launcher ended after the process may have held the port.
        let is_free = evidence.port_free || engine_launch::is_port_free(&endpoint);
        if !(evidence.pid_gone && is_free) {
            return Err(failed(
                "engine-not-stopped",
                &format!("process {} is not gone: {}", evidence.pid, evidence.status),
                "stop it by its id before the search goes on: it disturbs what comes after",
            ));
        }
        if left > 0 {
            return Err(failed(
                "leftover-process",
                &format!("it left {left} processes outside of its group; they were ended"),
                "let the command stay the parent of its workers: what it leaves disturbs what comes after",
            ));
        }
        measured
    }

    /// The place of a trial, waited for; nothing of it is left when there is none.
    async fn place(
        &self,
        trial: &Trial<'_>,
        cleanup: Option<&Cleanup>,
        seen: &mut Seen,
    ) -> Result<Option<Place>, Reason> {
        let begun = Instant::now();
        let reserved = tokio::select! {
            biased;
            reason = self.disturbed(Path::new("")) => Err(reason),
            reserved = launcher::reserve(trial) => reserved,
        };
        seen.queued_s = begun.elapsed().as_secs_f64();
        match reserved {
            Err(reason) if !launcher::is_its_own(&reason) => gone(cleanup).await.and(Err(reason)),
            reserved => reserved,
        }
    }

    /// The subject of what is measured next; without the port, which differs from launch to launch.
    fn declare(
        &self,
        framework: &Framework,
        id: &str,
        params: &BTreeMap<String, Value>,
    ) -> Result<(), Reason> {
        let argv = command::argv(framework, params).unwrap_or_default();
        crate::subject::write(&self.subject(id), framework, &argv).map_err(|error| {
            skipped(
                "subject-not-written",
                &error.to_string(),
                "make room, or name another folder with --dir",
            )
        })
    }

    fn subject(&self, id: &str) -> PathBuf {
        self.folder.join(format!("results/{id}.subject.json"))
    }

    /// Who answers, held against the plan.
    fn known(&self, framework: &Framework, probe: &ProbeData, seen: &mut Seen) -> Result<(), Reason> {
        seen.simulated = Some(probe.simulated);
        let version = probe.engine.version.clone().or_else(|| framework.version.clone());
        if let Some(version) = version {
            seen.versions.insert(
                probe.engine.kind.name().to_owned(),
                contracts::text::clean(&version, 80),
            );
        }
        let model = &self.plan.model;
        if probe
            .models
            .iter()
            .any(|name| *name == model.id || model.served_names.contains(name))
        {
            return Ok(());
        }
        let names: Vec<String> = probe
            .models
            .iter()
            .take(4)
            .map(|name| contracts::text::clean(name, 80))
            .collect();
        Err(failed(
            "wrong-model",
            &format!("it serves {}, not {}", names.join(", "), model.id),
            "serve the model of the plan, or list its name under `model.served_names`",
        ))
    }

    async fn scenarios(
        &self,
        url: &str,
        id: &str,
        fidelity: f64,
        mut running: Option<&mut Running>,
        seen: &mut Seen,
    ) -> Result<(), Reason> {
        for scenario in &self.plan.scenarios {
            let mut attempt = 1;
            let result = loop {
                let server = running.as_deref_mut();
                match self.scenario(scenario, url, id, fidelity, server).await {
                    // The server is up: to measure again costs less than to launch again.
                    Err(reason) if reason.code == history::INVALID && attempt < MEASUREMENTS => attempt += 1,
                    ended => break ended?,
                }
            };
            seen.results.push(result);
        }
        Ok(())
    }

    /// One measurement, watched.
    async fn scenario(
        &self,
        scenario: &Scenario,
        url: &str,
        id: &str,
        fidelity: f64,
        mut running: Option<&mut Running>,
    ) -> Result<ScenarioResult, Reason> {
        let document = format!("results/{id}.{}.json", scenario.name);
        let path = self.folder.join(&document);
        let mut child = tokio::process::Command::new(self.serve_bench)
            .args(self.arguments(scenario, url, id, &path, fidelity))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| skipped("serve-bench", &error.to_string(), "install serve-bench"))?;
        let log_path = running
            .as_ref()
            .map(|running| running.log_path().to_path_buf())
            .unwrap_or_default();
        let status = loop {
            died(running.as_deref_mut())?;
            tokio::select! {
                biased;
                reason = self.disturbed(&log_path) => return Err(reason),
                status = child.wait() => break status,
                () = tokio::time::sleep(PAUSE) => {}
            }
        };
        died(running)?;
        let code = status.ok().and_then(|status| status.code());
        outcome::read(self.metric, scenario, &path, document, code)
    }

    /// Ends when the work has to: Ctrl-C, the end of the budget, a log that grows beyond all bounds.
    async fn disturbed(&self, log: &Path) -> Reason {
        loop {
            if cli_kit::interrupted() {
                return skipped("interrupted", "the search was interrupted", "go on with --resume");
            }
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return skipped(
                    "budget-ended",
                    "the budget ended while it was measured",
                    "allow more time",
                );
            }
            if std::fs::metadata(log).is_ok_and(|log| log.len() > LOG_CAP) {
                return failed(
                    "log-too-large",
                    &format!("its log grew beyond {LOG_CAP} bytes"),
                    "lower its log level in `base_server_flags`",
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Arguments of `serve-bench`.
    fn arguments(
        &self,
        scenario: &Scenario,
        url: &str,
        id: &str,
        document: &Path,
        fidelity: f64,
    ) -> Vec<String> {
        let mut words: Vec<String> = ["run", "--url", url].map(str::to_owned).to_vec();
        words.extend(outcome::load(self.plan, scenario, self.base, fidelity));
        let subject = self.subject(id);
        if subject.exists() {
            words.extend(["--subject".to_owned(), subject.display().to_string()]);
        }
        words.extend(["--quiet", "--format", "json", "-o"].map(str::to_owned));
        words.push(document.display().to_string());
        words
    }
}

/// Ends what the launcher left elsewhere. What may still run there is worth more than a measurement.
async fn gone(cleanup: Option<&Cleanup>) -> Result<(), Reason> {
    match cleanup {
        Some(cleanup) => launcher::clean(cleanup).await,
        None => Ok(()),
    }
}

/// Whether the server is gone, with what its log says.
fn died(running: Option<&mut Running>) -> Result<(), Reason> {
    let Some(running) = running else { return Ok(()) };
    match running.exited() {
        Some(ending) => Err(reason::of_end("engine-died", &ending, &running.log_tail())),
        None => Ok(()),
    }
}

/// A log that grew too large keeps its beginning.
fn cut(log: &Path) {
    if std::fs::metadata(log).is_ok_and(|metadata| metadata.len() > LOG_CAP)
        && let Ok(file) = std::fs::OpenOptions::new().write(true).open(log)
    {
        // A log that cannot be cut is only large.
        let _ = file.set_len(LOG_KEPT);
    }
}

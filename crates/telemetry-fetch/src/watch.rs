//! A window around a command: readings before it, while it runs, and after it.

use std::os::fd::AsFd as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use cli_kit::{Failure, OutputArgs};
use contracts::telemetry_fetch::source::SourceKind;
use contracts::telemetry_fetch::window::CommandRun;
use contracts::text::clean;
use engine_client::Headers;
use jiff::Timestamp;
use tokio::process::{Child, Command};
use tokio::time::{Interval, MissedTickBehavior, interval_at, sleep};

use crate::beside;
use crate::cli::ServerArgs;
use crate::engine::{self, Server};
use crate::error::TelemetryError;
use crate::history::History;
use crate::observed::{Observed, ObservedSource};
use crate::plan::Meanwhile;
use crate::source::gpu::{Owners, Sampler};
use crate::source::graphsignal::local::Local;
use crate::source::graphsignal::signals::Answered;
use crate::source::metrics::{MetricsSource, reading};
use crate::source::otlp::Receiver;

/// How often Ctrl-C is looked for.
const LOOK: Duration = Duration::from_millis(50);
/// How long an interrupted command may take to write what it has.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// After so many readings their interval doubles, and after as many again: readings are kept until the window is folded.
const READINGS_A_PACE: u32 = 3600;
/// Most failed readings that are kept in words.
const MOST_FAILURES: usize = 1000;

/// Runs the command inside a window.
///
/// # Errors
/// When a server has no metrics, or the command cannot be started; a server that fails later is an incident.
pub(crate) fn around(
    servers: &ServerArgs,
    local: Option<&Local>,
    argv: &[String],
    every: Duration,
    meanwhile: Meanwhile,
    output: &OutputArgs,
) -> Result<Observed, Failure> {
    let (servers, headers) = if servers.url.is_empty() {
        (Vec::new(), Headers::new())
    } else {
        engine::servers(servers)?
    };
    // Without handlers Ctrl-C would end us before what was measured is written.
    cli_kit::install_interrupt().map_err(TelemetryError::Handlers)?;
    let bar = cli_kit::spinner("watching", output);
    let watched = watch(&servers, &headers, local, argv, every, meanwhile);
    let observed = engine::runtime()?.block_on(watched)?;
    bar.finish_and_clear();
    Ok(observed)
}

async fn watch(
    servers: &[Server],
    headers: &Headers,
    local: Option<&Local>,
    argv: &[String],
    every: Duration,
    meanwhile: Meanwhile,
) -> Result<Observed, TelemetryError> {
    let mut known = engine::nobody(None);
    let mut engine_url = None;
    let mut open = Vec::new();
    let mut engines = Vec::new();
    for Server { endpoint, role } in servers {
        let (source, _) = MetricsSource::open(endpoint, headers).await?;
        if source.kind == SourceKind::Metrics {
            engine_url.get_or_insert_with(|| endpoint.to_string());
            known.join(engine::ask(endpoint, headers, &source).await);
            engines.push(endpoint.clone());
        }
        let observed = ObservedSource {
            kind: source.kind,
            role: role.clone(),
            url: source.url(),
            history: History::default(),
            failures: Vec::new(),
        };
        open.push((source, observed));
    }
    let mut profiler = local.map(Profiler::of);
    if let Some(profiler) = &mut profiler {
        profiler.answers.push(profiler.local.read().await?.answered);
    }
    let receiver = match meanwhile.otlp {
        Some(plan) => Some((plan.wait, listen(plan.port).await?)),
        None => None,
    };
    let sampler = meanwhile.gpu.map(|every| {
        let (owners, unknown) = Owners::find(&engines);
        Sampler::start(every, owners, unknown)
    });
    // Only now: who the engine is took requests of our own.
    read_all(&mut open).await;
    let start_at = Timestamp::now();
    let mut child = start(argv)?;
    let mut pace = every;
    let mut ticks = paced(pace);
    let mut taken = 0;
    let mut interrupted = false;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.ok(),
            _ = ticks.tick() => {
                read_all(&mut open).await;
                if let Some(profiler) = &mut profiler {
                    profiler.read().await;
                }
                taken += 1;
                if taken % READINGS_A_PACE == 0 {
                    pace *= 2;
                    ticks = paced(pace);
                }
            }
            () = sleep(LOOK) => if cli_kit::interrupted() {
                interrupted = true;
                break end(&mut child).await;
            },
        }
    };
    let end_at = Timestamp::now();
    read_all(&mut open).await;
    if let Some(profiler) = &mut profiler {
        profiler.read().await;
    }
    let gpu = sampler.map(|sampler| sampler.and_then(Sampler::finish));
    let spans = match receiver {
        Some((wait, receiver)) => {
            let mut waited = Duration::ZERO;
            while waited < wait && !cli_kit::interrupted() {
                sleep(LOOK.min(wait - waited)).await;
                waited += LOOK;
            }
            Some(receiver.finish(start_at, end_at))
        }
        None => None,
    };
    let sources: Vec<ObservedSource> = open.into_iter().map(|(_, observed)| observed).collect();
    let moments = || sources.iter().flat_map(|source| &source.history.at).copied();
    let start_at = moments().chain([start_at]).min().unwrap_or(start_at);
    let end_at = moments().chain([end_at]).max().unwrap_or(end_at);
    let mut observed = Observed {
        command: Some(CommandRun {
            argv: without_secrets(argv),
            exit_code: status.and_then(|status| status.code()),
        }),
        interrupted,
        sources,
        gpu,
        spans,
        engine_url,
        interval: Some(every),
        ..Observed::of(known, start_at, end_at)
    };
    if let Some(profiler) = profiler {
        beside::add_local(
            profiler.local.url(),
            &profiler.answers,
            profiler.failures,
            &mut observed,
        );
    }
    Ok(observed)
}

/// Ticks that far apart, the first one as late.
fn paced(every: Duration) -> Interval {
    let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

/// Opens the port for spans and says where it is, which nobody else does when it was left to the system.
async fn listen(port: u16) -> Result<Receiver, TelemetryError> {
    let receiver = Receiver::open(port).await;
    let receiver = receiver.map_err(|source| TelemetryError::Listen { port, source })?;
    cli_kit::say(&format!(
        "telemetry-fetch: takes spans at http://{}/v1/traces, and as gRPC",
        receiver.address
    ));
    Ok(receiver)
}

async fn read_all(open: &mut [(MetricsSource<'_>, ObservedSource)]) {
    for (source, observed) in open {
        match source.read().await {
            Ok(payload) => observed.history.push(reading(&payload)),
            Err(error) => failed(&mut observed.failures, &error.to_string()),
        }
    }
}

/// Keeps a failure; beyond the bound it replaces the last one, which says until when readings failed.
fn failed(failures: &mut Vec<(Timestamp, String)>, why: &str) {
    failures.truncate(MOST_FAILURES - 1);
    failures.push((Timestamp::now(), clean(why, 300)));
}

/// Graphsignal's profiler, which is asked at the same moments.
struct Profiler<'a> {
    local: &'a Local,
    answers: Vec<Answered>,
    failures: Vec<(Timestamp, String)>,
}

impl<'a> Profiler<'a> {
    fn of(local: &'a Local) -> Profiler<'a> {
        Profiler {
            local,
            answers: Vec::new(),
            failures: Vec::new(),
        }
    }

    async fn read(&mut self) {
        match self.local.read().await {
            Ok(payload) => {
                let answer = payload.answered;
                // The first and the last payload of a base have what a profile grew by.
                if let [.., before, last] = self.answers.as_mut_slice()
                    && before.signals.start_ns == last.signals.start_ns
                    && last.signals.start_ns == answer.signals.start_ns
                {
                    last.forget_profiles();
                }
                self.answers.push(answer);
            }
            Err(error) => failed(&mut self.failures, &error.to_string()),
        }
    }
}

/// Its stdout goes to our stderr, because ours is the document's. A group of its own: Ctrl-C reaches us, and once only it.
fn start(argv: &[String]) -> Result<Child, TelemetryError> {
    let (program, arguments) = argv.split_first().expect("the plan has a command");
    let failed = |source| TelemetryError::Command {
        program: clean(program, 200),
        source,
    };
    let stderr = std::io::stderr().as_fd().try_clone_to_owned().map_err(failed)?;
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::from(stderr))
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)
}

/// Tells an interrupted command, and waits for what it still has to write.
async fn end(child: &mut Child) -> Option<ExitStatus> {
    let pid = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // Gone already is as good as told.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::INT);
    }
    if let Ok(status) = tokio::time::timeout(LAST_WORDS, child.wait()).await {
        return status.ok();
    }
    let _ = child.start_kill();
    child.wait().await.ok()
}

/// Words of an argv without the secrets in them.
fn without_secrets(argv: &[String]) -> Vec<String> {
    let shown = contracts::argv::redacted(argv);
    shown.iter().map(|word| clean(word, 2000)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_failure_is_kept_however_many_there_are() {
        let mut failures = vec![(Timestamp::UNIX_EPOCH, "early".to_owned()); MOST_FAILURES];
        failed(&mut failures, "gone for good");
        assert_eq!(failures.len(), MOST_FAILURES);
        assert_eq!(failures.first().map(|(_, why)| why.as_str()), Some("early"));
        assert_eq!(
            failures.last().map(|(_, why)| why.as_str()),
            Some("gone for good")
        );
    }

    #[test]
    fn a_secret_of_the_command_is_not_kept() {
        let argv = ["bench", "--api-key", "sk-12345678", "--url=x"].map(str::to_owned);
        let kept = without_secrets(&argv).join(" ");
        assert!(
            !kept.contains("sk-12345678") && kept.contains("--url=x"),
            "{kept}"
        );
    }
}

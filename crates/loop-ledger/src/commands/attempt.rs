//! `begin` and `end`: one hypothesis, one change, one verdict, and nothing left running.

use std::net::TcpListener;

use cli_kit::{Failure, Report};
use contracts::gap_decide::decision::Decision;
use contracts::loop_ledger::entry::Evidence;
use contracts::loop_ledger::event::{
    AttemptBegin, AttemptEnd, Charge, Cleanup, Event, Outcome, PidGone, PortFree,
};
use contracts::loop_ledger::phase::Phase;
use contracts::subject::Subject;
use contracts::{Exit, Finite, Warning};

use super::{receipt, said, typed};
use crate::accept::Refusal;
use crate::cli::{BeginArgs, EndArgs};
use crate::error::LedgerError;
use crate::ledger::{Root, Writer, objects};
use crate::rules;
use crate::state::State;

pub(crate) fn begin(root: &Root, args: &BeginArgs) -> Result<Report, Failure> {
    let mut writer = Writer::open(root)?;
    let mut evidence = Vec::new();
    let subject = match &args.subject {
        Some(path) => {
            let (subject, input, bytes): (Subject, _, _) = cli_kit::load_yaml_bytes(path, Subject::SCHEMA)?;
            if holds_secret(&subject) {
                return Err(Failure::new(
                    Exit::BadInput,
                    "secret-in-subject",
                    format!("{} holds the value of a secret", path.display()),
                )
                .hint("put it into the environment of the launch: name the variable under `env` with an empty value, and `serve-bench compare --swap` takes its value from its own environment"));
            }
            objects::put(root, &bytes).map_err(|error| LedgerError::io("store", path, &error))?;
            evidence.push(Evidence {
                path: input.path,
                sha256: input.sha256,
                bytes: input.bytes,
                schema: Some(Subject::SCHEMA.to_owned()),
                schema_sha256: None,
                stored: true,
            });
            Some(subject)
        }
        None => None,
    };
    let state = State::now(&writer.ledger);
    if let Some(need) = rules::missing(&state, args.kind.phase()).into_iter().next() {
        return Err(Refusal::Gate {
            action: format!("begin an attempt of kind {}", args.kind.name()),
            need: Box::new(need),
        }
        .into());
    }
    let gpus = writer.ledger.lock.target.hardware.gpu_count.unwrap_or(0);
    let charge = Charge {
        gpu_s: number("--gpu-s", args.gpu_s)?,
        spend_usd: number("--spend-usd", args.spend_usd)?,
    };
    if gpus > 0 && state.campaign.budget.gpu_s.is_some() && charge.gpu_s.is_none() {
        return Err(Failure::new(
            Exit::Usage,
            "charge-missing",
            "the campaign has a budget of GPU time: say with --gpu-s what this attempt is charged",
        )
        .hint("seconds times GPUs, the competitor's share included: --gpu-s 1200"));
    }
    if state.campaign.budget.spend_usd.is_some() && charge.spend_usd.is_none() {
        return Err(Failure::new(
            Exit::Usage,
            "charge-missing",
            "the campaign has a budget of money: say with --spend-usd what this attempt is charged",
        )
        .hint("what the machine costs for as long as the attempt takes: --spend-usd 4.50"));
    }
    said("--hypothesis", &args.hypothesis)?;
    said("--change", &args.change)?;
    let attempt = format!("a-{:04}", state.attempts.len() + 1);
    let launches = subject
        .as_ref()
        .filter(|subject| !subject.launch_argv.is_empty())
        .and_then(|subject| Some((state.best_argv()?, &subject.launch_argv)));
    let warnings = launches
        .and_then(|(before, now)| rules::change_differs(&args.change, before, now))
        .into_iter()
        .collect();
    let event = AttemptBegin {
        round: u32::try_from(state.attempts.len() + 1).unwrap_or(u32::MAX),
        hypothesis: typed(&args.hypothesis),
        change: typed(&args.change),
        kind: args.kind,
        predicted_pct: args.predicted_pct.and_then(Finite::new),
        subject,
        parent_subject: state.current_subject().map(str::to_owned),
        charge,
    };
    let entry = writer.append(Some(attempt), Event::AttemptBegin(event), evidence)?;
    Ok(receipt(&writer.ledger, vec![entry], false, warnings))
}

/// Whether a file that is stored whole shows a secret.
fn holds_secret(subject: &Subject) -> bool {
    let in_env = subject
        .env
        .iter()
        .any(|(name, value)| contracts::secret::is_secret(name) && !value.is_empty());
    let mut settings = serde_json::json!(subject.settings);
    in_env
        || contracts::argv::redacted(&subject.launch_argv) != subject.launch_argv
        || contracts::secret::redact(&mut settings).is_some()
}

fn number(flag: &str, value: Option<f64>) -> Result<Option<Finite>, Failure> {
    match value {
        Some(value) if !(value.is_finite() && value >= 0.0) => Err(Failure::new(
            Exit::Usage,
            "charge-negative",
            format!("{flag} {value} is no charge"),
        )
        .hint("a number from 0 on")),
        value => Ok(value.and_then(Finite::new)),
    }
}

pub(crate) fn end(root: &Root, args: &EndArgs) -> Result<Report, Failure> {
    let mut writer = Writer::open(root)?;
    let state = State::now(&writer.ledger);
    let Some(open) = state.open_attempt() else {
        let need = rules::missing(&state, Phase::Revalidate).into_iter().next();
        return Err(match need {
            Some(need) => Refusal::Gate {
                action: "end an attempt".to_owned(),
                need: Box::new(need),
            }
            .into(),
            None => Failure::new(Exit::GateNotMet, "no-attempt", "no attempt is open"),
        });
    };
    said("--learned", &args.learned)?;
    // What was interrupted need not know any more what it started.
    let has_named = !args.pid.is_empty() || !args.port.is_empty();
    if !state.served_at.is_empty() && !has_named && args.outcome != Outcome::Interrupted {
        return Err(unnamed(&state.served_at));
    }
    let cleanup = cleanup(args);
    if !cleanup.is_clean() && args.outcome != Outcome::Interrupted {
        return Err(left_running(&cleanup));
    }
    let attempt = open.id.to_owned();
    let improvement = rules::improvement(&state);
    match args.outcome {
        Outcome::Kept => rules::may_keep(&state)?,
        Outcome::Reverted if state.attempt_decision().is_none() => {
            return Err(Failure::new(
                Exit::GateNotMet,
                "revalidation-missing",
                "failed to end the attempt as reverted: nothing was measured in it",
            )
            .hint("append its comparison and decision first, or end it as failed"));
        }
        // Else no round would ever be weak: a change that was measured was judged.
        Outcome::Failed | Outcome::Interrupted if is_judged(&state) => {
            return Err(Failure::new(
                Exit::GateNotMet,
                "attempt-judged",
                format!(
                    "failed to end the attempt as {}: there is a verdict on its change",
                    args.outcome.name()
                ),
            )
            .hint("end it as kept or as reverted; a round that brings nothing counts as one"));
        }
        Outcome::Reverted | Outcome::Failed | Outcome::Interrupted => {}
    }
    let end = AttemptEnd {
        outcome: args.outcome,
        learned: typed(&args.learned),
        improvement_pct: improvement.and_then(Finite::new),
        cleanup,
        wall_s: Finite::new(state.now.duration_since(open.began_at).as_secs_f64().max(0.0))
            .unwrap_or_else(|| Finite::from(0)),
    };
    let warnings = busy_gpus(&end.cleanup).into_iter().collect();
    let entry = writer.append(Some(attempt), Event::AttemptEnd(end), Vec::new())?;
    Ok(receipt(&writer.ledger, vec![entry], false, warnings))
}

/// Memory that somebody holds: what the attempt started may still run under another pid.
fn busy_gpus(cleanup: &Cleanup) -> Option<Warning> {
    let busy: Vec<String> = cleanup
        .gpu_memory_used_bytes
        .iter()
        .flatten()
        .enumerate()
        .filter(|(_, bytes)| **bytes > crate::gpu::IDLE_MEMORY_MIB << 20)
        .map(|(index, bytes)| format!("GPU {index} holds {} MiB", bytes >> 20))
        .collect();
    (!busy.is_empty()).then(|| Warning {
        code: "gpu-busy".to_owned(),
        message: format!(
            "{}: look whether the attempt left something running that no --pid named",
            busy.join(", ")
        ),
    })
}

/// Whether the open attempt has a verdict that can tell.
fn is_judged(state: &State<'_>) -> bool {
    state
        .attempt_decision()
        .is_some_and(|(_, decision)| decision.decision != Decision::Repeat)
}

/// What the attempt left behind, looked at now.
fn cleanup(args: &EndArgs) -> Cleanup {
    Cleanup {
        pids: args
            .pid
            .iter()
            .map(|pid| PidGone {
                pid: *pid,
                gone: !is_alive(*pid),
            })
            .collect(),
        ports: args
            .port
            .iter()
            .map(|port| PortFree {
                port: *port,
                free: TcpListener::bind(("127.0.0.1", *port)).is_ok(),
            })
            .collect(),
        ..crate::gpu::look()
    }
}

/// Whether a process runs. A zombie has ended.
pub(crate) fn is_alive(pid: u32) -> bool {
    if let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
        return !state.starts_with(['Z', 'X']);
    }
    if cfg!(target_os = "linux") {
        return false;
    }
    let id = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    id.is_some_and(|id| rustix::process::test_kill_process(id).is_ok())
}

fn unnamed(ports: &[u16]) -> Failure {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    Failure::new(
        Exit::GateNotMet,
        "launch-unnamed",
        format!(
            "failed to end the attempt: ours was measured at port {}, and nothing says that its server is gone",
            ports.join(", ")
        ),
    )
    .hint("end what the attempt started, then name its pids with --pid or its ports with --port; what serve-bench launched itself (--swap) needs neither")
}

fn left_running(cleanup: &Cleanup) -> Failure {
    let pids = cleanup
        .pids
        .iter()
        .filter(|pid| !pid.gone)
        .map(|pid| format!("process {}", pid.pid));
    let ports = cleanup
        .ports
        .iter()
        .filter(|port| !port.free)
        .map(|port| format!("port {}", port.port));
    Failure::new(
        Exit::GateNotMet,
        "not-clean",
        format!(
            "failed to end the attempt: still there: {}",
            pids.chain(ports).collect::<Vec<_>>().join(", ")
        ),
    )
    .hint("end what the attempt started, by its pid, then the same command")
}

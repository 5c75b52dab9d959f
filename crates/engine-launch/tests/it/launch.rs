//! Every way a launch can go.

use std::path::Path;
use std::time::Duration;

use contracts::serve_bench::result::EngineKind;
use engine_client::{Endpoint, Headers};
use engine_launch::{Environment, Launch, LaunchError, free_port, is_port_free};

use crate::role::{ROLE, argv};

struct Place {
    directory: tempfile::TempDir,
    port: u16,
}

impl Place {
    fn new() -> Place {
        Place {
            directory: tempfile::tempdir().unwrap(),
            port: free_port().unwrap(),
        }
    }

    fn launch(&self, role: &str) -> Launch {
        let mut env = Environment::default();
        env.set
            .insert(ROLE.to_owned(), role.replace("{port}", &self.port.to_string()));
        Launch {
            argv: argv(),
            env,
            dir: None,
            endpoint: Endpoint::parse(&format!("http://127.0.0.1:{}", self.port)).unwrap(),
            headers: Headers::new(),
            log_path: self.directory.path().join("server.log"),
            ready_timeout: Duration::from_secs(20),
            grace: Duration::from_secs(10),
        }
    }
}

fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Whether a process runs whose environment holds the mark.
fn is_marked(mark: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
        // Not ours: the launched process alone has it.
        std::fs::read(process.path().join("environ"))
            .is_ok_and(|environ| String::from_utf8_lossy(&environ).contains(mark))
    })
}

async fn eventually(is_so: impl Fn() -> bool) -> bool {
    for _ in 0..500 {
        if is_so() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn a_server_is_started_identified_and_stopped() {
    let place = Place::new();
    let mut running = place.launch("serve {port}").start().await.unwrap();
    assert_eq!(running.probe().engine.kind, EngineKind::Vllm);
    assert!(is_running(running.pid()) && running.exited().is_none());
    assert!(!is_port_free(running.endpoint()));
    assert!(running.log_tail().iter().any(|line| line == "listening"));
    let (pid, endpoint) = (running.pid(), running.endpoint().clone());
    let evidence = running.stop().await;
    assert!(
        evidence.pid_gone && evidence.port_free && !evidence.killed,
        "{evidence:?}"
    );
    assert_eq!(evidence.status, "signal 15 (SIGTERM)");
    assert!(!is_running(pid) && is_port_free(&endpoint));
}

#[tokio::test]
async fn a_server_that_loads_is_waited_for() {
    let place = Place::new();
    let running = place.launch("serve-loading {port}").start().await.unwrap();
    let health = running
        .probe()
        .endpoints
        .iter()
        .find(|endpoint| endpoint.path == "/health")
        .unwrap();
    assert_eq!(health.status, Some(200));
    assert!(running.stop().await.pid_gone);
}

#[tokio::test]
async fn an_early_exit_tells_status_and_log_without_secrets() {
    let place = Place::new();
    let mut launch = place.launch("fail 3");
    launch
        .env
        .set
        .insert("HF_TOKEN".to_owned(), "hf_verysecret".to_owned());
    let error = launch.start().await.unwrap_err();
    assert_eq!(
        (error.code(), error.exit().code(), error.retryable()),
        ("engine-exited", 4, false)
    );
    let text = error.to_string();
    assert!(
        text.contains("exit status 3") && text.contains("CUDA out of memory, token is ***"),
        "{text}"
    );
    assert!(!text.contains("hf_verysecret") && !text.contains('\u{1b}'));
    assert!(error.hint().unwrap().contains("server.log"));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_and_ended() {
    let place = Place::new();
    let launch = Launch {
        ready_timeout: Duration::from_millis(300),
        ..place.launch("silent")
    };
    let error = launch.start().await.unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("engine-not-ready", true));
    assert!(error.to_string().contains("nothing listens"), "{error}");
}

#[tokio::test]
async fn a_taken_port_and_a_missing_program_are_told_at_once() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind(("127.0.0.1", place.port)).unwrap();
    let taken = place.launch("serve {port}").start().await.unwrap_err();
    assert_eq!((taken.code(), taken.exit().code()), ("port-in-use", 4));
    drop(listener);
    // Another port: a process that a parallel test starts holds the first one between its fork and its exec.
    let place = Place::new();
    let missing = Launch {
        argv: vec!["no-such-program-here".to_owned()],
        ..place.launch("")
    };
    let missing = missing.start().await.unwrap_err();
    assert_eq!(missing.code(), "engine-not-started");
    assert!(missing.hint().unwrap().contains("PATH"));
    let empty = Launch {
        argv: Vec::new(),
        ..place.launch("")
    }
    .start()
    .await
    .unwrap_err();
    assert_eq!((empty.code(), empty.exit().code()), ("empty-argv", 2));
    let nowhere = Launch {
        log_path: Path::new("/nowhere/server.log").to_owned(),
        ..place.launch("serve {port}")
    };
    assert_eq!(nowhere.start().await.unwrap_err().code(), "engine-log");
}

#[tokio::test]
async fn a_server_runs_in_the_folder_that_is_named() {
    let place = Place::new();
    let folder = place.directory.path().canonicalize().unwrap();
    let launch = Launch {
        argv: ["sh", "-c", "pwd; exit 3"].map(str::to_owned).to_vec(),
        dir: Some(folder.clone()),
        ..place.launch("")
    };
    let error = launch.start().await.unwrap_err();
    assert!(
        error.to_string().contains(&folder.display().to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_ignores_sigterm_is_killed_after_the_grace() {
    let place = Place::new();
    let launch = Launch {
        grace: Duration::from_millis(100),
        ..place.launch("serve-stubborn {port}")
    };
    let evidence = launch.start().await.unwrap().stop().await;
    assert!(
        evidence.killed && evidence.pid_gone && evidence.port_free,
        "{evidence:?}"
    );
    assert!(evidence.status.starts_with("signal 9"), "{evidence:?}");
}

#[tokio::test]
async fn workers_go_with_their_leader() {
    let place = Place::new();
    let running = place.launch("serve-with-worker {port}").start().await.unwrap();
    let worker = running
        .log_tail()
        .iter()
        .find_map(|line| line.strip_prefix("worker ")?.parse().ok())
        .unwrap();
    assert!(is_running(worker));
    let evidence = running.stop().await;
    assert!(evidence.pid_gone && !evidence.killed, "{evidence:?}");
    assert!(!is_running(worker));
}

#[tokio::test]
async fn a_dropped_server_and_an_abandoned_start_leave_nothing() {
    let place = Place::new();
    let running = place.launch("serve-with-worker {port}").start().await.unwrap();
    let worker = running
        .log_tail()
        .iter()
        .find_map(|line| line.strip_prefix("worker ")?.parse().ok())
        .unwrap();
    let pid = running.pid();
    drop(running);
    assert!(eventually(|| !is_running(pid) && !is_running(worker)).await);

    let other = Place::new();
    let mut launch = other.launch("silent");
    let mark = format!("{}", other.directory.path().display());
    launch
        .env
        .set
        .insert("ENGINE_LAUNCH_TEST_MARK".to_owned(), mark.clone());
    let mut start = Box::pin(launch.start());
    let waiting = tokio::time::timeout(Duration::from_millis(100), start.as_mut()).await;
    assert!(waiting.is_err());
    assert!(is_marked(&mark), "it runs while somebody waits for it");
    drop(start);
    assert!(
        eventually(|| !is_marked(&mark)).await,
        "no process of the abandoned start"
    );
}

#[tokio::test]
async fn the_environment_is_what_was_asked_for() {
    let place = Place::new();
    let mut launch = place.launch("print-environment {port}");
    launch.env.clear = true;
    launch.env.set.insert("ANSWER".to_owned(), "42".to_owned());
    let running = launch.start().await.unwrap();
    let tail = running.log_tail().join("\n");
    assert!(
        tail.contains("PATH is None") && tail.contains("ANSWER is Some(\"42\")"),
        "{tail}"
    );
    assert!(running.stop().await.pid_gone);
    let inherited = place.launch("print-environment {port}").start().await.unwrap();
    assert!(inherited.log_tail().join("\n").contains("PATH is Some"));
    assert!(inherited.stop().await.pid_gone);
}

#[tokio::test]
async fn a_server_that_dies_later_is_noticed() {
    let place = Place::new();
    let mut running = place.launch("serve {port}").start().await.unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(running.pid()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let mut status = None;
    for _ in 0..500 {
        status = running.exited();
        if status.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(status.unwrap().starts_with("signal 9"));
    let evidence = running.stop().await;
    assert!(evidence.pid_gone && evidence.port_free, "{evidence:?}");
}

#[test]
fn codes_are_unique() {
    let path = || Path::new("x").to_owned();
    let text = String::new;
    let errors = [
        LaunchError::EmptyArgv,
        LaunchError::Spawn {
            program: text(),
            reason: text(),
        },
        LaunchError::Log {
            path: path(),
            reason: text(),
        },
        LaunchError::PortInUse { url: text() },
        LaunchError::Exited {
            status: text(),
            log_tail: Vec::new(),
            log_path: path(),
        },
        LaunchError::NotReady {
            seconds: 1,
            reason: text(),
            log_tail: Vec::new(),
            log_path: path(),
        },
    ];
    let codes: std::collections::BTreeSet<&str> = errors.iter().map(LaunchError::code).collect();
    assert_eq!(codes.len(), errors.len());
    assert!(errors.iter().all(|error| error.hint().is_some()));
}

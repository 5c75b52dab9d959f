//! One side of a comparison: a server that is there, or a command that launches one for each run.

mod environment;

use cli_kit::Failure;
use contracts::serve_bench::compare::{LaunchEnv, Side as SideInfo};
use contracts::serve_bench::result::LoadInfo;
use contracts::subject::Subject;
use contracts::{Exit, Field, FieldSet, Warning, secret};
use engine_client::Endpoint;
use engine_launch::{Environment, LaunchError};

use crate::cli::{CompareArgs, RequestArgs};
use crate::identity::{self, Declared};
use crate::server::{Server, headers};
use crate::source::Selected;

/// Where a side's server comes from.
pub(crate) enum Origin {
    /// A server that is alive.
    Url(String),
    /// One launch a run.
    Launch { argv: Vec<String>, env: Environment },
}

/// How long a launched server may take to end by itself.
const STOP_GRACE: std::time::Duration = std::time::Duration::from_secs(30);

/// How often a launch looks whether Ctrl-C came.
const INTERRUPT_POLL: std::time::Duration = std::time::Duration::from_millis(50);

/// What was asked for of one side.
pub(crate) struct Side {
    pub(crate) letter: char,
    pub(crate) name: Option<String>,
    pub(crate) origin: Origin,
    pub(crate) request: RequestArgs,
    pub(crate) subject: Option<Subject>,
    pub(crate) ready_timeout_s: f64,
}

/// A side whose server answers now; a launched one is stopped by [`Alive::stop`], at the latest when dropped.
pub(crate) struct Alive {
    pub(crate) server: Server,
    running: Option<(tokio::runtime::Runtime, engine_launch::Running)>,
}

impl Side {
    /// Both sides of the flags.
    pub(crate) fn both(
        args: &CompareArgs,
        a_declared: &Declared,
        b_declared: &Declared,
    ) -> Result<(Side, Side), Failure> {
        let side = |letter,
                    url: &Option<String>,
                    command: &Option<String>,
                    name: &Option<String>,
                    declared: &Declared| {
            let subject = declared.subject.clone();
            let origin = match (url, command) {
                (Some(url), _) => Origin::Url(url.clone()),
                (None, Some(command)) => Origin::Launch {
                    argv: argv(letter, command)?,
                    env: environment::of_launch(letter, args.clear_env, subject.as_ref())?,
                },
                (None, None) => {
                    return Err(Failure::new(
                        Exit::Usage,
                        "side-missing",
                        format!("side {letter} has neither URL nor command"),
                    ));
                }
            };
            Ok(Side {
                letter,
                name: name.clone(),
                origin,
                request: args.request.clone(),
                subject,
                ready_timeout_s: args.ready_timeout,
            })
        };
        let a = side('a', &args.a, &args.a_cmd, &args.a_name, a_declared)?;
        let mut b = side('b', &args.b, &args.b_cmd, &args.b_name, b_declared)?;
        if args.b_model.is_some() {
            b.request.model.clone_from(&args.b_model);
        }
        Ok((a, b))
    }

    /// Makes the server answer: probes it, or launches it first.
    pub(crate) fn bring_up(&self) -> Result<Alive, Failure> {
        match &self.origin {
            Origin::Url(url) => Ok(Alive::standing(Server::connect(url, &self.request)?)),
            Origin::Launch { argv, env } => self.launch(argv, env),
        }
    }

    fn launch(&self, argv: &[String], env: &Environment) -> Result<Alive, Failure> {
        let launch_failure = |error: LaunchError| {
            let failure = Failure::new(
                error.exit(),
                error.code(),
                format!("side {}: {error}", self.letter),
            );
            match environment::hint(self.letter, env, &error).or_else(|| error.hint()) {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        };
        let headers = headers(&self.request)?;
        let port = engine_launch::free_port().map_err(|error| {
            Failure::new(
                Exit::Unavailable,
                "no-free-port",
                format!("no free port on loopback: {error}"),
            )
        })?;
        let url = format!("http://127.0.0.1:{port}");
        let argv: Vec<String> = argv
            .iter()
            .map(|word| word.replace(PORT, &port.to_string()))
            .collect();
        let log_path =
            std::env::temp_dir().join(format!("serve-bench-{}-{}.log", std::process::id(), self.letter));
        // The server's pipes and its health checks live as long as the run, so the runtime does too.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(
                    Exit::Unavailable,
                    "no-runtime",
                    format!("cannot start the I/O runtime: {error}"),
                )
            })?;
        let endpoint = Endpoint::parse(&url)?;
        let launch = engine_launch::Launch {
            argv,
            env: env.clone(),
            dir: None,
            endpoint: endpoint.clone(),
            headers: headers.clone(),
            log_path,
            ready_timeout: ready_timeout(self.ready_timeout_s),
            grace: STOP_GRACE,
        };
        let started = runtime.block_on(unless(cli_kit::interrupted, launch.start()));
        let running = started
            .ok_or_else(|| {
                Failure::new(
                    Exit::Interrupted,
                    "launch-interrupted",
                    format!(
                        "interrupted while side {} started; its process group is ended",
                        self.letter
                    ),
                )
            })?
            .map_err(launch_failure)?;
        let probe = running.probe().clone();
        let server = Server::new(endpoint, headers, probe, self.request.model.as_deref(), &url)?;
        Ok(Alive {
            server,
            running: Some((runtime, running)),
        })
    }

    /// What the document says of this side, from a server that answered.
    pub(crate) fn info(
        &self,
        server: &Server,
        declared: &Declared,
        selected: &Selected,
        load: &LoadInfo,
        warnings: &mut Vec<Warning>,
    ) -> SideInfo {
        let requests: Vec<_> = selected.requests.iter().collect();
        let contract: FieldSet = identity::contract(
            declared,
            selected.model.as_deref(),
            selected.tokenizer.as_deref(),
            &selected.info.request_stream_sha256,
            load,
            identity::sampling(&selected.info.endpoint, &requests),
            Field::observed(server.probe.simulated),
        );
        SideInfo {
            name: self
                .name
                .clone()
                .unwrap_or_else(|| server.probe.engine.kind.name().to_owned()),
            target: server.target(declared.model(selected.model.as_deref())),
            contract,
            subject: identity::subject(self.subject.as_ref(), &server.probe, warnings),
            launch_argv: match &self.origin {
                Origin::Url(_) => None,
                Origin::Launch { argv, .. } => Some(contracts::argv::redacted(argv)),
            },
            launch_env: match &self.origin {
                Origin::Url(_) => None,
                Origin::Launch { env, .. } if env.clear => Some(LaunchEnv::Cleared),
                Origin::Launch { .. } => Some(LaunchEnv::Inherited),
            },
        }
    }
}

impl Alive {
    /// A server that was there before us and stays.
    pub(crate) fn standing(server: Server) -> Alive {
        Alive {
            server,
            running: None,
        }
    }

    /// Stops a launched server by its pid and checks that it is gone; a server that was there stays.
    pub(crate) fn stop(self) -> Result<(), Failure> {
        let Some((runtime, running)) = self.running else {
            return Ok(());
        };
        let evidence = runtime.block_on(running.stop());
        if evidence.pid_gone && evidence.port_free {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Unavailable,
            "engine-not-stopped",
            format!(
                "the launched server (pid {}) is not gone: {}",
                evidence.pid, evidence.status
            ),
        )
        .hint("what is left of it would disturb the other side; stop it by its pid"))
    }
}

/// `--ready-timeout`, between a moment and a day; what is no number is a day.
fn ready_timeout(seconds: f64) -> std::time::Duration {
    let day = std::time::Duration::from_secs(86_400);
    std::time::Duration::try_from_secs_f64(seconds.clamp(0.1, 86_400.0)).unwrap_or(day)
}

/// The work, or `None` as soon as it is interrupted: the work is dropped then, and a launch that is dropped takes its
/// process group with it.
async fn unless<T>(is_interrupted: impl Fn() -> bool, work: impl Future<Output = T>) -> Option<T> {
    let interrupted = async {
        while !is_interrupted() {
            tokio::time::sleep(INTERRUPT_POLL).await;
        }
    };
    tokio::select! {
        // Nothing is started any more after Ctrl-C.
        biased;
        () = interrupted => None,
        done = work => Some(done),
    }
}

/// A launch command: one JSON array of strings, never a shell string, with a place for the port that is chosen.
fn argv(letter: char, text: &str) -> Result<Vec<String>, Failure> {
    let bad = |why: &str| {
        Failure::new(
            Exit::Usage,
            "bad-argv",
            format!("cannot launch side {letter} with this --{letter}-cmd: {why}"),
        )
    };
    let example = format!(r#"for example --{letter}-cmd '["engine-sim", "--port", "{{port}}"]'"#);
    // What serde says may repeat a value.
    let Ok(argv) = serde_json::from_str::<Vec<String>>(text) else {
        return Err(bad("it is not a JSON array of strings").hint(example));
    };
    if argv.first().is_none_or(String::is_empty) {
        return Err(bad("it is empty").hint(example));
    }
    if argv.iter().any(|word| word.contains(secret::REDACTED)) {
        return Err(bad("it has the mark that documents show instead of a secret").hint(
            "put the secret into the environment: name its variable under `env` of the subject file with an empty value, and the value is taken from this shell",
        ));
    }
    if !argv.iter().any(|word| word.contains(PORT)) {
        return Err(bad("it has no {port}, so its server would listen somewhere else").hint(example));
    }
    Ok(argv)
}

/// What becomes the port of a launch.
const PORT: &str = "{port}";

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (Exit, String, String) {
        let failure = argv('b', text).unwrap_err();
        assert_eq!(failure.document.code, "bad-argv");
        (
            failure.exit,
            failure.document.message,
            failure.document.hint.unwrap(),
        )
    }

    #[test]
    fn a_launch_command_has_words_and_a_place_for_the_port() {
        assert_eq!(argv('b', r#"["serve","--port={port}"]"#).unwrap().len(), 2);
        for text in ["serve --port 1", "[]", r#"[""]"#, r#"["serve"]"#] {
            let (exit, message, hint) = refused(text);
            assert_eq!(exit, Exit::Usage);
            assert!(
                message.contains("--b-cmd") && hint.contains("--b-cmd"),
                "{message} {hint}"
            );
        }
    }

    #[test]
    fn a_launch_from_a_document_without_its_secret_says_where_the_secret_goes() {
        let (_, message, hint) = refused(r#"["serve","--api-key","<secret>","--port","{port}"]"#);
        assert!(message.contains("instead of a secret"), "{message}");
        assert!(hint.contains("empty value"), "{hint}");
    }

    #[test]
    fn a_time_to_be_ready_of_any_number_is_no_panic() {
        for (seconds, millis) in [
            (0.0, 100),
            (2.0, 2000),
            (1e300, 86_400_000),
            (f64::NAN, 86_400_000),
        ] {
            assert_eq!(ready_timeout(seconds).as_millis(), millis, "{seconds}");
        }
    }

    #[tokio::test]
    async fn an_interrupted_launch_is_dropped() {
        struct Launched<'a>(&'a std::cell::Cell<bool>);
        impl Drop for Launched<'_> {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let (looks, is_ended) = (std::cell::Cell::new(0), std::cell::Cell::new(false));
        let interrupted = || looks.replace(looks.get() + 1) > 0;
        let launch = async {
            let _guard = Launched(&is_ended);
            std::future::pending::<()>().await;
        };
        assert_eq!(unless(interrupted, launch).await, None);
        assert!(is_ended.get(), "what it had started is gone");
        assert_eq!(unless(|| false, async { 7 }).await, Some(7));
        let never = async { panic!("nothing starts after Ctrl-C") };
        assert_eq!(unless(|| true, never).await, None::<()>);
    }
}

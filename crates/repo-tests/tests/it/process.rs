//! The built binaries as processes: found beside the test, run with a limit, simulated engines stopped when a test ends.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest a process may take: far above what any takes, so that a hang is a failed test and no hung suite.
const LIMIT: Duration = Duration::from_secs(60);

/// Where `cargo test --workspace` puts the binaries: above the `deps` folder of this test.
pub(crate) fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let found = test
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "{name} is not built: run `cargo build -p {name}`, or `cargo test --workspace`, which builds all"
        )
    })
}

/// How a process ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The beginnings are enough to see what went wrong; a whole document would bury it.
impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = |text: &str| text.chars().take(800).collect::<String>();
        write!(
            f,
            "{}\nstdout: {}\nstderr: {}",
            self.status,
            start(&self.stdout),
            start(&self.stderr)
        )
    }
}

impl Ended {
    /// The exit code; a signal is a failure of the test.
    pub(crate) fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| panic!("ended by a signal: {self:?}"))
    }

    /// The document on stdout.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no document on stdout ({error}): {self:?}"))
    }

    /// Asserts a documented ending without a document of the tool: exit, code, and a hint that has the words.
    pub(crate) fn fails(&self, exit: i32, code: &str, hint: &str) {
        assert_eq!(self.code(), exit, "{self:?}");
        assert!(self.stderr.contains(&format!("error[{code}]: ")), "{self:?}");
        let said = self.stderr.lines().find_map(|line| line.strip_prefix("hint: "));
        assert!(
            said.is_some_and(|said| said.contains(hint)),
            "the hint lacks `{hint}`: {self:?}"
        );
        let document = self.document();
        assert_eq!(document["schema"], "error/1");
        assert_eq!(document["code"], code);
        crate::documents::check("an error on stdout", &document);
    }
}

/// A running process whose output is collected.
pub(crate) struct Running {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Running {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A shell in which the agent's sandbox has no network must not decide what is tested.
            .env_remove("CODEX_SANDBOX_NETWORK_DISABLED")
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = collect(child.stdout.take().expect("stdout is piped"));
        let stderr = collect(child.stderr.take().expect("stderr is piped"));
        Running {
            child,
            stdout,
            stderr,
        }
    }

    /// Ctrl-C, once the process has said that it wants to hear of it.
    pub(crate) fn interrupt(&self) {
        let begun = Instant::now();
        while !self.catches_interrupt() {
            assert!(begun.elapsed() < LIMIT, "it never listens to Ctrl-C");
            std::thread::sleep(Duration::from_millis(5));
        }
        let sent = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -INT {}", self.child.id()))
            .status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    fn catches_interrupt(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        // SIGINT is signal 2, the second bit.
        caught.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 2 != 0))
    }

    pub(crate) fn end(self) -> Ended {
        self.end_within(LIMIT)
    }

    /// The same for what measures again when other work on this machine disturbed it.
    pub(crate) fn end_within(mut self, limit: Duration) -> Ended {
        let started = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("the child can be waited for") {
                Some(status) => break status,
                None if started.elapsed() > limit => {
                    let _ = self.child.kill();
                    panic!("still running after {limit:?}");
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        Ended {
            status,
            stdout: self.stdout.join().expect("a reader does not panic"),
            stderr: self.stderr.join().expect("a reader does not panic"),
        }
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Runs a tool to its end; stdout gets JSON, as it is no terminal.
pub(crate) fn run<S: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = S>) -> Ended {
    Running::start(Command::new(binary(name)).args(arguments)).end()
}

/// Runs a tool after shell commands that change its limits.
pub(crate) fn run_limited(limits: &str, name: &str, arguments: &[&str]) -> Ended {
    let script = format!("{limits}; exec \"$0\" \"$@\"");
    shell(&script, name, arguments)
}

/// Runs a tool with a limit on memory, and gives the CPU seconds it took beside its ending.
pub(crate) fn run_counted(name: &str, arguments: &[&str]) -> (Ended, f64) {
    let script = "ulimit -v 4000000; \"$0\" \"$@\"; code=$?; times >&2; exit $code";
    let ended = shell(script, name, arguments);
    // The last line of `times` has user and system time of what the shell ran, as `0m0.030s 0m0.010s`.
    let last = ended.stderr.lines().last().unwrap_or_default();
    let seconds = last.split_whitespace().map(|time| {
        let (minutes, seconds) = time
            .trim_end_matches('s')
            .split_once('m')
            .expect("times prints 0m0.0s");
        60.0 * minutes.parse::<f64>().unwrap() + seconds.parse::<f64>().unwrap()
    });
    let seconds = seconds.sum();
    (ended, seconds)
}

fn shell(script: &str, name: &str, arguments: &[&str]) -> Ended {
    Running::start(
        Command::new("sh")
            .arg("-c")
            .arg(script)
            .arg(binary(name))
            .args(arguments),
    )
    .end()
}

/// A simulated engine, killed when it goes out of scope.
pub(crate) struct Sim {
    child: Child,
    pub(crate) url: String,
}

impl Sim {
    /// Starts one with a script and waits until it says where it listens.
    pub(crate) fn script(script: &str) -> Sim {
        Sim::engine(&["--script", script])
    }

    /// Starts one with any arguments and waits until it says where it listens.
    pub(crate) fn engine(arguments: &[&str]) -> Sim {
        let mut child = Command::new(binary("engine-sim"))
            .args(arguments)
            .args(["--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("engine-sim starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        let read = BufReader::new(stdout).read_line(&mut line);
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("engine-sim is not ready ({read:?}, {error}): {line}"));
        Sim {
            child,
            url: ready["url"].as_str().expect("a ready line has a url").to_owned(),
        }
    }

    /// A few milliseconds a request.
    pub(crate) fn quick() -> Sim {
        Sim::script(r#"{"defaults": {"ttft_ms": 20, "itl_ms": 1}}"#)
    }

    pub(crate) fn port(&self) -> &str {
        self.url
            .rsplit(':')
            .next()
            .expect("a URL of a simulated engine has a port")
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port on which nobody listens.
pub(crate) fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("a listener has an address").port()
}

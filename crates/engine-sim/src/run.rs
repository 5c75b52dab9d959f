//! A server on this thread until it is told to stop, or on a thread of its own for tests.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use cli_kit::{Failure, Report};
use contracts::engine_sim::{Identity, READY_SCHEMA, Ready, Script};

use crate::api::Served;
use crate::cli::Args;
use crate::engine::Noise;
use crate::flavor::Flavor;
use crate::server::{EngineSetup, ProfileSetup, Server, Setup, Stopper};
use crate::{SimError, script};

/// Serves as the arguments say; returns only when the server cannot start or fails.
///
/// # Errors
/// Every [`SimError`].
pub fn run(args: Args) -> Result<Report, Failure> {
    let setup = setup(&args)?;
    raise_open_files();
    let address = SocketAddr::new(args.address()?, args.port);
    let mut server = bind(address, setup)?;
    stop_on_signals(&server).map_err(SimError::Serve)?;
    announce(&server).map_err(SimError::Serve)?;
    server.run().map_err(SimError::Serve)?;
    // The log ends with what was left to write.
    drop(server);
    // Serving is all there is to report, and the ready line has been printed.
    std::process::exit(0)
}

/// What the arguments ask for: a script, or an engine.
fn setup(args: &Args) -> Result<Setup, SimError> {
    if let Some(script) = &args.script {
        return scripted(script::load(script)?);
    }
    let mut launch = args.launch().inspect_err(|error| {
        // First as the engine prints it, for whoever looks for that line; the error of this tool follows.
        if matches!(error, SimError::EngineUsage { .. } | SimError::OutOfMemory { .. }) {
            cli_kit::say(&error.to_string());
        }
    })?;
    let profile = ProfileSetup {
        folder: args.profile_folder(launch.flavor),
        layers: args.profile_layers,
    };
    if launch.flavor == Flavor::Vllm {
        // Where vLLM's own settings name the folder, which no request can.
        launch.server_args["profiler_config"] =
            serde_json::json!({"profiler": "torch", "torch_profiler_dir": profile.folder});
    }
    let script = Script {
        api_key: launch.api_key.clone(),
        ..Script::default()
    };
    let served = Served {
        model: launch.served_model.clone(),
        identity: match launch.flavor {
            Flavor::Sglang => Identity::Sglang,
            Flavor::Vllm => Identity::Vllm,
        },
        version: launch.version.to_owned(),
        context_tokens: launch.context,
        server_args: launch.server_args.clone(),
        internal: serde_json::json!({}),
    };
    let engine = EngineSetup {
        stretch: 1.0 + args.slowdown / 100.0,
        noise: Noise::new(args.seed, args.noise_cv / 100.0),
        quiet: args.output.quiet,
        profile,
        launch,
    };
    Ok(Setup {
        script,
        answers: None,
        served,
        engine: Some(engine),
    })
}

fn scripted(script: Script) -> Result<Setup, SimError> {
    Ok(Setup {
        served: script::served(&script),
        answers: script.answers.clone().map(script::answer_book).transpose()?,
        script,
        engine: None,
    })
}

fn bind(address: SocketAddr, setup: Setup) -> Result<Server, SimError> {
    Server::bind(address, setup).map_err(|source| SimError::Bind { address, source })
}

fn announce(server: &Server) -> io::Result<()> {
    let address = server.address();
    let ready = Ready {
        schema: READY_SCHEMA.to_owned(),
        url: format!("http://{address}"),
        port: address.port(),
        pid: std::process::id(),
        model: server.model().to_owned(),
        simulated: true,
    };
    let mut line = serde_json::to_vec(&ready)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    match stdout.write_all(&line).and_then(|()| stdout.flush()) {
        // Whoever started it knows the port already.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The first signal asks for an orderly end, the second one ends the process.
fn stop_on_signals(server: &Server) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let Stopper { soon, waker, .. } = server.stopper();
    let (mut woken, wakes) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&soon))?;
        signal_hook::flag::register(signal, Arc::clone(&soon))?;
        signal_hook::low_level::pipe::register(signal, OwnedFd::from(wakes.try_clone()?))?;
    }
    // A signal handler may only write to a pipe; this thread turns that into a wake-up of the poll.
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            use io::Read as _;
            let mut byte = [0; 1];
            while woken.read_exact(&mut byte).is_ok() {
                if waker.wake().is_err() {
                    return;
                }
            }
        })?;
    Ok(())
}

/// A thousand streams need a thousand descriptors, and the default is just about that.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Best effort: with fewer descriptors the server accepts fewer connections at a time.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
}

/// A scripted server on a thread of its own; it stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`SimError::Bind`], or [`SimError::Serve`] when no thread can be had.
    pub fn start(script: Script) -> Result<Running, SimError> {
        Running::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), script)
    }

    /// Starts on an address.
    ///
    /// # Errors
    /// As [`Running::start`].
    pub fn start_at(address: SocketAddr, script: Script) -> Result<Running, SimError> {
        let mut server = bind(address, scripted(script)?)?;
        let stopper = server.stopper();
        let address = server.address();
        let thread = std::thread::Builder::new()
            .name("engine-sim".to_owned())
            .spawn(move || {
                // The poll fails only when the process is out of resources; clients then see closed connections.
                let _ = server.run();
            })
            .map_err(SimError::Serve)?;
        Ok(Running {
            address,
            stopper,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Base URL without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.now.store(true, Ordering::Release);
        let _ = self.stopper.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

//! `/start_profile` and `/stop_profile` as the engines answer them.
//!
//! SGLang takes a JSON body, by GET as well as POST, and fails with a bare 500 where the scheduler refuses
//! (`tokenizer_communicator_mixin.py`, main of 2026). vLLM takes no body and ignores what it cannot do
//! (`profiler/wrapper.py`, main of 2026).

use std::io;
use std::path::{Path, PathBuf};

use contracts::engine_sim::Identity;
use serde_json::json;

use super::core::Core;
use super::serve::Server;
use crate::api::ApiError;
use crate::flavor::Flavor;
use crate::http::{Answer, Request};
use crate::profile::{Ask, Reached, Scene, Session, Started, StepRecord, check_folder, write};

/// Where traces go, and how detailed they are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ProfileSetup {
    /// Folder of traces for which none is asked.
    pub(crate) folder: PathBuf,
    /// Layers of a step in a trace.
    pub(crate) layers: u64,
}

/// The profiler of an engine.
#[derive(Debug)]
pub(super) struct Profiler {
    session: Session,
    scene: Scene,
    folder: PathBuf,
}

impl Profiler {
    pub(super) fn new(setup: ProfileSetup, flavor: Flavor, model: &str, hardware: &'static str) -> Profiler {
        Profiler {
            session: Session::default(),
            scene: Scene {
                flavor,
                model: model.to_owned(),
                hardware,
                layers: setup.layers,
            },
            folder: setup.folder,
        }
    }

    fn folder<'a>(&'a self, ask: &'a Ask) -> &'a Path {
        ask.folder.as_deref().unwrap_or(&self.folder)
    }

    /// Name without ending, and the ending.
    fn file_name(&self, started: &Started, stage: Option<&str>) -> (String, &'static str) {
        match self.scene.flavor {
            Flavor::Sglang => {
                let prefix = started
                    .ask
                    .prefix
                    .as_ref()
                    .map_or(String::new(), |prefix| format!("{prefix}-"));
                let stage = stage.map_or(String::new(), |stage| format!("-{stage}"));
                (format!("{prefix}{}-TP-0{stage}", started.id), ".trace.json.gz")
            }
            Flavor::Vllm => (
                format!("dp0_pp0_tp0_dcp0_ep0_rank0.{}", started.id),
                ".pt.trace.json.gz",
            ),
        }
    }

    fn write(&self, started: &Started, reached: &Reached) -> io::Result<PathBuf> {
        let (name, ending) = self.file_name(started, reached.stage);
        let folder = self.folder(&started.ask);
        write(
            &self.scene,
            &started.ask,
            &reached.recording,
            folder,
            &name,
            ending,
        )
    }
}

impl Core {
    /// Keeps a step if one is asked for; the trace that it completes is written before the next step begins, as in
    /// SGLang.
    pub(super) fn profile_step(&mut self, step: StepRecord) {
        let layers = self.profiler.scene.layers;
        if let Some((started, reached)) = self.profiler.session.step(step, layers) {
            let written = self.profiler.write(&started, &reached);
            self.log_written(reached.stage, written);
        }
    }

    fn log_written(&self, stage: Option<&str>, written: io::Result<PathBuf>) {
        let stage = stage.map_or(String::new(), |stage| format!("-{stage}"));
        self.log.line(&format!("Stop profiling{stage}..."));
        self.log.line(&match written {
            Ok(path) => format!("Profiling done. Traces are saved to: {}", path.display()),
            Err(error) => format!("Failed to export the trace: {error}"),
        });
    }
}

impl Server {
    /// Answers the two endpoints; `None` for every other path, and where no engine is simulated.
    pub(super) fn profile_control(&mut self, request: &Request, authorized: bool) -> Option<Answer> {
        let start = match request.path.as_str() {
            "/start_profile" => true,
            "/stop_profile" => false,
            _ => return None,
        };
        let unix_ns = self.clock.unix_ns();
        let core = self.core.as_mut()?;
        Some(match (core.launch.flavor, request.method.as_str(), start) {
            // SGLang's key protects all of its endpoints, vLLM's those below /v1.
            (Flavor::Sglang, ..) if !authorized => ApiError::Unauthorized.answer(Identity::Sglang),
            (Flavor::Sglang, "GET" | "POST", true) => core.start_sglang(&request.body, unix_ns),
            (Flavor::Sglang, "GET" | "POST", false) => core.stop_sglang(),
            (Flavor::Sglang, ..) => ApiError::Method.answer(Identity::Sglang),
            (Flavor::Vllm, "POST", true) => core.start_vllm(unix_ns),
            (Flavor::Vllm, "POST", false) => core.stop_vllm(),
            (Flavor::Vllm, ..) => ApiError::Method.answer(Identity::Vllm),
        })
    }
}

/// What starlette answers when the handler raises; the reason is in the log only.
fn internal_error() -> Answer {
    Answer::text(500, "Internal Server Error")
}

/// A folder that cannot be written ends the real scheduler; a simulated one says so and lives.
fn unwritable(folder: &Path, error: &io::Error) -> Answer {
    Answer::text(
        500,
        format!(
            "engine-sim cannot write traces to {}: {error}\n",
            folder.display()
        ),
    )
}

impl Core {
    fn start_sglang(&mut self, body: &[u8], unix_ns: u64) -> Answer {
        let ask = match Ask::parse(body) {
            Ok(ask) => ask,
            Err(reason) => {
                return Answer::json(422, &json!({"detail": [{"type": "value_error", "msg": reason}]}));
            }
        };
        if self.profiler.session.is_running() {
            self.log
                .line("RuntimeError: Profiling is already in progress. Call /stop_profile first.");
            return internal_error();
        }
        let folder = self.profiler.folder(&ask).to_owned();
        if let Err(error) = check_folder(&folder) {
            return unwritable(&folder, &error);
        }
        // Python's `str(time.time())`.
        let id = format!("{}.{:07}", unix_ns / 1_000_000_000, unix_ns % 1_000_000_000 / 100);
        self.log.line(&format!(
            "Profiling starts. Traces will be saved to: {} (with profile id: {id})",
            folder.display()
        ));
        self.profiler.session.start(ask, id);
        Answer::text(200, "Start profiling.\n")
    }

    fn stop_sglang(&mut self) -> Answer {
        let running = self.profiler.session.is_running();
        let Some((started, parts)) = self.profiler.session.stop().filter(|_| running) else {
            self.log
                .line("RuntimeError: Profiling is not in progress. Call /start_profile first.");
            return internal_error();
        };
        match self.write_all(&started, &parts) {
            Ok(()) => Answer::text(200, "Stop profiling. This will take some time.\n"),
            Err(error) => unwritable(self.profiler.folder(&started.ask), &error),
        }
    }

    fn start_vllm(&mut self, unix_ns: u64) -> Answer {
        self.log.line("[api_router.py:24] Starting profiler...");
        if !self.profiler.session.is_running() {
            let ask = Ask::everything();
            let folder = self.profiler.folder(&ask).to_owned();
            if let Err(error) = check_folder(&folder) {
                return unwritable(&folder, &error);
            }
            self.profiler.session.start(ask, unix_ns.to_string());
        }
        self.log.line("[api_router.py:26] Profiler started.");
        Answer::text(200, "")
    }

    fn stop_vllm(&mut self) -> Answer {
        self.log.line("[api_router.py:32] Stopping profiler...");
        if let Some((started, parts)) = self.profiler.session.stop()
            && let Err(error) = self.write_all(&started, &parts)
        {
            return unwritable(self.profiler.folder(&started.ask), &error);
        }
        self.log.line("[api_router.py:34] Profiler stopped.");
        Answer::text(200, "")
    }

    fn write_all(&self, started: &Started, parts: &[Reached]) -> io::Result<()> {
        for part in parts {
            let path = self.profiler.write(started, part)?;
            self.log_written(part.stage, Ok(path));
        }
        Ok(())
    }
}

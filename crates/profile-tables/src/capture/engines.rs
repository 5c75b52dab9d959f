//! How each engine's profiler is asked for a trace.
//!
//! SGLang and TokenSpeed take a JSON body with folder, number of steps and stages (`ProfileReqInput`); vLLM takes none and
//! writes into the folder that it was started with. Read in the main branches of 2026.

use std::path::{Path, PathBuf};

use contracts::profile_tables::capture::ProbeStage;
use contracts::serve_bench::probe::ProbeData;
use contracts::serve_bench::result::EngineKind;
use serde_json::{Value, json};

use super::error::CaptureError;
use super::plan::CapturePlan;

/// Folder of traces when none is named.
const FOLDER: &str = "profile";

/// The profiler of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profiler {
    Sglang,
    Tokenspeed,
    Vllm,
}

impl Profiler {
    /// # Errors
    /// [`CaptureError::Unsupported`] for an engine without one.
    pub(super) fn of(kind: EngineKind) -> Result<Profiler, CaptureError> {
        match kind {
            EngineKind::Sglang => Ok(Profiler::Sglang),
            EngineKind::Tokenspeed => Ok(Profiler::Tokenspeed),
            EngineKind::Vllm => Ok(Profiler::Vllm),
            EngineKind::TensorrtLlm | EngineKind::LlamaCpp | EngineKind::Other => {
                Err(CaptureError::Unsupported { engine: kind.name() })
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Profiler::Sglang => "sglang",
            Profiler::Tokenspeed => "tokenspeed",
            Profiler::Vllm => "vllm",
        }
    }

    /// Steps that the profiler counts by itself.
    pub(super) fn steps(self, plan: &CapturePlan) -> Option<u64> {
        match (self, plan.stage) {
            (Profiler::Vllm, _) | (_, ProbeStage::Prefill) => None,
            (Profiler::Sglang | Profiler::Tokenspeed, ProbeStage::Decode) => Some(plan.steps),
        }
    }

    /// Where the traces will be.
    ///
    /// # Errors
    /// [`CaptureError::FolderUnknown`] when neither flag nor server says.
    pub(super) fn folder(self, plan: &CapturePlan, server: &ProbeData) -> Result<PathBuf, CaptureError> {
        let named = match self {
            Profiler::Sglang | Profiler::Tokenspeed => Some(PathBuf::from(FOLDER)),
            // The developer mode of vLLM shows its settings.
            Profiler::Vllm => server
                .settings
                .get("profiler_config.torch_profiler_dir")
                .and_then(Value::as_str)
                .map(PathBuf::from),
        };
        let folder = plan.folder.clone().or(named);
        let folder = folder.ok_or(CaptureError::FolderUnknown { engine: self.name() })?;
        // The server has another working folder.
        Ok(std::path::absolute(&folder).unwrap_or(folder))
    }

    /// The body of `/start_profile`; null for none.
    pub(super) fn start_body(self, plan: &CapturePlan, folder: &Path) -> Value {
        match (self, plan.stage) {
            (Profiler::Vllm, _) => Value::Null,
            // With stages apart, the prompt's step stays out of the trace of the tokens.
            (_, ProbeStage::Decode) => json!({
                "output_dir": folder, "num_steps": plan.steps, "activities": ["CPU", "GPU"],
                "profile_by_stage": true, "with_stack": true, "record_shapes": true,
            }),
            // Prompts may be cut into several steps: the stop ends it, not a number.
            (_, ProbeStage::Prefill) => json!({
                "output_dir": folder, "activities": ["CPU", "GPU"], "with_stack": true, "record_shapes": true,
            }),
        }
    }

    /// What the answer of `/start_profile` means.
    ///
    /// # Errors
    /// [`CaptureError::Disabled`] where the endpoint is not there, [`CaptureError::StartRefused`] for any other status
    /// than 200.
    pub(super) fn started(self, status: u16, reason: &str) -> Result<(), CaptureError> {
        match status {
            200 => Ok(()),
            404 | 405 => Err(CaptureError::Disabled {
                engine: self.name(),
                status,
                enable: match self {
                    Profiler::Sglang | Profiler::Tokenspeed => {
                        "the engine always has it, a gateway in front of it may not: give --url of the engine itself"
                    }
                    Profiler::Vllm => {
                        "start vLLM with --profiler-config '{\"profiler\": \"torch\", \"torch_profiler_dir\": \"DIR\"}'; versions that have no such flag take VLLM_TORCH_PROFILER_DIR=DIR"
                    }
                },
            }),
            status => Err(CaptureError::StartRefused {
                status,
                reason: reason.to_owned(),
            }),
        }
    }

    /// Traces to wait for: one of each rank.
    pub(super) fn ranks(self, server: &ProbeData) -> usize {
        let names = [
            "tp_size",
            "tensor_parallel_size",
            "parallel_config.tensor_parallel_size",
        ];
        names
            .iter()
            .find_map(|name| server.settings.get(*name).and_then(Value::as_u64))
            .and_then(|ranks| usize::try_from(ranks).ok())
            .unwrap_or(1)
            .clamp(1, 1024)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Args, Command};

    fn plan(stage: &str) -> CapturePlan {
        let line = format!(
            "profile-tables capture --url http://127.0.0.1:1 --stage {stage} --input-len 100 --output-len 100"
        );
        let Some(Command::Capture(args)) = Args::parse_from(line.split(' ')).command else {
            panic!("{line} is a capture");
        };
        CapturePlan::new(&args, None).unwrap()
    }

    #[test]
    fn tokens_are_recorded_apart_from_their_prompt() {
        let plan = plan("decode");
        for profiler in [Profiler::Sglang, Profiler::Tokenspeed] {
            let body = profiler.start_body(&plan, Path::new("/d"));
            assert_eq!(body["profile_by_stage"], true);
            assert_eq!(
                (body["num_steps"].as_u64(), profiler.steps(&plan)),
                (Some(16), Some(16))
            );
            assert_eq!(body["output_dir"], "/d");
        }
        assert_eq!(Profiler::Vllm.start_body(&plan, Path::new("/d")), Value::Null);
    }

    #[test]
    fn prompts_are_ended_by_the_stop_and_no_number() {
        let plan = plan("prefill");
        for profiler in [Profiler::Sglang, Profiler::Tokenspeed, Profiler::Vllm] {
            let body = profiler.start_body(&plan, Path::new("/d"));
            assert_eq!((body.get("num_steps"), profiler.steps(&plan)), (None, None));
        }
    }

    #[test]
    fn a_missing_endpoint_names_the_flag() {
        use cli_kit::ToolError as _;
        let error = Profiler::Vllm.started(404, "Not Found").unwrap_err();
        assert_eq!(error.code(), "capture-disabled");
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("--profiler-config"))
        );
        assert_eq!(
            Profiler::Sglang.started(500, "no").map_err(|error| error.code()),
            Err("capture-start-refused")
        );
        assert!(Profiler::of(EngineKind::LlamaCpp).is_err());
    }
}

//! What was typed to what it means: the lengths of the probe, and where they come from.

use std::path::PathBuf;
use std::time::Duration;

use cli_kit::BindArgs;
use contracts::profile_tables::capture::{DerivedFrom, ProbeStage};
use contracts::serve_bench::probe::ProbeData;

use super::error::CaptureError;
use super::lengths::Lengths;
use crate::cli::{CaptureArgs, CaptureStageArg};

/// Prompts of a prefill probe when no number is given.
const PROMPTS: u64 = 3;
/// Tokens that are recorded when no number is given.
const TOKENS: u64 = 16;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CapturePlan {
    pub(super) stage: ProbeStage,
    pub(super) requests: u64,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
    /// Steps to record.
    pub(super) steps: u64,
    pub(super) derived_from: DerivedFrom,
    /// Lengths of the flags that the benchmark does not have, in words.
    pub(super) other_lengths: Option<String>,
    pub(super) folder: Option<PathBuf>,
    pub(super) model: Option<String>,
    pub(super) wait: Duration,
    /// Steps as they were typed.
    pub(super) steps_flag: Option<u64>,
    pub(super) api_key_env: Option<String>,
    pub(super) urls: Vec<String>,
    pub(super) bind: BindArgs,
}

impl CapturePlan {
    /// # Errors
    /// [`CaptureError::LengthMissing`] when neither flag nor benchmark names the length that the probe needs.
    pub(super) fn new(args: &CaptureArgs, lengths: Option<&Lengths>) -> Result<CapturePlan, CaptureError> {
        let of_result = |pick: fn(&Lengths) -> Option<(u64, u64, u64)>| lengths.and_then(pick);
        let (input, output) = (of_result(|of| of.input), of_result(|of| of.output));
        let input_len = args.input_len.or(input.map(|(_, mean, _)| mean));
        let output_len = args.output_len.or(output.map(|(_, mean, _)| mean));
        let (stage, flag, needed) = match args.stage {
            CaptureStageArg::Prefill => (ProbeStage::Prefill, "--input-len", input_len),
            CaptureStageArg::Decode => (ProbeStage::Decode, "--output-len", output_len),
        };
        let length = needed.ok_or(CaptureError::LengthMissing { flag })?;
        let (requests, input_tokens, output_tokens, steps) = match stage {
            ProbeStage::Prefill => {
                let prompts = args.steps.unwrap_or(PROMPTS);
                (prompts, length, 1, prompts)
            }
            ProbeStage::Decode => {
                let length = length.max(2);
                // The first token is the prompt's step; the engine needs one more to notice that it has enough.
                let most = length.saturating_sub(2).max(1);
                (1, 1, length, args.steps.unwrap_or(TOKENS).min(most))
            }
        };
        let mut other = Vec::new();
        for (name, asked, range) in [
            ("input", args.input_len, input),
            ("output", args.output_len, output),
        ] {
            if let (Some(asked), Some((min, _, max))) = (asked, range)
                && !(min..=max).contains(&asked)
            {
                other.push(format!("{name} {asked}, the scenario has {min} to {max}"));
            }
        }
        Ok(CapturePlan {
            stage,
            requests,
            input_tokens,
            output_tokens,
            steps,
            derived_from: DerivedFrom {
                result: args
                    .bind
                    .for_result
                    .as_ref()
                    .map(|path| path.display().to_string()),
                scenario: lengths.map(|lengths| lengths.scenario.clone()),
                input_len,
                output_len,
            },
            other_lengths: (!other.is_empty()).then(|| other.join("; ")),
            folder: args.output_dir.clone(),
            model: args.model.clone(),
            wait: Duration::from_secs(args.wait_s),
            steps_flag: args.steps,
            api_key_env: args.api_key_env.clone(),
            urls: args.url.clone(),
            bind: args.bind.clone(),
        })
    }

    /// Whether the probe fits into the context that the server reports.
    ///
    /// # Errors
    /// [`CaptureError::PromptTooLong`] with both lengths.
    pub(super) fn fits(&self, server: &ProbeData) -> Result<(), CaptureError> {
        let needed = self.input_tokens.saturating_add(self.output_tokens);
        match server.max_model_len {
            Some(context) if needed > context => Err(CaptureError::PromptTooLong {
                why: format!("{needed} tokens are needed, its context is {context}"),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Args, Command};

    fn args(line: &str) -> CaptureArgs {
        let words = ["profile-tables", "capture", "--url", "http://127.0.0.1:1"];
        let parsed = Args::parse_from(words.into_iter().chain(line.split(' ')));
        match parsed.command {
            Some(Command::Capture(capture)) => capture,
            _ => panic!("no capture in {line}"),
        }
    }

    /// A plan for 100 tokens in and out.
    fn plan(stage: &str) -> CapturePlan {
        let line = format!("--stage {stage} --input-len 100 --output-len 100");
        CapturePlan::new(&args(&line), None).unwrap()
    }

    #[test]
    fn each_stage_has_its_own_probe() {
        let prefill = plan("prefill");
        assert_eq!(
            (prefill.requests, prefill.input_tokens, prefill.output_tokens),
            (3, 100, 1)
        );
        let decode = plan("decode");
        assert_eq!(
            (
                decode.requests,
                decode.input_tokens,
                decode.output_tokens,
                decode.steps
            ),
            (1, 1, 100, 16)
        );
        let short = CapturePlan::new(&args("--stage decode --output-len 8 --steps 50"), None).unwrap();
        assert_eq!(short.steps, 6);
    }

    #[test]
    fn lengths_come_from_the_flags_or_the_benchmark() {
        let missing = CapturePlan::new(&args("--stage prefill --output-len 5"), None);
        assert!(matches!(
            missing,
            Err(CaptureError::LengthMissing { flag: "--input-len" })
        ));
        let lengths = Lengths {
            scenario: "long".to_owned(),
            input: Some((900, 1000, 1100)),
            output: Some((10, 20, 30)),
        };
        let taken = CapturePlan::new(&args("--stage prefill"), Some(&lengths)).unwrap();
        assert_eq!(
            (taken.input_tokens, taken.derived_from.scenario.as_deref()),
            (1000, Some("long"))
        );
        assert_eq!(taken.other_lengths, None);
        let other = CapturePlan::new(&args("--stage prefill --input-len 64"), Some(&lengths)).unwrap();
        assert_eq!(other.input_tokens, 64);
        assert_eq!(
            other.other_lengths.as_deref(),
            Some("input 64, the scenario has 900 to 1100")
        );
    }

    #[test]
    fn the_plain_form_still_takes_traces() {
        let plain = Args::parse_from(["profile-tables", "a.json", "--stage", "decode"]);
        assert!(plain.command.is_none());
        assert_eq!(plain.tables.traces, [PathBuf::from("a.json")]);
        assert!(Args::try_parse_from(["profile-tables"]).is_err());
    }
}

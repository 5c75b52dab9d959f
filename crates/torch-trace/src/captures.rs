//! The captures of graphs, from the names that engines give to their ranges.
//!
//! - SGLang: `capture_32_DECODE`, by batch size and mode
//! - vLLM: `capture_8192_PIECEWISE`, `capture_16_FULL`, by tokens and kind of graph: which steps replay it is not named

use crate::collect::Trace;
use crate::steps::{StepKind, kind_of_mode};

/// What the name of a range says of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureText {
    /// Kind of the steps that replay the graph; `None` when the name does not say.
    pub kind: Option<StepKind>,
    /// Requests that the graph is for; `None` when the name counts tokens.
    pub batch: Option<u64>,
    /// Tokens that the graph is for; `None` when the name counts requests of several tokens.
    pub tokens: Option<u64>,
}

/// A capture as a range of host time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    /// What for.
    pub text: CaptureText,
    /// Start, nanoseconds.
    pub start_ns: i64,
    /// End, nanoseconds.
    pub end_ns: i64,
}

/// Reads the name of a range; `None` when it names no capture.
#[must_use]
pub fn parse_capture(text: &str) -> Option<CaptureText> {
    let (size, mode) = text.strip_prefix("capture_")?.split_once('_')?;
    let size = size.parse().ok()?;
    if let Some(kind) = kind_of_mode(mode) {
        return Some(CaptureText {
            kind: Some(kind),
            batch: Some(size),
            tokens: (kind == StepKind::Decode).then_some(size),
        });
    }
    matches!(mode, "PIECEWISE" | "FULL").then_some(CaptureText {
        kind: None,
        batch: None,
        tokens: Some(size),
    })
}

/// The captures on the host's clock, by start; of ranges that nest, each.
#[must_use]
pub fn captures(trace: &Trace) -> Vec<Capture> {
    let host = trace.annotations.iter().filter(|annotation| !annotation.on_gpu);
    let mut captures: Vec<Capture> = host
        .filter_map(|annotation| {
            Some(Capture {
                text: parse_capture(&trace.names.text(annotation.name))?,
                start_ns: annotation.start_ns,
                end_ns: annotation.end_ns(),
            })
        })
        .collect();
    captures.sort_by_key(|capture| (capture.start_ns, std::cmp::Reverse(capture.end_ns)));
    captures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_trace::trace;

    #[test]
    fn a_capture_names_its_batch_or_its_tokens() {
        let text = |kind, batch, tokens| Some(CaptureText { kind, batch, tokens });
        let decode = text(Some(StepKind::Decode), Some(32), Some(32));
        assert_eq!(parse_capture("capture_32_DECODE"), decode);
        let verify = text(Some(StepKind::Draft), Some(8), None);
        assert_eq!(parse_capture("capture_8_TARGET_VERIFY"), verify);
        assert_eq!(
            parse_capture("capture_8192_PIECEWISE"),
            text(None, None, Some(8192))
        );
        for other in [
            "capture_begin",
            "capture_x_DECODE",
            "capture_32_",
            "capture_32_bs",
            "step[DECODE bs=1]",
        ] {
            assert_eq!(parse_capture(other), None, "{other}");
        }
    }

    #[test]
    fn captures_are_those_of_the_host_by_start() {
        let trace = trace(
            r#"{"ph":"X","cat":"user_annotation","name":"capture_16_DECODE","pid":1,"tid":1,"ts":50,"dur":10},
               {"ph":"X","cat":"user_annotation","name":"capture_32_DECODE","pid":1,"tid":1,"ts":0,"dur":10},
               {"ph":"X","cat":"gpu_user_annotation","name":"capture_32_DECODE","pid":0,"tid":7,"ts":5,"dur":1}"#,
        );
        let found: Vec<_> = captures(&trace)
            .iter()
            .map(|capture| capture.text.batch)
            .collect();
        assert_eq!(found, [Some(32), Some(16)]);
    }
}

//! Whether the benchmark can be explained at all, and whether a log is of its engine.

use contracts::serve_bench::result::EngineKind;
use contracts::telemetry_fetch::audit::AuditCheck;

use super::{Said, check};
use crate::benchmark::Benchmark;
use crate::source::log::LogRead;

/// Whether the benchmark's own numbers are to be used: an explanation of a run that is none explains nothing.
pub(super) fn sound(benchmark: &Benchmark) -> AuditCheck {
    let passed = benchmark.unsound.is_empty();
    let message = if passed {
        "the benchmark is whole, and its runs are valid".to_owned()
    } else {
        format!(
            "of the benchmark {}: measure again before anything is concluded",
            benchmark.unsound.join(", and ")
        )
    };
    plain(
        "benchmark_sound",
        "findings",
        benchmark.unsound.len(),
        passed,
        message,
    )
}

/// Whether the logs have lines of another engine than the one that was measured; none where no log has lines of numbers, or
/// nobody knows what that engine writes.
pub(super) fn log_engine(engine: EngineKind, logs: &[LogRead]) -> Option<AuditCheck> {
    let families = || {
        logs.iter()
            .flat_map(|log| log.families.iter().map(move |family| (&log.source.url, *family)))
    };
    let (mut others, mut known) = (Vec::new(), false);
    for (log, family) in families() {
        match family.is_of(engine) {
            Some(true) => known = true,
            Some(false) => others.push(format!("{log} has lines of {}", family.name())),
            None => {}
        }
    }
    if others.is_empty() && !known {
        return None;
    }
    let message = if others.is_empty() {
        format!("the logs have lines of {}, as the engine is", engine.name())
    } else {
        format!(
            "{}, and the engine is {}: numbers and messages of another process; give the log of this one",
            others.join(", "),
            engine.name()
        )
    };
    let passed = others.is_empty();
    Some(plain("log_engine", "logs", others.len(), passed, message))
}

/// A check that counts what should not be.
fn plain(id: &str, unit: &str, found: usize, passed: bool, message: String) -> AuditCheck {
    let said = Said {
        expected: Some(0.0),
        observed: Some(found as f64),
        passed: Some(passed),
        limit_pct: None,
        message,
    };
    check(id, unit, said)
}

#[cfg(test)]
mod tests {
    use contracts::telemetry_fetch::source::{SourceKind, SourceReport, SourceStatus};

    use super::super::tests::benchmark;
    use super::*;
    use crate::source::log::Family;

    fn log(family: Family) -> LogRead {
        LogRead {
            source: SourceReport {
                kind: SourceKind::Log,
                role: None,
                url: "engine.log".to_owned(),
                status: SourceStatus::Ok,
                reason: None,
                readings: 1,
                samples: 1,
                coverage_pct: None,
                resets: 0,
            },
            incidents: Vec::new(),
            series: Vec::new(),
            warnings: Vec::new(),
            has_lines: true,
            service_url: None,
            families: [family].into(),
        }
    }

    #[test]
    fn a_log_of_another_engine_is_told() {
        let passed = |engine, family| log_engine(engine, &[log(family)]).and_then(|check| check.passed);
        assert_eq!(passed(EngineKind::Vllm, Family::Sglang), Some(false));
        assert_eq!(passed(EngineKind::TensorrtLlm, Family::Vllm), Some(false));
        assert_eq!(passed(EngineKind::Tokenspeed, Family::Sglang), Some(true));
        assert_eq!(passed(EngineKind::LlamaCpp, Family::LlamaCpp), Some(true));
        assert_eq!(passed(EngineKind::Other, Family::Vllm), None);
        assert!(log_engine(EngineKind::Vllm, &[]).is_none());
    }

    #[test]
    fn a_benchmark_that_was_cut_is_no_ground() {
        assert_eq!(sound(&benchmark()).passed, Some(true));
        let mut cut = benchmark();
        cut.unsound = vec!["it was cut short".to_owned()];
        let found = sound(&cut);
        assert_eq!(found.passed, Some(false));
        assert!(found.message.contains("cut short"), "{}", found.message);
    }
}

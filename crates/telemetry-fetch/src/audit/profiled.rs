//! Whether a profiler slowed down what was measured.

use contracts::telemetry_fetch::audit::AuditCheck;
use contracts::telemetry_fetch::window::CommandRun;

use super::{Said, check, undecided};

/// Programs that slow down what they look at.
const PROFILERS: [&str; 4] = ["nsys", "ncu", "rocprof", "rocprofv3"];

pub(super) fn profiled(command: Option<&CommandRun>, log_says: Option<&str>) -> AuditCheck {
    const ID: &str = "profiled";
    let words = || {
        let argv = command.into_iter().flat_map(|command| &command.argv);
        let words = argv.flat_map(|word| word.split_ascii_whitespace());
        words.map(|word| word.rsplit('/').next().unwrap_or(word))
    };
    let captures = words().any(|word| word == "profile-tables") && words().any(|word| word == "capture");
    let name = words().find(|word| PROFILERS.contains(word) || word.starts_with("start_profile"));
    let name = name.or(captures.then_some("profile-tables capture"));
    let found = name.map(|name| format!("the command runs `{name}`"));
    match found.or_else(|| log_says.map(|said| format!("the log says `{said}`"))) {
        Some(found) => check(
            ID,
            "profilers",
            Said {
                expected: Some(0.0),
                observed: Some(1.0),
                passed: Some(false),
                limit_pct: None,
                message: format!("{found}: a profiled window is contaminated and is no benchmark"),
            },
        ),
        None => undecided(
            ID,
            "profilers",
            "neither the command nor a log tells of a profiler; metrics never do, and a log only where the engine writes one down",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profiler_in_the_command_contaminates() {
        let passed = |line: &[&str]| {
            let argv = line.iter().map(|word| (*word).to_owned()).collect();
            let command = CommandRun {
                argv,
                exit_code: Some(0),
            };
            profiled(Some(&command), None).passed
        };
        assert_eq!(passed(&["sh", "-c", "/usr/bin/nsys profile x"]), Some(false));
        assert_eq!(
            passed(&[
                "sh",
                "-c",
                "serve-bench run & profile-tables capture --stage decode"
            ]),
            Some(false)
        );
        assert_eq!(passed(&["curl", "http://h/start_profile"]), Some(false));
        assert_eq!(passed(&["serve-bench", "run"]), None);
        let said = profiled(None, Some("Profiling starts"));
        assert_eq!(said.passed, Some(false));
        assert!(said.message.contains("`Profiling starts`"), "{}", said.message);
    }
}

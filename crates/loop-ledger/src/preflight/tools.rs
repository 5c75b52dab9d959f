//! The programs that a runtime calls, each asked for its version.

use std::path::PathBuf;

use contracts::loop_ledger::preflight::Check;

use super::{Context, LIMIT, failed, passed, warning};
use crate::cli::Runtime;
use crate::probe::{self, NotRun};

/// First Claude Code that has goals.
const CLAUDE_GOALS: Version = (2, 1, 139);

/// `major.minor.patch`.
type Version = (u64, u64, u64);

/// How much a missing program matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// The loop cannot run without it.
    Must,
    /// The loop can run, with less.
    Should,
}

pub(super) fn checks(context: &Context<'_>) -> Vec<Check> {
    let mut checks = vec![
        tool(
            "git",
            if context.runtime == Runtime::Redeploy {
                Need::Should
            } else {
                Need::Must
            },
            "install git",
        ),
        ours("serve-bench"),
        ours("gap-decide"),
    ];
    if context.uses_claude() {
        checks.push(claude(context.runtime == Runtime::ClaudeGoal));
    }
    if context.uses_codex() {
        checks.push(tool("codex", Need::Must, "npm install -g @openai/codex"));
    }
    match context.runtime {
        Runtime::Humanize => checks.push(tool(
            "jq",
            Need::Must,
            "install jq: Humanize's scripts read JSON with it",
        )),
        Runtime::CodexGoal => checks.extend(codex_goals()),
        Runtime::ClaudeGoal => {}
        Runtime::Redeploy => {
            let dstack = if context.deploys_with() == Some("dstack") {
                Need::Must
            } else {
                Need::Should
            };
            checks.push(tool(
                "dstack",
                dstack,
                "pip install dstack; without it deploy a plain process and keep its pid",
            ));
            checks.push(tool(
                "graphsignal-debug",
                Need::Should,
                "pip install graphsignal-debug; without it read the server's own metrics and log of the window",
            ));
        }
    }
    checks
}

/// A program on PATH.
fn tool(name: &str, need: Need, fix: &str) -> Check {
    let check_name = format!("tool-{name}");
    match version_of(PathBuf::from(name)) {
        Ok(version) => passed(&check_name, version),
        Err(why) if need == Need::Must => failed(&check_name, why, fix),
        Err(why) => warning(&check_name, why, fix),
    }
}

/// A program of this repository: beside this one, or on PATH.
fn ours(name: &str) -> Check {
    let check_name = format!("tool-{name}");
    let fix = format!("cargo install --path crates/{name}, or put it beside loop-ledger");
    let found = cli_kit::find_companion(name)
        .map_err(|_| format!("{name} is not installed"))
        .and_then(version_of);
    match found {
        Ok(version) => passed(&check_name, version),
        Err(why) => failed(&check_name, why, &fix),
    }
}

fn claude(wants_goals: bool) -> Check {
    let check = tool("claude", Need::Must, "npm install -g @anthropic-ai/claude-code");
    let is_old = wants_goals && parse(&check.found).is_some_and(|version| version < CLAUDE_GOALS);
    if is_old && check.fix.is_none() {
        return failed(
            "tool-claude",
            format!("{}: goals came with 2.1.139", check.found),
            "update Claude Code",
        );
    }
    check
}

/// Whether this Codex has goals, from its own list of features. A Codex that is not there fails its own check.
fn codex_goals() -> Option<Check> {
    let name = "codex-goals";
    match probe::run(&["codex", "features", "list"], None, LIMIT) {
        Ok(ran) if ran.is_ok() => Some(match goals_line(&ran.stdout) {
            Some(true) => passed(name, "the feature `goals` is on".to_owned()),
            Some(false) => failed(
                name,
                "the feature `goals` is off".to_owned(),
                "codex features enable goals",
            ),
            None => failed(
                name,
                "this Codex lists no feature `goals`".to_owned(),
                "update Codex, or use another runtime",
            ),
        }),
        Ok(ran) => Some(warning(
            name,
            format!("`codex features list` failed: {}", ran.first_line()),
            "update Codex, and look whether it has /goal",
        )),
        Err(NotRun::Missing(_)) => None,
        Err(why) => Some(warning(
            name,
            why.to_string(),
            "look whether this Codex has /goal",
        )),
    }
}

/// The line `goals  stable  true` of a list of features.
fn goals_line(list: &str) -> Option<bool> {
    list.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("goals")).then(|| words.next_back() == Some("true"))
    })
}

/// What a program says of its version, or why it says nothing.
fn version_of(program: PathBuf) -> Result<String, String> {
    let argv = [program.into_os_string(), "--version".into()];
    match probe::run(&argv, None, LIMIT) {
        Ok(ran) if ran.is_ok() => Ok(ran.first_line()),
        Ok(ran) => Err(format!("`--version` failed: {}", ran.first_line())),
        Err(why) => Err(why.to_string()),
    }
}

/// The first `major.minor.patch` in a text.
fn parse(text: &str) -> Option<Version> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .find_map(|word| {
            let mut parts = word.split('.').map(str::parse::<u64>);
            match (parts.next(), parts.next(), parts.next()) {
                (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Some((major, minor, patch)),
                _ => None,
            }
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        assert_eq!(parse("2.1.197 (Claude Code)"), Some((2, 1, 197)));
        assert_eq!(parse("codex-cli 0.169.0"), Some((0, 169, 0)));
        assert_eq!(parse("jq-1.7"), None);
        assert_eq!(parse("99999999999999999999.1.2"), None);
    }

    #[test]
    fn a_list_of_features_says_whether_goals_are_on() {
        assert_eq!(goals_line("hooks stable true\ngoals  stable  true\n"), Some(true));
        assert_eq!(goals_line("goals experimental false"), Some(false));
        assert_eq!(goals_line("subgoals stable true"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".{0,100}", version in (0u64..1000, 0u64..1000, 0u64..1000)) {
            let _ = goals_line(&text);
            let _ = parse(&text);
            let said = format!("tool {}.{}.{} (x)", version.0, version.1, version.2);
            prop_assert_eq!(parse(&said), Some(version));
        }
    }
}

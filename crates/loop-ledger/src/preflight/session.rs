//! What keeps a session going: the Stop hook, whether it will find the campaign, and how often it may block.

use contracts::loop_ledger::preflight::Check;

use super::{Context, not_checked, passed, variable, warning};
use crate::cli::Runtime;

/// Blocks in a row after which Claude Code ends a turn since 2.1.143, unless the variable says otherwise.
const CLAUDE_CAP: u32 = 8;
/// Rounds of Humanize, each of which ends with a block.
const HUMANIZE_ROUNDS: u32 = 42;

pub(super) fn checks(context: &Context<'_>) -> Vec<Check> {
    let mut checks = vec![root_of_hook(context)];
    if context.uses_claude() {
        checks.push(block_cap(context.runtime));
    }
    if context.runtime == Runtime::CodexGoal {
        checks.push(not_checked(
            "stop-hook-trusted",
            "Codex runs a hook only after it was trusted; /hooks shows whether ours is".to_owned(),
        ));
    }
    checks
}

/// The hook looks where LOOP_LEDGER_ROOT says, else into the session's folder.
fn root_of_hook(context: &Context<'_>) -> Check {
    let name = "stop-hook-root";
    let real = |path: &std::path::Path| std::fs::canonicalize(path).ok();
    let root = real(context.root.path());
    let named = variable("LOOP_LEDGER_ROOT");
    let sees = match &named {
        Some(path) => real(std::path::Path::new(path)),
        None => real(context.project),
    };
    if root.is_some() && root == sees {
        return passed(
            name,
            match named {
                Some(_) => "LOOP_LEDGER_ROOT names the artifact root".to_owned(),
                None => "the session's folder is the artifact root".to_owned(),
            },
        );
    }
    warning(
        name,
        "the Stop hook of a session in this project would not find the campaign".to_owned(),
        "export LOOP_LEDGER_ROOT with the absolute path of the artifact root before the runtime starts",
    )
}

fn block_cap(runtime: Runtime) -> Check {
    let name = "stop-hook-cap";
    let set = "CLAUDE_CODE_STOP_HOOK_BLOCK_CAP";
    let wanted = match runtime {
        Runtime::Humanize => HUMANIZE_ROUNDS,
        // Ours blocks three times for an unchanged ledger.
        _ => CLAUDE_CAP,
    };
    let fix = format!("export {set}={wanted} before Claude Code starts");
    match variable(set).map(|value| value.trim().parse::<u32>()) {
        Some(Ok(0)) => passed(name, format!("{set} is 0: no cap, where the version knows it")),
        Some(Ok(cap)) if cap >= wanted => passed(name, format!("{set} is {cap}")),
        Some(Ok(cap)) => warning(
            name,
            format!("{set} is {cap}, and {wanted} blocks in a row can be needed"),
            &fix,
        ),
        Some(Err(_)) => warning(name, format!("{set} is no number"), &fix),
        None if wanted <= CLAUDE_CAP => passed(
            name,
            format!("{set} is not set: {CLAUDE_CAP} blocks in a row are enough"),
        ),
        None => warning(
            name,
            format!(
                "{set} is not set: Claude Code ends a turn after {CLAUDE_CAP} blocks in a row without a tool call"
            ),
            &fix,
        ),
    }
}

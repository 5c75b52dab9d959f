//! Phrases that several files share: the verdict, a blocker, a number, text that somebody typed.

use contracts::Finite;
use contracts::gap_decide::decision::{Decision, Verdict};
use contracts::loop_ledger::event::Blocker;
use contracts::loop_ledger::facts::{DecisionFacts, DecisionRow};
use contracts::loop_ledger::phase::Phase;

use crate::state::State;
use crate::view;

/// Where ours stands, in a sentence.
pub(crate) fn verdict(state: &State<'_>) -> String {
    let Some((_, decision)) = state.current_decision() else {
        return format!(
            "No gap verdict yet between {} and {}.",
            state.campaign.framework,
            state.campaign.comparison.join(", ")
        );
    };
    let ours = &state.campaign.framework;
    let others = state.campaign.comparison.join(", ");
    let by = effect(decision);
    match decision.decision {
        Decision::StopReached if decision.rows.iter().all(ahead) => {
            format!("{ours} is ahead of {others} in every scenario: {by}.")
        }
        Decision::StopReached if decision.rows.iter().any(ahead) => {
            format!("{ours} is ahead of or tied with {others} in every scenario: {by}.")
        }
        Decision::StopReached => format!("{ours} is tied with {others} in every scenario: {by}."),
        Decision::Profile => {
            let behind = decision
                .rows
                .iter()
                .filter(|row| row.verdict == Verdict::Behind)
                .count();
            format!(
                "{ours} is behind {others} in {behind} of {} comparisons: {by}.",
                decision.rows.len()
            )
        }
        Decision::FixSlo => format!("{ours} misses a service-level objective, which comes before speed."),
        Decision::Repeat => format!("Undecided between {ours} and {others}: {by}; more pairs are needed."),
        Decision::Rebaseline => "The measurements cannot be used: measure anew.".to_owned(),
    }
}

fn ahead(row: &DecisionRow) -> bool {
    matches!(row.verdict, Verdict::Ahead | Verdict::TheirsFailsSlo)
}

/// Effect, interval and metric.
pub(crate) fn effect(decision: &DecisionFacts) -> String {
    format!(
        "{} % {} on {}",
        view::signed(decision.effect_pct),
        view::interval(decision.ci_low_pct, decision.ci_high_pct),
        decision.metric
    )
}

/// How the campaign stands: ended, or what comes next.
pub(crate) fn standing(state: &State<'_>) -> String {
    match state.stop {
        Some(stop) => format!("The campaign ended: {}: {}", stop.terminal.name(), stop.why),
        None => format!(
            "The campaign goes on; next: {}.",
            crate::rules::next_phase(state).name()
        ),
    }
}

/// Whether the target was reached.
pub(crate) fn reached(state: &State<'_>) -> &'static str {
    use contracts::loop_ledger::Terminal;
    match state.stop.map(|stop| stop.terminal) {
        Some(Terminal::TargetMet) => "Target reached: yes.",
        Some(Terminal::Tied) => "Target reached: no; ours is tied.",
        Some(_) => "Target reached: no.",
        None => "Target reached: not yet; the campaign goes on.",
    }
}

/// A blocker in a line.
pub(crate) fn blocker(blocker: &Blocker) -> String {
    let ended = match blocker.exit_code {
        Some(code) => format!("ended with {code}"),
        None => "exit code not said".to_owned(),
    };
    format!(
        "{}: {}: {} (`{}` {ended})",
        crate::view::blocked(blocker.phase),
        blocker.phase.name(),
        plain(&blocker.what),
        plain(&cli_kit::shell_words(&blocker.command))
    )
}

/// The blockers that stand in for a phase, as lines.
pub(crate) fn downgraded(state: &State<'_>, phase: Phase) -> Vec<String> {
    state
        .blockers
        .iter()
        .filter(|known| known.phase == phase)
        .map(|known| blocker(known))
        .collect()
}

/// A number with so many decimals, or a dash.
pub(crate) fn number(value: Option<Finite>, decimals: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{:.decimals$}", value.get()))
}

/// Text that somebody typed, fit for Markdown: one line, and no HTML begins in it.
pub(crate) fn plain(text: &str) -> String {
    let clean = contracts::text::clean(text, 2000);
    let mut out = String::with_capacity(clean.len());
    let mut chars = clean.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '<'
            && chars
                .peek()
                .is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(*next))
        {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The last part of a path: where a file lay on some machine is nobody else's business.
pub(crate) fn file_name(path: &str) -> String {
    plain(path.rsplit(['/', '\\']).next().unwrap_or(path))
}

/// Where an object lies, from the root.
pub(crate) fn object(sha256: &str) -> String {
    let hex = sha256.strip_prefix("sha256:").unwrap_or(sha256);
    // A forged ledger may hold anything in its place.
    let (folder, name) = hex.split_at_checked(2).unwrap_or((hex, ""));
    format!("objects/sha256/{folder}/{name}")
}

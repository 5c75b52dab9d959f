//! What to do next, from the verdict and its reasons.

use contracts::kernel_gate::verdict::{Class, Effect, NextStep, Reason, Verdict};

use crate::classify::Judged;
use crate::dispatched::Dispatched;
use crate::thresholds::MARGINAL;

/// Most rows that one step names.
const MOST_ROWS: usize = 50;

/// The steps, the first first.
pub(crate) fn steps(
    verdict: Verdict,
    reasons: &[Reason],
    judged: &[Judged<'_>],
    dispatch: Option<&Dispatched>,
) -> Vec<NextStep> {
    let mut steps = Vec::new();
    let mut step = |code: &str, why: String, rows: Vec<String>| {
        steps.push(NextStep {
            code: code.to_owned(),
            why,
            rows: rows.into_iter().take(MOST_ROWS).collect(),
        });
    };
    let codes = |effect: Effect| -> Vec<&str> {
        let of = reasons.iter().filter(|reason| reason.effect == effect);
        let mut codes: Vec<&str> = of.map(|reason| reason.code.as_str()).collect();
        codes.dedup();
        codes
    };
    match verdict {
        Verdict::Invalid => {
            let codes = codes(Effect::Invalid).join(", ");
            step(
                "measure-anew",
                format!("mend what makes it invalid ({codes}), and measure all rows again"),
                Vec::new(),
            );
            return steps;
        }
        Verdict::RejectCorrectness => {
            let wrong = judged.iter().filter(|row| row.class == Class::Incorrect);
            let rows = wrong.map(|row| row.measured.id.to_owned()).collect();
            step(
                "mend-the-candidate",
                "its outputs are wrong: no speed counts before".to_owned(),
                rows,
            );
            return steps;
        }
        _ => {}
    }
    let again = rows_to_measure_again(judged);
    if !again.is_empty() && !matches!(verdict, Verdict::Promote | Verdict::PromoteWithDispatch) {
        step(
            "measure-again",
            "losses and rows within a large noise: at least twice the trials, then --rerun".to_owned(),
            again,
        );
    }
    let is_open = |code: &&str| {
        !matches!(
            *code,
            "material-losses" | "rows-unstable" | "routed-not-measured-again" | "claim-beyond-amdahl"
        )
    };
    let missing: Vec<&str> = codes(Effect::BlocksPromotion)
        .into_iter()
        .filter(is_open)
        .collect();
    if !missing.is_empty() {
        step(
            "prove",
            format!("nothing is promoted without: {}", missing.join(", ")),
            Vec::new(),
        );
    }
    if codes(Effect::BlocksPromotion).contains(&"claim-beyond-amdahl") {
        step(
            "correct-the-claim",
            "the kernel's share does not allow it: claim what `data.amdahl` gives, or measure the whole run"
                .to_owned(),
            Vec::new(),
        );
    }
    if let Some(dispatch) = dispatch.filter(|dispatch| !dispatch.not_again.is_empty()) {
        let why = "measure the routed rows again behind the dispatch (`dispatch_sha256` in the provenance), then --rerun";
        step(
            "measure-behind-dispatch",
            why.to_owned(),
            dispatch.not_again.clone(),
        );
    }
    let losses = judged.iter().filter(|row| row.is_loss() && !row.routed);
    let losses: Vec<String> = losses.map(|row| row.measured.id.to_owned()).collect();
    let has_wins = judged.iter().any(|row| row.class == Class::Win);
    if !losses.is_empty() && has_wins && verdict == Verdict::Inconclusive {
        let why = "mend the losses, or declare a rule on a field of the rows that keeps the baseline there (--dispatch)";
        step("dispatch", why.to_owned(), losses);
    }
    steps
}

/// Material losses that were measured once, rows that noise hides, and those just below 1.
pub(crate) fn rows_to_measure_again(judged: &[Judged<'_>]) -> Vec<String> {
    let is_due = |row: &&Judged<'_>| {
        let marginal = row.class == Class::Parity && row.speedup().is_some_and(|speedup| speedup < MARGINAL);
        row.measured.production
            && !row.measured_again
            && !row.routed
            && (row.is_loss() || row.is_unstable() || marginal || row.class == Class::Loss)
    };
    let mut due: Vec<&Judged<'_>> = judged.iter().filter(is_due).collect();
    due.sort_by(|a, b| {
        let key = |row: &Judged<'_>| row.speedup().unwrap_or(0.0);
        key(a)
            .total_cmp(&key(b))
            .then_with(|| a.measured.id.cmp(b.measured.id))
    });
    due.into_iter().map(|row| row.measured.id.to_owned()).collect()
}

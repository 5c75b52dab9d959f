//! The verdict in words, and the commands that lead on.

use std::path::Path;

use contracts::NextAction;
use contracts::kernel_gate::verdict::{Effect, TimeKind, Verdict, VerdictData};

use crate::thresholds::TRIALS_AGAIN;

/// Most rows that a command names.
const MOST_ONLY: usize = 20;

/// A verdict as people read it.
pub(crate) fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Invalid => "invalid",
        Verdict::RejectCorrectness => "reject_correctness",
        Verdict::Reject => "reject",
        Verdict::Inconclusive => "inconclusive",
        Verdict::PromoteWithDispatch => "promote_with_dispatch",
        Verdict::Promote => "promote",
    }
}

/// Verdict, deciding reason, headline, losses.
pub(crate) fn summary(data: &VerdictData) -> String {
    let decides = |effect: Effect| data.reasons.iter().find(|reason| reason.effect == effect);
    let first = match data.verdict {
        Verdict::Invalid => decides(Effect::Invalid),
        Verdict::RejectCorrectness => decides(Effect::RejectCorrectness),
        Verdict::Inconclusive => decides(Effect::BlocksPromotion),
        _ => None,
    };
    let mut text = format!("{}.", words(data.verdict));
    if let Some(reason) = first {
        let of_its_effect = |other: &&contracts::kernel_gate::verdict::Reason| other.effect == reason.effect;
        let more = data.reasons.iter().filter(of_its_effect).count() - 1;
        text = format!("{}: {} ({})", words(data.verdict), reason.message, reason.code);
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        text.push('.');
    }
    let clock = match data.judged_on {
        Some(TimeKind::Device) => ("device", data.geomean.device, data.time_weighted.device),
        Some(TimeKind::Wall) => ("wall", data.geomean.wall, data.time_weighted.wall),
        None => ("", None, None),
    };
    if let (name, Some(mean), weighted) = clock {
        let weighted =
            weighted.map_or_else(String::new, |ratio| format!(", time-weighted {:.4}", ratio.get()));
        text.push_str(&format!(
            " Geometric mean {:.4} ({name} times){weighted} over {} production rows.",
            mean.get(),
            data.counts.production
        ));
    }
    if let Some(loss) = data.losses.first() {
        text.push_str(&format!(
            " {} materially slower, the worst {:.3}.",
            data.losses.len(),
            loss.speedup.get()
        ));
    }
    if let Some(amdahl) = data
        .amdahl
        .as_ref()
        .filter(|of| of.claim_contradicted == Some(true))
    {
        let claim = amdahl.claim.map_or(0.0, contracts::Finite::get);
        text.push_str(&format!(" The claim of {claim}x end to end is contradicted."));
    }
    text
}

/// Commands that can be run as they stand.
pub(crate) fn commands(data: &VerdictData, workloads: Option<&Path>) -> Vec<NextAction> {
    let Some(workloads) = workloads.map(|path| path.display().to_string()) else {
        return Vec::new();
    };
    let plan = |why: &str, more: &[String], out: &str| {
        let mut command: Vec<String> = ["kernel-gate", "plan", "--workloads", &workloads]
            .map(str::to_owned)
            .into();
        command.extend(more.iter().cloned());
        command.extend(["-o".to_owned(), out.to_owned()]);
        NextAction {
            why: why.to_owned(),
            command,
        }
    };
    let again = data.next_actions.iter().find(|step| step.code == "measure-again");
    let anew = data.next_actions.iter().find(|step| step.code == "measure-anew");
    let mut commands = Vec::new();
    if let Some(step) = again {
        let only = step.rows.iter().take(MOST_ONLY);
        let mut more: Vec<String> = only.flat_map(|id| ["--only".to_owned(), id.clone()]).collect();
        more.extend(["--trials".to_owned(), TRIALS_AGAIN.to_string()]);
        commands.push(plan(
            "measure these rows again, then judge with --rerun",
            &more,
            "rerun.plan.json",
        ));
    }
    if let Some(step) = anew {
        commands.push(plan(&step.why, &[], "plan.json"));
    }
    commands
}

//! From classes and means to a verdict.

use contracts::Finite;
use contracts::kernel_gate::verdict::{Effect, TimeKind, Verdict};

use crate::classify::Judged;
use crate::confirmed;
use crate::dispatched::Dispatched;
use crate::headline::Headline;
use crate::reasons::Reasons;
use crate::thresholds::{MATERIAL, UNSTABLE_PCT};

/// Whether the candidate can run all rows, by their times: a gain, no material loss, no row that shows nothing. A dispatch is not
/// needed then, and not deployed.
pub(crate) fn runs_everywhere(judged: &[Judged<'_>], headline: &Headline) -> bool {
    let gain = headline.mean().zip(headline.noise_pct);
    gain.is_some_and(|(mean, noise_pct)| mean - 1.0 > noise_pct / 100.0)
        && !judged.iter().any(|row| row.is_loss() || row.is_unstable())
}

/// The verdict, with the reasons that decide.
pub(crate) fn verdict(
    judged: &[Judged<'_>],
    headline: &Headline,
    dispatch: Option<&Dispatched>,
    reasons: &mut Reasons,
) -> Verdict {
    if reasons.any(Effect::Invalid) {
        return Verdict::Invalid;
    }
    if reasons.any(Effect::RejectCorrectness) {
        return Verdict::RejectCorrectness;
    }
    let (Some(mean), Some(noise_pct)) = (headline.mean(), headline.noise_pct) else {
        reasons.add(Effect::Decides, "no-headline", "no production row has times");
        return Verdict::Inconclusive;
    };
    let noise = noise_pct / 100.0;
    let clock = match headline.clock {
        TimeKind::Device => "device",
        TimeKind::Wall => "wall",
    };
    contradictions(headline, noise, reasons);
    confirmed::check(judged, headline, noise, reasons);
    let losses: Vec<&Judged<'_>> = judged.iter().filter(|row| row.is_loss()).collect();
    let unstable: Vec<&Judged<'_>> = judged.iter().filter(|row| row.is_unstable()).collect();
    let all_routed = |rows: &[&Judged<'_>]| rows.iter().all(|row| row.routed);

    let is_proven = !reasons.any(Effect::BlocksPromotion);
    let gains = mean - 1.0 > noise;
    let promotes = runs_everywhere(judged, headline) && is_proven;
    let ships = !promotes
        && dispatch.is_some_and(|dispatch| {
            let behind = dispatch.document.geomean.map_or(0.0, Finite::get);
            let is_rule = dispatch.routed > 0 && behind - 1.0 > noise;
            let is_ready = !dispatch.lacks(reasons);
            is_rule && is_ready && all_routed(&losses) && all_routed(&unstable) && is_proven
        });

    let code = match () {
        () if gains => "geomean-gain",
        () if mean < 1.0 - noise => "geomean-loss",
        () => "geomean-within-noise",
    };
    let rows = judged.iter().filter(|row| row.measured.production).count();
    reasons.add(
        Effect::Decides,
        code,
        format!(
            "geometric mean {mean:.4} of {clock} times over {rows} production rows; noise {noise_pct:.2} %"
        ),
    );
    let effect = if ships {
        Effect::Note
    } else {
        Effect::BlocksPromotion
    };
    let ids =
        |rows: &[&Judged<'_>]| -> Vec<String> { rows.iter().map(|row| row.measured.id.to_owned()).collect() };
    let mut about = |code: &str, rows: &[&Judged<'_>], message: &str| {
        let ids = ids(rows);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        reasons.lead(effect, code, &ids, message);
    };
    about(
        "rows-unstable",
        &unstable,
        &format!("within a noise of more than {UNSTABLE_PCT} %: a material loss could hide in it"),
    );
    about(
        "material-losses",
        &losses,
        &format!("materially slower: below {MATERIAL}"),
    );
    match () {
        () if promotes => Verdict::Promote,
        () if ships => Verdict::PromoteWithDispatch,
        () if mean < 1.0 - noise => Verdict::Reject,
        () => Verdict::Inconclusive,
    }
}

/// Other numbers that say the opposite of the headline.
fn contradictions(headline: &Headline, noise: f64, reasons: &mut Reasons) {
    let is_loss = |ratio: Option<f64>| ratio.filter(|ratio| *ratio < 1.0 - noise);
    if let Some(ratio) = is_loss(headline.weighted(headline.clock)) {
        reasons.add(
            Effect::BlocksPromotion,
            "time-weighted-loss",
            format!("all rows together take longer: time-weighted ratio {ratio:.4}"),
        );
    }
    // No noise is granted here: a gain that the host's clock does not see in the mean is not one to ship.
    let wall = headline.geomean.get(TimeKind::Wall).filter(|ratio| *ratio < 1.0);
    if let (TimeKind::Device, Some(ratio)) = (headline.clock, wall) {
        reasons.add(
            Effect::BlocksPromotion,
            "wall-contradicts",
            format!("wall times are slower: geometric mean {ratio:.4}"),
        );
    }
}

//! From classes and means to a verdict.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::kernel_gate::dispatch::DispatchTable;
use contracts::kernel_gate::verdict::{Dispatch, Effect, TimeKind, Verdict};

use crate::classify::Judged;
use crate::confirmed;
use crate::dispatch::buckets;
use crate::headline::{geomean, time_weighted};
use crate::judge::Headline;
use crate::measured::Measured;
use crate::reasons::Reasons;
use crate::thresholds::{MATERIAL, ROUTED_PCT, UNSTABLE_PCT};

/// A dispatch with what it still lacks.
pub(crate) struct Dispatched {
    pub(crate) document: Dispatch,
    /// Production rows that the baseline runs.
    pub(crate) routed: usize,
    /// Of those, not measured again behind the dispatch.
    pub(crate) not_again: Vec<String>,
    /// Of those, not at 1.
    pub(crate) differ: Vec<String>,
}

/// Recomputes a dispatch: rows that the baseline runs have a speed-up of 1.
pub(crate) fn dispatch(
    table: &DispatchTable,
    assigned: &[Option<usize>],
    judged: &[Judged<'_>],
    headline: &Headline,
    behind: &BTreeMap<&str, (f64, f64)>,
    clock: TimeKind,
) -> Dispatched {
    let production = || judged.iter().filter(|row| row.measured.production);
    let has_all = production().all(|row| row.pair.is_some()) && production().next().is_some();
    let ratio = |row: &Judged<'_>| match row.routed {
        true => Some(1.0),
        false => row.speedup(),
    };
    let weighted = || {
        time_weighted(production().filter_map(|row| {
            let pair = row.pair?;
            let candidate = if row.routed { pair.baseline } else { pair.candidate };
            let weight = headline.weights.get(row.measured.id).copied().unwrap_or(1.0);
            Some((weight, pair.baseline.median, candidate.median))
        }))
    };
    let mean = || geomean(production().filter_map(ratio));
    let routed: Vec<&Judged<'_>> = production().filter(|row| row.routed).collect();
    let id = |row: &&Judged<'_>| row.measured.id.to_owned();
    let is_off = |row: &&&Judged<'_>| {
        behind.get(row.measured.id).is_some_and(|(speedup, noise)| {
            100.0 * (speedup - 1.0).abs() > noise.clamp(ROUTED_PCT, UNSTABLE_PCT)
        })
    };
    let not_again: Vec<String> = routed
        .iter()
        .filter(|row| !behind.contains_key(row.measured.id))
        .map(id)
        .collect();
    let measured: Vec<Measured<'_>> = judged.iter().map(|row| row.measured.clone()).collect();
    let in_no_bucket = judged.iter().zip(assigned);
    let in_no_bucket = in_no_bucket.filter(|(row, at)| row.measured.production && at.is_none());
    Dispatched {
        routed: routed.len(),
        differ: routed.iter().filter(is_off).map(id).collect(),
        document: Dispatch {
            buckets: buckets(table, &measured, assigned, clock),
            geomean: has_all.then(mean).flatten().and_then(Finite::new),
            time_weighted: has_all.then(weighted).flatten().and_then(Finite::new),
            routed_measured_again: (routed.len() - not_again.len()) as u64,
            rows_in_no_bucket: in_no_bucket.map(|(row, _)| row.measured.id.to_owned()).collect(),
        },
        not_again,
    }
}

impl Dispatched {
    /// Whether it is a rule that can be shipped, by what is known.
    fn lacks(&self, reasons: &mut Reasons) -> bool {
        let words = |rows: &[String]| -> Vec<String> { rows.to_vec() };
        let mut lacks = |code: &str, rows: &[String], message: &str| {
            let rows = words(rows);
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            reasons.rows(Effect::BlocksPromotion, code, &rows, message);
            !rows.is_empty()
        };
        let open = lacks(
            "dispatch-not-total",
            &self.document.rows_in_no_bucket,
            "no bucket of the dispatch takes them",
        );
        let unproven = lacks(
            "routed-not-measured-again",
            &self.not_again,
            "the baseline runs them, and they were not measured again behind the dispatch",
        );
        let off = lacks(
            "routed-rows-differ",
            &self.differ,
            "behind the dispatch they are not at 1: the dispatch costs, or does not route",
        );
        open || unproven || off
    }
}

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

//! Simulated campaigns: pairs come in, every look is taken, the first verdict ends it.

use contracts::gap_decide::decision::Verdict;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use stats::group_sequential::{Design, LOOKS};
use stats::{normal, signed_rank};

use crate::noise::Noise;
use crate::verdict::Bounds;

/// What a campaign decides by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Smallest gap that counts, as a ratio.
    pub threshold_ratio: f64,
    /// Half-width of a tie, as a ratio.
    pub margin_ratio: f64,
    /// Pairs after which it gives up.
    pub max_pairs: usize,
    /// Total two-sided error.
    pub alpha: f64,
}

/// How one campaign ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ending {
    /// The verdict.
    pub verdict: Verdict,
    /// Pairs used.
    pub pairs: usize,
    /// Whether the last interval held the truth.
    pub covered_at_end: bool,
    /// Whether the interval of every look, up to the last of the design, would hold the truth.
    pub covered_at_all_looks: bool,
    /// What "1 % on one run each" says after the first pair.
    pub naive: Verdict,
}

/// Takes every look at `logs` (as many as the last look of the design) until a verdict or `max_pairs`.
pub fn conduct(logs: &[f64], truth: f64, design: &Design, rules: &Rules) -> Ending {
    let bounds = Bounds::new(rules.threshold_ratio, rules.margin_ratio);
    let mut ending = Ending {
        verdict: Verdict::Inconclusive,
        pairs: 0,
        covered_at_end: true,
        covered_at_all_looks: true,
        naive: bounds.judge(logs[0], logs[0]),
    };
    for look in design.looks() {
        let Some(critical) = look.critical else { continue };
        let seen = &logs[..look.pairs];
        let covered = signed_rank::covers(seen, truth, critical);
        ending.covered_at_all_looks &= covered;
        if ending.verdict == Verdict::Inconclusive && look.pairs <= rules.max_pairs {
            ending.pairs = look.pairs;
            ending.covered_at_end = covered;
            let interval = signed_rank::shift_interval(seen, critical);
            ending.verdict = interval.map_or(Verdict::Inconclusive, |i| bounds.judge(i.low, i.high));
        }
    }
    ending
}

/// Rates over many campaigns with one true effect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rates {
    /// Campaigns.
    pub campaigns: usize,
    /// Ended ahead.
    pub ahead: usize,
    /// Ended behind.
    pub behind: usize,
    /// Ended tied.
    pub tied: usize,
    /// Covered at the end.
    pub covered_at_end: usize,
    /// Covered at all looks.
    pub covered_at_all_looks: usize,
    /// Naive verdicts that say ahead.
    pub naive_ahead: usize,
    /// Naive verdicts that say behind.
    pub naive_behind: usize,
    /// Pairs used by each campaign.
    pub pairs: Vec<usize>,
    /// Verdict of each campaign.
    pub verdicts: Vec<Verdict>,
}

impl Rates {
    /// Adds one campaign.
    pub fn add(&mut self, ending: &Ending) {
        self.campaigns += 1;
        self.ahead += usize::from(ending.verdict == Verdict::Ahead);
        self.behind += usize::from(ending.verdict == Verdict::Behind);
        self.tied += usize::from(ending.verdict == Verdict::Tied);
        self.covered_at_end += usize::from(ending.covered_at_end);
        self.covered_at_all_looks += usize::from(ending.covered_at_all_looks);
        self.naive_ahead += usize::from(ending.naive == Verdict::Ahead);
        self.naive_behind += usize::from(ending.naive == Verdict::Behind);
        self.pairs.push(ending.pairs);
        self.verdicts.push(ending.verdict);
    }

    /// Naive verdicts that say ahead or behind.
    pub fn naive_decided(&self) -> usize {
        self.naive_ahead + self.naive_behind
    }

    /// A count as a share of the campaigns.
    pub fn share(&self, count: usize) -> f64 {
        count as f64 / self.campaigns.max(1) as f64
    }

    /// Campaigns that reached `verdict` with at most `pairs` pairs.
    pub fn within(&self, pairs: usize, verdict: Verdict) -> usize {
        self.verdicts
            .iter()
            .zip(&self.pairs)
            .filter(|(v, used)| **v == verdict && **used <= pairs)
            .count()
    }

    /// Mean pairs used.
    pub fn mean_pairs(&self) -> f64 {
        self.pairs.iter().sum::<usize>() as f64 / self.campaigns.max(1) as f64
    }

    /// Nearest-rank percentile of the pairs used.
    pub fn percentile_pairs(&self, percentile: f64) -> usize {
        let mut pairs: Vec<f64> = self.pairs.iter().map(|pairs| *pairs as f64).collect();
        stats::percentile::sort(&mut pairs);
        stats::percentile::nearest_rank(&pairs, percentile).map_or(0, |pairs| pairs as usize)
    }
}

/// Runs `campaigns` campaigns whose true effect is `effect_ratio` (0.03 is 3 % better).
pub fn rates(
    noise: &Noise,
    effect_ratio: f64,
    rules: &Rules,
    design: &Design,
    campaigns: u32,
    seed: u64,
) -> Rates {
    let truth = effect_ratio.ln_1p();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rates = Rates::default();
    for _ in 0..campaigns {
        rates.add(&conduct(&campaign(noise, truth, &mut rng), truth, design, rules));
    }
    rates
}

/// Best of `candidates` with the same true effect: each is screened with `screen_pairs` pairs, the one that looks best
/// goes on. With `reuse` its screening pairs are the first of its verdict, which is the mistake; else they never count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selection {
    /// Candidates.
    pub candidates: usize,
    /// Pairs that each is screened with.
    pub screen_pairs: usize,
    /// Whether the pairs that chose the winner count in its verdict.
    pub reuse: bool,
}

/// [`rates`] for the winner of a selection.
pub fn rates_of_winner(
    noise: &Noise,
    effect_ratio: f64,
    selection: Selection,
    rules: &Rules,
    design: &Design,
    campaigns: u32,
    seed: u64,
) -> Rates {
    let truth = effect_ratio.ln_1p();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rates = Rates::default();
    for _ in 0..campaigns {
        let winner = (0..selection.candidates)
            .map(|_| {
                let mut screen = noise.pairs(&mut rng, selection.screen_pairs);
                screen.iter_mut().for_each(|log| *log += truth);
                screen
            })
            .max_by(|a, b| a.iter().sum::<f64>().total_cmp(&b.iter().sum::<f64>()))
            .unwrap_or_default();
        let mut logs = campaign(noise, truth, &mut rng);
        if selection.reuse {
            logs.splice(0..winner.len(), winner);
        }
        rates.add(&conduct(&logs, truth, design, rules));
    }
    rates
}

fn campaign(noise: &Noise, truth: f64, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut logs = noise.pairs(rng, LOOKS[LOOKS.len() - 1]);
    logs.iter_mut().for_each(|log| *log += truth);
    logs
}

/// Pairs of an oracle that knows the variance and the effect: the smallest fixed number with which a z-interval of the
/// same confidence gives the right verdict nine times in ten. `None` where no verdict is right.
pub fn oracle_pairs(pair_stddev: f64, effect_ratio: f64, rules: &Rules) -> Option<f64> {
    let effect = effect_ratio.ln_1p();
    let bounds = Bounds::new(rules.threshold_ratio, rules.margin_ratio);
    let z = normal::quantile(1.0 - rules.alpha / 2.0);
    let (distance, power) = match bounds.judge(effect, effect) {
        Verdict::Ahead => (effect - bounds.threshold().1, normal::quantile(0.9)),
        Verdict::Behind => (bounds.threshold().0 - effect, normal::quantile(0.9)),
        // Both ends must lie inside.
        Verdict::Tied => (
            (bounds.margin().1 - effect).min(effect - bounds.margin().0),
            normal::quantile(0.95),
        ),
        _ => return None,
    };
    Some((((z + power) * pair_stddev / distance).powi(2)).ceil().max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Sample;
    use crate::noise::Launches;

    const RULES: Rules = Rules {
        threshold_ratio: 0.01,
        margin_ratio: 0.01,
        max_pairs: 56,
        alpha: 0.05,
    };

    #[test]
    fn a_campaign_and_a_document_of_its_pairs_say_the_same() {
        let design = Design::new(RULES.alpha);
        let bounds = Bounds::new(RULES.threshold_ratio, RULES.margin_ratio);
        let noise = Noise::Modelled {
            cv_ratio: 0.01,
            outliers: true,
            launches: Launches::EveryPair,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        for _ in 0..20 {
            let logs = campaign(&noise, 0.02, &mut rng);
            let ending = conduct(&logs, 0.02, &design, &RULES);
            let estimate = Sample::Pairs(logs[..ending.pairs].to_vec()).estimate(&design);
            let (low, high) = estimate.interval.unwrap();
            assert_eq!(bounds.judge(low, high), ending.verdict);
            assert_eq!(low <= 0.02 && 0.02 <= high, ending.covered_at_end);
        }
    }

    #[test]
    fn error_rates_hold_on_a_small_study() {
        let design = Design::new(RULES.alpha);
        let noise = Noise::Modelled {
            cv_ratio: 0.01,
            outliers: false,
            launches: Launches::EveryPair,
        };
        let at_zero = rates(&noise, 0.0, &RULES, &design, 300, 1);
        assert!(at_zero.ahead + at_zero.behind <= 3, "{at_zero:?}");
        let at_three = rates(&noise, -0.03, &RULES, &design, 300, 2);
        assert!(
            at_three.behind >= 294 && at_three.tied == 0,
            "{} of 300",
            at_three.behind
        );
        assert!(at_three.naive_behind > 200);
    }

    #[test]
    fn oracle_needs_fewer_pairs_for_larger_gaps() {
        let pairs = |effect| oracle_pairs(0.02, effect, &RULES);
        assert!(pairs(0.05).unwrap() < pairs(0.03).unwrap());
        assert_eq!(pairs(0.01_f64.ln_1p().exp_m1()), None);
        assert!(pairs(0.0).is_some());
    }

    #[test]
    fn few_measured_magnitudes_keep_the_error_rates() {
        let design = Design::new(RULES.alpha);
        // Drawn with both signs, half of the means would be the truth itself.
        let noise = Noise::Measured(vec![0.02, -0.02, 0.01, 0.0]);
        let at_threshold = rates(&noise, RULES.threshold_ratio, &RULES, &design, 600, 3);
        let wrong = at_threshold.share(at_threshold.ahead + at_threshold.behind);
        assert!(wrong > 0.0 && wrong <= 0.07, "{wrong}");
        let covered = at_threshold.share(at_threshold.covered_at_all_looks);
        assert!((0.92..=0.98).contains(&covered), "{covered}");
    }
}

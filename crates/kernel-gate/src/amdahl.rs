//! What a faster kernel can do for the whole run.

use contracts::Finite;
use contracts::kernel_gate::verdict::{Amdahl, Deployed, Effect};

use crate::reasons::Reasons;
use crate::thresholds::CLAIM_PART;

/// Share of the run, and what was claimed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Part of the run that the kernel takes, percent.
    pub pct: f64,
    /// Claimed end-to-end speed-up.
    pub claim: Option<f64>,
}

/// End-to-end speed-up of a kernel with a share, made faster by a factor.
fn end_to_end(share: f64, speedup: f64) -> f64 {
    1.0 / (1.0 - share + share / speedup)
}

/// The law, and whether the claim is within it: nothing is promoted beside a claim that is not. `speedup` is the kernel's own, of
/// what would be `deployed`, and `noise_pct` its noise.
pub(crate) fn amdahl(
    share: Share,
    (deployed, speedup): (Deployed, Option<f64>),
    noise_pct: f64,
    reasons: &mut Reasons,
) -> Option<Amdahl> {
    let part = share.pct / 100.0;
    let gain = speedup.map(|speedup| end_to_end(part, speedup));
    let most = speedup.map(|speedup| end_to_end(part, speedup * (1.0 + noise_pct / 100.0)));
    // Claims are printed with a few digits.
    let contradicted = share
        .claim
        .zip(most)
        .map(|(claim, most)| claim > most * (1.0 + CLAIM_PART));
    if let (Some(true), Some(claim), Some(gain)) = (contradicted, share.claim, gain) {
        let of = match deployed {
            Deployed::Candidate => "",
            Deployed::Dispatch => " behind the dispatch",
        };
        reasons.add(
            Effect::BlocksPromotion,
            "claim-beyond-amdahl",
            format!(
                "a kernel with {:.1} % of the run that is {:.3}x as fast{of} gives {gain:.4}x end to end; {claim:.4}x is claimed",
                share.pct,
                speedup.unwrap_or(1.0),
            ),
        );
    }
    Some(Amdahl {
        share_pct: Finite::new(share.pct)?,
        speedup_of: deployed,
        kernel_speedup: speedup.and_then(Finite::new),
        end_to_end: gain.and_then(Finite::new),
        time_saved_pct: gain.and_then(|gain| Finite::new(100.0 * (1.0 - 1.0 / gain))),
        limit: Finite::new(1.0 / (1.0 - part)),
        claim: share.claim.and_then(Finite::new),
        claim_contradicted: contradicted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_run_gives_a_tenth_at_most() {
        assert!((end_to_end(0.1, 2.0) - 1.0 / 0.95).abs() < 1e-12);
        let mut reasons = Reasons::default();
        let share = |claim| Share { pct: 10.0, claim };
        let fine = amdahl(
            share(Some(1.0526)),
            (Deployed::Candidate, Some(2.0)),
            0.0,
            &mut reasons,
        )
        .unwrap();
        assert_eq!((fine.claim_contradicted, reasons.0.len()), (Some(false), 0));
        let wrong = amdahl(
            share(Some(1.2)),
            (Deployed::Candidate, Some(2.0)),
            1.0,
            &mut reasons,
        )
        .unwrap();
        assert_eq!(wrong.claim_contradicted, Some(true));
        assert_eq!(reasons.0[0].code, "claim-beyond-amdahl");
        let whole = Share {
            pct: 100.0,
            claim: None,
        };
        assert_eq!(
            amdahl(whole, (Deployed::Candidate, Some(2.0)), 0.0, &mut reasons)
                .unwrap()
                .limit,
            None
        );
    }
}

//! What is put beside a measurement, an A/A or a second measurement: of the same device, rows and sources, and proven as well as
//! the measurement itself.

use contracts::kernel_gate::verdict::{Effect, TimeKind};

use crate::ledger::Ledger;
use crate::measured::Measured;
use crate::proofs::{self, Given};
use crate::reasons::Reasons;
use crate::{row_proofs, row_validity, setup, validity};

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// The baseline against itself.
    Aa,
    /// Rows measured again.
    Rerun,
    /// Rows measured again, with the candidate behind a dispatch.
    BehindDispatch,
}

impl Beside {
    fn name(self) -> &'static str {
        match self {
            Beside::Aa => "A/A",
            Beside::Rerun | Beside::BehindDispatch => "rerun",
        }
    }

    /// Whether its candidate is the file that was given: that of an A/A is the baseline, and a dispatch is a file of its own.
    fn has_candidate(self) -> bool {
        self == Beside::Rerun
    }

    /// What it lacks is one reason; what contradicts is as grave as it is in the measurement.
    pub(crate) fn check(
        self,
        first: &Ledger,
        other: &Ledger,
        rows: &[Measured<'_>],
        given: &Given<'_>,
        clock: TimeKind,
        reasons: &mut Reasons,
    ) {
        let what = self.name();
        validity::measurement(what, other, reasons);
        if let Some((first, other)) = first.provenance.first().zip(other.provenance.first()) {
            setup::check(what, first, other, self.has_candidate(), reasons);
        }
        row_validity::check(other, rows, given.set, Some(clock), reasons);

        let sides = other.provenance.first().and_then(|of| of.sides.as_ref());
        let own = sides.and_then(|sides| sides.candidate.source_sha256.as_deref());
        let given = Given {
            candidate_sha256: if self.has_candidate() {
                given.candidate_sha256
            } else {
                own
            },
            ..*given
        };
        let mut proven = Reasons::default();
        proofs::whole(other, &given, &mut proven);
        let settings = other.provenance.first().map(|of| &of.settings);
        row_proofs::check(rows, Some(clock), settings, &mut proven);
        let (lacks, graver): (Vec<_>, Vec<_>) = proven
            .0
            .into_iter()
            .partition(|reason| reason.effect == Effect::BlocksPromotion);
        reasons.0.extend(graver);
        // That no row set was given is said of the measurement already.
        let lacks = lacks.iter().map(|reason| reason.code.as_str());
        let lacks: Vec<&str> = lacks.filter(|code| *code != "rows-own").collect();
        if !lacks.is_empty() || other.provenance.is_empty() {
            reasons.add(
                Effect::BlocksPromotion,
                "beside-unproven",
                format!(
                    "{what}: it proves less than the measurement: {}",
                    lacks.join(", ")
                ),
            );
        }
    }
}

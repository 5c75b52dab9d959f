//! What the two sides' times are divided by, so that they are of the same work.

use contracts::Warning;
use contracts::profile_tables::diff::NormalisedBy;

use super::side::Amount;

/// The unit, and how many each side has.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Units {
    pub(super) by: NormalisedBy,
    pub(super) ours: u64,
    pub(super) theirs: u64,
    pub(super) warning: Option<Warning>,
}

/// Steps that differ by less are of one size, percent: a prompt with one token more is the same work.
const SAME_PCT: f64 = 1.0;

/// Steps where both sides compute as much in each, else tokens, else nothing.
pub(super) fn units(ours: &Amount, theirs: &Amount) -> Units {
    let (Some(our_steps), Some(their_steps)) = (ours.steps, theirs.steps) else {
        return Units {
            by: NormalisedBy::Trace,
            ours: 1,
            theirs: 1,
            warning: Some(Warning::new(
                "diff-steps-unknown",
                "a side names no steps and shows no passes: whole traces are compared, which is right only when both did the same work",
            )),
        };
    };
    let mean = |all: u64, steps: u64| all as f64 / steps as f64;
    let size =
        |ours: Option<u64>, theirs: Option<u64>| Some((mean(ours?, our_steps), mean(theirs?, their_steps)));
    let near = |(a, b): (f64, f64)| (a - b).abs() * 100.0 <= SAME_PCT * a.max(b);
    let tokens = size(ours.tokens, theirs.tokens);
    let requests = size(ours.requests, theirs.requests);
    let by_step = |warning| Units {
        by: NormalisedBy::Step,
        ours: our_steps,
        theirs: their_steps,
        warning,
    };
    let differ = |what: &str, (a, b): (f64, f64), then: &str| {
        Warning::new(
            "diff-steps-differ",
            format!("a step of ours has {a:.1} {what}, one of theirs {b:.1}: {then}"),
        )
    };
    match (tokens, requests) {
        (Some(size), None) if near(size) => by_step(None),
        (Some(size), Some(batch)) if near(size) && near(batch) => by_step(None),
        (Some(size), _) => match (ours.tokens, theirs.tokens) {
            (Some(our_tokens @ 1..), Some(their_tokens @ 1..)) => Units {
                by: NormalisedBy::Token,
                ours: our_tokens,
                theirs: their_tokens,
                warning: Some(differ(
                    "tokens",
                    size,
                    "times are those of one token, which flatters the larger step; record both with the same batch",
                )),
            },
            _ => by_step(None),
        },
        (None, Some(batch)) if near(batch) => by_step(None),
        (None, Some(batch)) => by_step(Some(differ(
            "requests",
            batch,
            "and their tokens are unknown, so times of unequal steps are compared",
        ))),
        (None, None) => by_step(Some(Warning::new(
            "diff-batch-unknown",
            "a side does not say how much its steps compute: they are taken as equal",
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(steps: u64, tokens: Option<u64>, requests: Option<u64>) -> Amount {
        Amount {
            steps: Some(steps),
            tokens,
            requests,
            ..Amount::default()
        }
    }

    #[test]
    fn equal_steps_are_compared_as_steps_and_others_by_token() {
        let decode = |steps, batch| amount(steps, Some(steps * batch), Some(steps * batch));
        let found = units(&decode(10, 16), &decode(4, 16));
        assert_eq!((found.by, found.ours, found.theirs), (NormalisedBy::Step, 10, 4));
        assert_eq!(found.warning, None);

        let found = units(&decode(10, 16), &decode(10, 32));
        assert_eq!(
            (found.by, found.ours, found.theirs),
            (NormalisedBy::Token, 160, 320)
        );
        assert!(
            found
                .warning
                .is_some_and(|warning| warning.message.contains("16.0"))
        );

        // One prompt of 600 tokens is not two of 300.
        let found = units(&amount(3, Some(1800), Some(3)), &amount(3, Some(1800), Some(6)));
        assert_eq!(found.by, NormalisedBy::Token);
    }

    #[test]
    fn what_is_unknown_is_said() {
        let code = |units: Units| units.warning.map(|warning| warning.code);
        let none = amount(5, None, None);
        let found = units(&none, &amount(5, Some(80), Some(80)));
        assert_eq!(
            (found.by, code(found).as_deref()),
            (NormalisedBy::Step, Some("diff-batch-unknown"))
        );
        let found = units(&Amount::default(), &none);
        assert_eq!(
            (found.by, found.ours, code(found).as_deref()),
            (NormalisedBy::Trace, 1, Some("diff-steps-unknown"))
        );
        let found = units(&amount(5, None, Some(5)), &amount(5, None, Some(10)));
        assert_eq!(
            (found.by, code(found).as_deref()),
            (NormalisedBy::Step, Some("diff-steps-differ"))
        );
    }
}

//! Whether a server answers better than a guess: one that does not cannot be seen to answer worse.

use contracts::Warning;
use contracts::quality_gate::result::ResultData;

use crate::extract::Kind;
use crate::suite::Question;

/// Fewest questions with letters whose guesses mean anything.
const FEWEST: usize = 12;

/// Said where the accuracy may be that of guesses: a letter of as many as each question has, and no number.
pub(crate) fn warning(questions: &[Question], data: &ResultData) -> Option<Warning> {
    let options = questions.iter().filter_map(|question| match question.kind {
        Kind::Letter(count) if count > 0 => Some(1.0 / f64::from(count)),
        _ => None,
    });
    let guesses: Vec<f64> = options.collect();
    if guesses.len() < FEWEST {
        return None;
    }
    let all = u32::try_from(questions.len()).ok()?;
    let by_chance = guesses.iter().sum::<f64>() / f64::from(all);
    let low = data.accuracy?.ci_low_ratio.get();
    (low <= by_chance).then(|| {
        Warning::new(
            "accuracy-at-chance",
            format!(
                "{} of {} right may be guesses, which would have {:.0} %: no drop can be seen below that; ask in a form that the model \
                 answers, or easier questions",
                data.correct,
                data.answered,
                100.0 * by_chance
            ),
        )
    })
}

//! Whether the server counts the prompt tokens that were asked for.

use contracts::Finite;
use contracts::serve_bench::result::PromptCheck;

use super::error::WorkloadError;

/// Largest difference between asked and served prompt length, percent.
const TOLERANCE_PCT: f64 = 1.0;
/// A difference that any prompt may have: the token that many tokenizers put in front.
const TOLERANCE_TOKENS: f64 = 1.0;

/// Compares `usage.prompt_tokens` of a probe with the asked length, the chat template's tokens taken off.
///
/// # Errors
/// [`WorkloadError::PromptMismatch`] above 1 % and one token.
pub fn prompt_check(asked: u64, served: u64, template: Option<u64>) -> Result<PromptCheck, WorkloadError> {
    let own = served as f64 - template.unwrap_or(0) as f64;
    let error_pct = 100.0 * (own - asked as f64) / (asked.max(1) as f64);
    if error_pct.abs() > TOLERANCE_PCT && (own - asked as f64).abs() > TOLERANCE_TOKENS {
        return Err(WorkloadError::PromptMismatch {
            asked,
            served,
            template: template.unwrap_or(0),
            error_pct,
        });
    }
    Ok(PromptCheck {
        asked_tokens: asked,
        served_tokens: served,
        template_tokens: template,
        error_pct: Finite::new(error_pct).unwrap_or_else(|| Finite::from(0)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_percent_and_one_token_are_the_limit() {
        assert_eq!(prompt_check(1000, 1019, Some(9)).unwrap().error_pct.get(), 1.0);
        assert_eq!(prompt_check(1000, 990, None).unwrap().error_pct.get(), -1.0);
        assert!(prompt_check(1000, 1020, Some(9)).is_err());
        assert!(prompt_check(1000, 989, None).is_err());
        assert_eq!(prompt_check(10, 11, Some(0)).unwrap().error_pct.get(), 10.0);
        assert!(prompt_check(10, 12, None).is_err());
    }
}

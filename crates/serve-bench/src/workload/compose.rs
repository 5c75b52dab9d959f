//! Prompt texts of an exact length.
//!
//! Every text starts with a salt: four words of which the first is another one for every 512 requests in a row and
//! the first two for every 262,144. No two prompts share a beginning by accident, so that a prefix cache helps only
//! where the workload asks for it.

use super::error::WorkloadError;
use super::seed::{Purpose, Stream};
use super::sizer::{PromptSizer, PromptUnit};
use super::words::{self, word};

/// Words at the start of a text that set it apart.
pub(super) const SALT_WORDS: u64 = 4;

/// Prompt text of a whole workload; more is refused, because it is held in memory.
pub(super) const MAX_PROMPT_BYTES: u64 = 512 << 20;

/// Texts tried before a length is given up.
const ATTEMPTS: u32 = 24;

/// Makes texts and counts their bytes.
pub(super) struct Composer<'a> {
    sizer: &'a mut dyn PromptSizer,
    /// Learnt from the texts so far, so that the first try fits most of the time.
    words_per_unit: f64,
    bytes: u64,
}

impl<'a> Composer<'a> {
    pub(super) fn new(sizer: &'a mut dyn PromptSizer) -> Composer<'a> {
        Composer {
            sizer,
            words_per_unit: 1.0,
            bytes: 0,
        }
    }

    pub(super) fn unit(&self) -> PromptUnit {
        self.sizer.unit()
    }

    pub(super) fn tokenizer(&self) -> Option<String> {
        self.sizer.tokenizer()
    }

    /// Length of a given text.
    pub(super) fn count(&mut self, text: &str) -> Result<u64, WorkloadError> {
        self.sizer.count(text)
    }

    /// Adds a prompt to the size of the workload; here a long generation notices Ctrl-C.
    pub(super) fn charge(&mut self, index: u64, bytes: usize) -> Result<(), WorkloadError> {
        if cli_kit::interrupted() {
            return Err(WorkloadError::Interrupted);
        }
        self.bytes += bytes as u64;
        if self.bytes > MAX_PROMPT_BYTES {
            return Err(WorkloadError::TooLarge {
                index,
                limit_bytes: MAX_PROMPT_BYTES,
            });
        }
        Ok(())
    }

    /// Refuses before any text is made what is too large for certain; `lengths` are in the sizer's unit.
    pub(super) fn refuse_early(&self, lengths: impl Iterator<Item = u64>) -> Result<(), WorkloadError> {
        // The words have 6 bytes each on average, space included, and no token of them has fewer than two.
        let least = match self.sizer.unit() {
            PromptUnit::Words => 5,
            PromptUnit::Tokens => 2,
        };
        let mut bytes = 0_u64;
        for (index, length) in lengths.enumerate() {
            bytes = bytes.saturating_add(length.saturating_mul(least));
            if bytes > MAX_PROMPT_BYTES {
                return Err(WorkloadError::TooLarge {
                    index: index as u64,
                    limit_bytes: MAX_PROMPT_BYTES,
                });
            }
        }
        Ok(())
    }

    /// `head` and random words after it, `target` long in all; a head that is too long is cut. Gives the text and
    /// its length, which differs from the target by at most 1 % where no text fits exactly.
    pub(super) fn fit(
        &mut self,
        head: &[&'static str],
        stream: &mut Stream,
        target: u64,
    ) -> Result<(String, u64), WorkloadError> {
        let (words, count) = self.fit_words(head, stream, target)?;
        Ok((words.join(" "), count))
    }

    /// [`Composer::fit`] that gives the words.
    pub(super) fn fit_words(
        &mut self,
        head: &[&'static str],
        stream: &mut Stream,
        target: u64,
    ) -> Result<(Vec<&'static str>, u64), WorkloadError> {
        let mut words: Vec<&'static str> = head.to_vec();
        if self.sizer.unit() == PromptUnit::Words {
            resize(&mut words, target, stream);
            return Ok((words, target));
        }
        let mut wanted = ((target as f64 * self.words_per_unit).round() as u64).max(1);
        let mut nearest: Option<(u64, Vec<&'static str>)> = None;
        for _ in 0..ATTEMPTS {
            resize(&mut words, wanted, stream);
            let count = self.sizer.count(&words.join(" "))?;
            if count == target {
                self.words_per_unit = wanted as f64 / target as f64;
                return Ok((words, count));
            }
            if nearest
                .as_ref()
                .is_none_or(|(best, _)| count.abs_diff(target) < best.abs_diff(target))
            {
                nearest = Some((count, words.clone()));
            }
            let step = ((count.abs_diff(target) as f64 * self.words_per_unit) as u64).max(1);
            wanted = if count > target {
                // The last word goes in any case: another one in its place may be shorter.
                wanted.saturating_sub(step).max(1)
            } else {
                wanted
                    .saturating_add(step)
                    .min(target.saturating_mul(8).saturating_add(8))
            };
            if count > target && words.len() as u64 == wanted {
                words.pop();
            }
        }
        let (count, words) = nearest.expect("at least one text was tried");
        if count.abs_diff(target) * 100 <= target {
            return Ok((words, count));
        }
        Err(WorkloadError::PromptLength {
            tokenizer: self.sizer.tokenizer().unwrap_or_default(),
            asked: target,
            nearest: count,
        })
    }
}

/// Cuts or fills up with random words.
fn resize(words: &mut Vec<&'static str>, wanted: u64, stream: &mut Stream) {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    words.truncate(wanted);
    while words.len() < wanted {
        words.push(word(stream.bits()));
    }
}

/// The words that set request `index` apart from all others of its set.
pub(super) fn salt(seed: u64, set: &str, number: u64, index: u64) -> [&'static str; SALT_WORDS as usize] {
    let mut base = Stream::new(seed, set, Purpose::Salt, number);
    let count = words::COUNT as u64;
    [
        word(base.bits().wrapping_add(index)),
        word(base.bits().wrapping_add(index / count)),
        word(base.bits().wrapping_add(index / (count * count))),
        word(base.bits()),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::sizer::{ServerTokenizer, Words};
    use super::*;

    fn stream() -> Stream {
        Stream::new(1, "s", Purpose::Text, 0)
    }

    #[test]
    fn words_are_exact_and_a_long_head_is_cut() {
        let mut sizer = Words;
        let mut composer = Composer::new(&mut sizer);
        let (text, length) = composer.fit(&["a", "b"], &mut stream(), 5).unwrap();
        assert_eq!((text.split(' ').count(), length), (5, 5));
        assert!(text.starts_with("a b "));
        assert_eq!(composer.fit(&["a", "b"], &mut stream(), 1).unwrap().0, "a");
    }

    #[test]
    fn tokens_are_exact_where_words_cost_more_than_one() {
        // One token to begin, and one for every four letters.
        let mut sizer = ServerTokenizer::new(|text: &str| {
            Ok(1 + text
                .split(' ')
                .map(|word| word.len().div_ceil(4) as u64)
                .sum::<u64>())
        });
        let mut composer = Composer::new(&mut sizer);
        for target in [5, 50, 333, 1000, 8000] {
            let (text, length) = composer.fit(&salt(1, "s", 0, 3), &mut stream(), target).unwrap();
            assert_eq!(length, target);
            assert_eq!(composer.count(&text).unwrap(), target);
        }
    }

    #[test]
    fn most_texts_need_one_count() {
        let mut asked = 0;
        let mut sizer = ServerTokenizer::new(|text: &str| {
            asked += 1;
            Ok(text.split(' ').count() as u64)
        });
        let mut composer = Composer::new(&mut sizer);
        for index in 0..20 {
            composer
                .fit(&salt(1, "s", 0, index), &mut stream(), 1000)
                .unwrap();
        }
        assert_eq!(asked, 20);
    }

    #[test]
    fn a_length_that_cannot_be_is_an_error() {
        let mut sizer = ServerTokenizer::new(|text: &str| Ok(10 * text.split(' ').count() as u64));
        let mut composer = Composer::new(&mut sizer);
        let error = composer.fit(&[], &mut stream(), 15).unwrap_err();
        assert!(
            matches!(error, WorkloadError::PromptLength { asked: 15, .. }),
            "{error}"
        );
    }

    #[test]
    fn the_size_of_a_workload_is_bounded() {
        let mut sizer = Words;
        let mut composer = Composer::new(&mut sizer);
        composer.charge(0, MAX_PROMPT_BYTES as usize).unwrap();
        let error = composer.charge(1, 1).unwrap_err();
        assert!(
            matches!(error, WorkloadError::TooLarge { index: 1, .. }),
            "{error}"
        );
        assert!(composer.refuse_early(std::iter::repeat_n(8000, 80)).is_ok());
        let error = composer.refuse_early(std::iter::repeat(4_000_000)).unwrap_err();
        assert!(
            matches!(error, WorkloadError::TooLarge { index: 26, .. }),
            "{error}"
        );
    }

    #[test]
    fn salts_differ_in_the_first_word_for_512_requests_in_a_row() {
        let firsts: std::collections::BTreeSet<&str> =
            (0..512).map(|index| salt(9, "chat", 0, index)[0]).collect();
        assert_eq!(firsts.len(), 512);
        let pairs: std::collections::BTreeSet<[&str; 2]> = (0..5000)
            .map(|index| salt(9, "chat", 0, index))
            .map(|salt| [salt[0], salt[1]])
            .collect();
        assert_eq!(pairs.len(), 5000);
    }
}

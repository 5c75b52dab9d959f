//! Patterns over the words of a kernel name: what the rule files (families, fusions) are written in.
//!
//! Words are split where an identifier is: at anything that is no letter or digit, and at camel-case borders
//! (`FusedAddRMSNorm` is `fused add rms norm`), in lower case. So `mma` is no part of `commandbuffer`, and `norm` is
//! none of `normal`.
//!
//! | pattern | matches |
//! |---|---|
//! | `rms norm` | these words in a row |
//! | `*gemm`, `nvjet*`, `*norm*` | a word that ends with it, begins with it, contains it |
//! | `^bmm` | the first word of the function's path |
//! | `moe::` | a namespace |
//! | `~_rm_tn` | this text anywhere (where words do not do) |

use std::ops::Range;

use serde::Deserialize;

use crate::kernel_name::Anatomy;

/// The words of one kernel name.
#[derive(Clone, Debug)]
pub struct Words {
    /// Path and template arguments in lower case.
    text: String,
    /// Where in `text` the arguments begin.
    path_end: usize,
    words: Vec<Range<usize>>,
    /// How many of `words` are of the path.
    path_words: usize,
}

/// Which part of a name a pattern looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Namespaces and function.
    #[default]
    Path,
    /// Path and template arguments.
    Name,
}

impl Words {
    /// Takes a kernel name into its words.
    pub fn of(name: &str) -> Self {
        let Anatomy { path, arguments } = Anatomy::of(name);
        let mut words = Vec::new();
        split(&path, 0, &mut words);
        let path_words = words.len();
        split(&arguments, path.len() + 1, &mut words);
        let mut text = format!("{path} {arguments}");
        text.make_ascii_lowercase();
        Self {
            text,
            path_end: path.len(),
            words,
            path_words,
        }
    }

    fn words(&self, part: Part) -> &[Range<usize>] {
        match part {
            Part::Path => &self.words[..self.path_words],
            Part::Name => &self.words,
        }
    }

    fn text(&self, part: Part) -> &str {
        match part {
            Part::Path => &self.text[..self.path_end],
            Part::Name => &self.text,
        }
    }
}

/// Word ranges of `text`, moved by `offset`.
fn split(text: &str, offset: usize, words: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut start = 0;
    for at in 0..=bytes.len() {
        let ends = at == bytes.len() || !bytes[at].is_ascii_alphanumeric();
        if ends || (at > start && is_camel_border(bytes, at)) {
            if at > start {
                words.push(offset + start..offset + at);
            }
            start = if ends { at + 1 } else { at };
        }
    }
}

/// Whether a word begins at the capital `bytes[at]`: after a small letter or a digit (`fooBar`, `fp8Quant`), or as the
/// last capital of a run (`RMSNorm`).
fn is_camel_border(bytes: &[u8], at: usize) -> bool {
    let (before, here) = (bytes[at - 1], bytes[at]);
    here.is_ascii_uppercase()
        && (!before.is_ascii_uppercase() || bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase))
}

/// One pattern; the table above has the kinds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct NamePattern(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Run {
        anchored: bool,
        words: Vec<WordPattern>,
    },
    /// `moe::`, with the colons.
    Namespace(String),
    Text(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct WordPattern {
    text: String,
    open_start: bool,
    open_end: bool,
}

/// A pattern that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name pattern: words in lower case, `*` only at the ends of a word")]
pub struct BadPattern(String);

impl NamePattern {
    /// Whether the pattern matches in the given part of the name.
    pub fn matches(&self, name: &Words, part: Part) -> bool {
        match &self.0 {
            Kind::Text(text) => name.text(part).contains(text.as_str()),
            Kind::Namespace(namespace) => name
                .text(part)
                .match_indices(namespace.as_str())
                .any(|(at, _)| at == 0 || !is_identifier(name.text.as_bytes()[at - 1])),
            Kind::Run { anchored, words } => {
                let starts = if *anchored { 1 } else { usize::MAX };
                name.words(part).windows(words.len()).take(starts).any(|window| {
                    window
                        .iter()
                        .zip(words)
                        .all(|(range, word)| word.matches(&name.text[range.clone()]))
                })
            }
        }
    }
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a name fits a rule: each of `all`, one of `any` where there are some, and none of `not`.
pub fn fits(name: &Words, part: Part, all: &[NamePattern], any: &[NamePattern], not: &[NamePattern]) -> bool {
    let hit = |pattern: &NamePattern| pattern.matches(name, part);
    all.iter().all(hit) && (any.is_empty() || any.iter().any(hit)) && !not.iter().any(hit)
}

impl WordPattern {
    fn matches(&self, word: &str) -> bool {
        match (self.open_start, self.open_end) {
            (false, false) => word == self.text,
            (true, false) => word.ends_with(&self.text),
            (false, true) => word.starts_with(&self.text),
            (true, true) => word.contains(&self.text),
        }
    }
}

impl TryFrom<String> for NamePattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        let bad = || BadPattern(text.clone());
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(bad());
        }
        if let Some(raw) = text.strip_prefix('~') {
            return if raw.is_empty() {
                Err(bad())
            } else {
                Ok(Self(Kind::Text(raw.to_owned())))
            };
        }
        if let Some(name) = text.strip_suffix("::") {
            let valid = !name.is_empty() && name.bytes().all(is_identifier);
            return if valid {
                Ok(Self(Kind::Namespace(text.clone())))
            } else {
                Err(bad())
            };
        }
        let anchored = text.starts_with('^');
        let words: Option<Vec<_>> = text
            .trim_start_matches('^')
            .split_whitespace()
            .map(WordPattern::parse)
            .collect();
        match words {
            Some(words) if !words.is_empty() => Ok(Self(Kind::Run { anchored, words })),
            _ => Err(bad()),
        }
    }
}

impl WordPattern {
    fn parse(text: &str) -> Option<Self> {
        let word = text.strip_prefix('*').unwrap_or(text);
        let word = word.strip_suffix('*').unwrap_or(word);
        let valid = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        valid.then(|| Self {
            text: word.to_owned(),
            open_start: text.starts_with('*'),
            open_end: text.ends_with('*'),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(name: &str) -> Vec<String> {
        let words = Words::of(name);
        words
            .words
            .iter()
            .map(|range| words.text[range.clone()].to_owned())
            .collect()
    }

    fn matches(pattern: &str, part: Part, name: &str) -> bool {
        NamePattern::try_from(pattern.to_owned())
            .unwrap()
            .matches(&Words::of(name), part)
    }

    #[test]
    fn words_follow_identifiers() {
        assert_eq!(
            words("FusedAddRMSNormKernel"),
            ["fused", "add", "rms", "norm", "kernel"]
        );
        assert_eq!(
            words("fmhaSm100aKernel_QkvE4m3OBfloat16H64PagedKv").join(" "),
            "fmha sm100a kernel qkv e4m3 o bfloat16 h64 paged kv"
        );
        assert_eq!(words("MT320x224x64"), ["mt320x224x64"]);
        assert_eq!(words("commandbuffer"), ["commandbuffer"]);
        assert_eq!(
            words("void ns::fp8Quant<c10::Half>(int)"),
            ["ns", "fp8", "quant", "c10", "half"]
        );
    }

    #[test]
    fn each_kind_of_pattern() {
        assert!(matches("rms norm", Part::Path, "FusedAddRMSNorm"));
        assert!(!matches("rms norm", Part::Path, "rms_fused_norm"));
        assert!(matches("*gemm", Part::Path, "cutlass_s16816gemm_bf16"));
        assert!(!matches("gemm", Part::Path, "fbgemm_gpu"));
        assert!(matches("fp8 quant*", Part::Path, "scaled_fp8_quantize"));
        assert!(matches("*norm*", Part::Path, "flashinfernormkernels"));
        assert!(matches("^bmm", Part::Path, "bmm_E4m3"));
        assert!(!matches("^bmm", Part::Path, "_x_bmm_E4m3"));
        assert!(matches("~x224x", Part::Path, "Cijk_MT320x224x64"));
    }

    #[test]
    fn a_namespace_is_no_part_of_another() {
        let name = "void cutlass::device_kernel<flash::FlashAttnFwd<int>>(int)";
        assert!(matches("cutlass::", Part::Path, name));
        assert!(!matches("flash::", Part::Path, name));
        assert!(matches("flash::", Part::Name, name));
        assert!(!matches("lash::", Part::Name, name));
        assert!(!matches("moe::", Part::Path, "xmoe::run<int>(int)"));
    }

    #[test]
    fn bad_patterns_are_refused() {
        for bad in ["", " ", "*", "a*b", "Norm", "~", "::", "a b::", "^", "rms_norm"] {
            assert!(NamePattern::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_name_and_pattern(name in any::<String>(), pattern in "[~^*]?[a-z0-9]{1,4}( [a-z]{1,3}){0,2}(::)?") {
            if let Ok(pattern) = NamePattern::try_from(pattern) {
                let words = Words::of(&name);
                let _ = pattern.matches(&words, Part::Path);
                prop_assert!(!pattern.matches(&words, Part::Path) || pattern.matches(&words, Part::Name));
            }
        }
    }
}

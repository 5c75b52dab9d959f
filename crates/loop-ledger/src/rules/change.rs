//! Whether the change that an attempt declares is the one that its launch shows. Pure.

use contracts::{Warning, argv};

/// Flags that say where a server listens, and not how it works.
const PLACE: [&str; 2] = ["--port", "--host"];

/// What the flags in the words of a change and the difference of two launches do not share; `None` where the change names
/// no flag or both agree.
pub fn differs(change: &str, before: &[String], now: &[String]) -> Option<Warning> {
    let named = named(change);
    if named.is_empty() {
        return None;
    }
    // Engines read `--max_num_seqs` and `--max-num-seqs` alike.
    let shown: Vec<String> = argv::differing_flags(before, now)
        .into_iter()
        .map(|flag| flag.replace('_', "-"))
        .filter(|flag| !PLACE.contains(&flag.as_str()))
        .collect();
    let mut what = Vec::new();
    let lacking: Vec<&str> = named
        .iter()
        .filter(|flag| !shown.contains(flag))
        .map(String::as_str)
        .collect();
    if !lacking.is_empty() {
        what.push(format!("{} is launched as before", lacking.join(", ")));
    }
    let besides: Vec<String> = shown
        .iter()
        .filter(|flag| !named.contains(flag))
        .map(|flag| contracts::text::clean(flag, 80))
        .collect();
    if !besides.is_empty() {
        what.push(format!(
            "{} changes, which the change does not name",
            besides.join(", ")
        ));
    }
    (!what.is_empty()).then(|| {
        Warning::new(
            "change-differs",
            format!("the launch is not the declared change: {}", what.join("; ")),
        )
    })
}

/// Long flags in running text.
pub(super) fn named(change: &str) -> Vec<String> {
    change
        .split(|c: char| c.is_whitespace() || "`'\"(),;:=".contains(c))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.starts_with("--") && argv::is_flag(word))
        .map(|word| word.replace('_', "-"))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(change: &str, now: &str) -> Option<String> {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        differs(change, &words("serve --port 1 --tp 1 --chunk 512"), &words(now))
            .map(|warning| warning.message)
    }

    #[test]
    fn a_flag_that_is_named_has_to_show() {
        let now = "serve --port 2 --tp 1 --chunk 512";
        let said = said("set --chunk_size=4096 and --tp", now).unwrap();
        assert!(
            said.contains("--chunk-size, --tp is launched as before"),
            "{said}"
        );
    }

    #[test]
    fn what_shows_has_to_be_named() {
        let said = said("--chunk 4096.", "serve --port 2 --tp 2 --chunk 4096").unwrap();
        assert!(
            said.contains("--tp changes") && !said.contains("before"),
            "{said}"
        );
    }

    #[test]
    fn an_honest_change_is_silent() {
        assert_eq!(said("`--chunk 4096`", "serve --port 9 --tp 1 --chunk=4096"), None);
        assert_eq!(said("no more chunking (--chunk)", "serve --port 9 --tp 1"), None);
        assert_eq!(
            said("a faster sampler", "serve --port 9"),
            None,
            "no flag is named"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(change in ".{0,80}", word in ".{0,12}") {
            let _ = differs(&change, &[], &[word]);
        }
    }
}

//! Whether arguments ask for a hook, read without clap: an unknown flag must not decide how a session ends.

use std::ffi::OsString;
use std::path::PathBuf;

/// Flags of all commands that take a value.
const WITH_VALUE: [&str; 5] = ["--root", "--format", "--output", "-o", "--top"];

/// A call of a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    /// `--root`; `None` when it was not given.
    pub(crate) root: Option<PathBuf>,
    /// The hook, for example `stop`; `None` when none was named.
    pub(crate) hook: Option<String>,
}

/// The call, if the first word that names a command is `hook`. Help is for people and goes the usual way.
pub(crate) fn read(argv: &[OsString]) -> Option<Call> {
    let commands = crate::cli::command_names();
    let mut call = Call::default();
    let mut is_hook = false;
    let mut words = argv.iter().skip(1);
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "--" {
            break;
        }
        if ["--help", "-h", "--skill", "--schema"].contains(&text.as_ref()) {
            return None;
        }
        if let Some(root) = text.strip_prefix("--root=") {
            call.root = Some(PathBuf::from(root));
        } else if text == "--root" {
            call.root = words.next().map(PathBuf::from);
        } else if WITH_VALUE.contains(&text.as_ref()) {
            words.next();
        } else if text.starts_with('-') {
            // Whatever it is, it changes nothing here.
        } else if is_hook {
            call.hook.get_or_insert_with(|| text.into_owned());
        } else if text == "hook" {
            is_hook = true;
        } else if commands.iter().any(|name| *name == text) {
            return None;
        }
    }
    is_hook.then_some(call)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(words: &[&str]) -> Option<Call> {
        let argv: Vec<OsString> = std::iter::once("loop-ledger")
            .chain(words.iter().copied())
            .map(OsString::from)
            .collect();
        read(&argv)
    }

    fn call(root: Option<&str>, hook: Option<&str>) -> Option<Call> {
        Some(Call {
            root: root.map(PathBuf::from),
            hook: hook.map(str::to_owned),
        })
    }

    #[test]
    fn a_hook_is_one_whatever_else_is_wrong() {
        assert_eq!(of(&["hook", "stop"]), call(None, Some("stop")));
        assert_eq!(
            of(&["hook", "stop", "--root", "r"]),
            call(Some("r"), Some("stop"))
        );
        assert_eq!(
            of(&["--root=r", "hook", "stop", "--what"]),
            call(Some("r"), Some("stop"))
        );
        assert_eq!(
            of(&["--root", "status", "hook", "stop"]),
            call(Some("status"), Some("stop"))
        );
        assert_eq!(
            of(&["--no-such-flag", "x", "hook", "stop"]),
            call(None, Some("stop"))
        );
        assert_eq!(of(&["hook"]), call(None, None));
        assert_eq!(
            of(&["hook", "--format", "json", "stop", "again"]),
            call(None, Some("stop"))
        );
    }

    #[test]
    fn other_commands_are_no_hooks() {
        for words in [
            &["status"] as &[&str],
            &["idea", "--idea", "hook"],
            &["--root", "hook", "status"],
            &["blocker", "--", "hook"],
            &["--", "hook"],
            &["hook", "--help"],
            &[],
        ] {
            assert_eq!(of(words), None, "{words:?}");
        }
    }

    proptest! {
        #[test]
        fn no_words_panic(words in prop::collection::vec(".{0,12}", 0..6)) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut hook = vec!["hook", "stop"];
            hook.extend(&words);
            let help = words.iter().take_while(|word| **word != "--").any(|word| ["--help", "-h", "--skill", "--schema"].contains(word));
            prop_assert_eq!(of(&hook).is_some(), !help);
        }
    }
}

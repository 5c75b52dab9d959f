//! The command that tells a person: an argv, never a shell, with the message as its last argument.

use std::time::Duration;

use crate::probe;

/// Words of a command at most.
const WORDS: usize = 64;
/// Longest time that it may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A command for alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notify(Vec<String>);

impl Notify {
    /// From one JSON array of strings.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &str) -> Result<Notify, String> {
        let argv: Vec<String> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match argv.first() {
            None => Err("it is empty".to_owned()),
            Some(program) if program.is_empty() => Err("its first word is empty".to_owned()),
            Some(_) if argv.len() > WORDS => Err(format!("it has more than {WORDS} words")),
            Some(_) if argv.iter().any(|word| word.contains('\0')) => Err("it holds a NUL".to_owned()),
            Some(_) => Ok(Notify(argv)),
        }
    }

    /// Runs it with a message; its exit code, `None` for a signal.
    ///
    /// # Errors
    /// Why it did not run to its end.
    pub(crate) fn send(&self, message: &str) -> Result<Option<i32>, String> {
        let mut argv = self.0.clone();
        argv.push(message.to_owned());
        probe::run(&argv, None, LIMIT)
            .map(|ran| ran.code)
            .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_argv_is_one_array_of_strings() {
        assert_eq!(
            Notify::parse(r#"["mail","me"]"#),
            Ok(Notify(vec!["mail".to_owned(), "me".to_owned()]))
        );
        for wrong in [
            "",
            "mail me",
            "[]",
            "[\"\"]",
            "[1]",
            "{\"a\":1}",
            r#"["a\u0000"]"#,
            "\"mail\"",
        ] {
            assert!(Notify::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_message_is_one_argument_and_never_a_command() {
        let folder = tempfile::tempdir().unwrap();
        let trap = folder.path().join("trap");
        let script = "printf '%s' \"$1\" > \"$0\"; exit 3";
        let kept = folder.path().join("message");
        let argv = serde_json::to_string(&["sh", "-c", script, kept.to_str().unwrap()]).unwrap();
        let message = format!("gone; touch {} $(touch {})", trap.display(), trap.display());
        assert_eq!(Notify::parse(&argv).unwrap().send(&message), Ok(Some(3)));
        assert_eq!(std::fs::read_to_string(kept).unwrap(), message);
        assert!(!trap.exists());
        let missing = Notify::parse(r#"["no-such-program-here"]"#).unwrap().send("x");
        assert_eq!(missing, Err("no-such-program-here is not installed".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_an_argv_or_refused(text in ".{0,100}", words in prop::collection::vec("[a-z -]{1,9}", 1..9)) {
            let _ = Notify::parse(&text);
            let argv = serde_json::to_string(&words).unwrap();
            prop_assert_eq!(Notify::parse(&argv), Ok(Notify(words)));
        }
    }
}

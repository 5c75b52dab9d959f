//! Secrets that a launch hands to its server, so that they can be taken out of the server's log.

use std::ffi::OsStr;

use contracts::secret::{self, is_secret};

/// Shorter values would be found everywhere.
const SHORTEST: usize = 6;

/// Values to be taken out of texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets {
    values: Vec<String>,
}

impl Secrets {
    /// The secrets among environment variables and the words of a command line.
    pub(crate) fn of<'a>(
        environment: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>,
        argv: &[String],
    ) -> Secrets {
        let mut values: Vec<String> = environment
            .into_iter()
            .filter(|(name, _)| is_secret(&name.to_string_lossy()))
            .filter_map(|(_, value)| value.to_str().map(str::to_owned))
            .collect();
        let words = secret::in_argv(argv.iter().map(String::as_str));
        let lines = argv.iter().flat_map(|word| secret::in_line(word));
        values.extend(words.into_iter().chain(lines).map(|found| found.value.to_owned()));
        values.retain(|value| value.len() >= SHORTEST);
        // The longest first, so that no part of it is left when a shorter one lies inside.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Secrets { values }
    }

    /// The text without them.
    pub(crate) fn removed_from(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for value in &self.values {
            if out.contains(value.as_str()) {
                out = out.replace(value.as_str(), "***");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_them_in_variables_and_flags() {
        let environment = [
            ("HF_TOKEN", "hf_abcdef"),
            ("PATH", "/usr/bin"),
            ("X_API_KEY", "abc"),
        ];
        let environment = environment.map(|(name, value)| (OsStr::new(name), OsStr::new(value)));
        let argv = [
            "serve",
            "--api-key",
            "sk-123456",
            "--admin-api-key=sk-654321",
            "--max-tokens",
            "128000",
            "export HUB_TOKEN=hub-123",
        ];
        let secrets = Secrets::of(environment, &argv.map(str::to_owned));
        let text = "hf_abcdef sk-123456 sk-654321 hub-123 128000 /usr/bin abc";
        assert_eq!(secrets.removed_from(text), "*** *** *** *** 128000 /usr/bin abc");
    }
}

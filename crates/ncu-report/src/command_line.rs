//! The command line of `ncu`, taken apart: options until the program starts. What the program is given is not looked at.

/// Options that take no value; all others take one, as the next word or behind `=`.
const WITHOUT_VALUE: [&str; 28] = [
    "-f",
    "-h",
    "-v",
    "--call-stack",
    "--csv",
    "--details-all",
    "--disable-extra-suffixes",
    "--force-overwrite",
    "--help",
    "--list-chips",
    "--list-metrics",
    "--list-rules",
    "--list-sections",
    "--list-sets",
    "--null-stdin",
    "--nvtx",
    "--open-in-ui",
    "--print-fp",
    "--print-metric-attribution",
    "--print-rule-details",
    "--query-metrics",
    "--query-metrics-collection",
    "--quiet",
    "--section-folder-restore",
    "--support-32bit",
    "--verbose",
    "--version",
    "--use-installed-files",
];

/// Options of a command line, in order, with their values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options(pub(crate) Vec<(String, Option<String>)>);

impl Options {
    /// Options of `line`, whose first word is `ncu` itself.
    pub(crate) fn of(line: &str) -> Self {
        let mut words = words(line).into_iter().skip(1);
        let mut options = Vec::new();
        while let Some(word) = words.next() {
            if !word.starts_with('-') {
                break;
            }
            let option = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None if WITHOUT_VALUE.contains(&word.as_str()) => (word, None),
                None => (word, words.next()),
            };
            options.push(option);
        }
        Self(options)
    }

    /// The last value of an option.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().rev().find(|(option, _)| option == name);
        named.and_then(|(_, value)| value.as_deref())
    }
}

/// Words between white space; quotes keep it. A backslash is a character: paths of Windows are full of them.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// A value as a shell reads it back: in single quotes, where it has more than letters, digits and a few signs.
pub(crate) fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.,:=+@%^-".contains(c);
    if value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_end_where_the_program_starts() {
        let options = Options::of("/opt/ncu --set full -f --clock-control=none ./train --set tiny");
        assert_eq!(options.value("--set"), Some("full"));
        assert_eq!(options.value("--clock-control"), Some("none"));
        assert_eq!(options.0.len(), 3);
    }

    #[test]
    fn a_quoted_path_of_windows_is_one_word() {
        let options =
            Options::of("\"C:\\Program Files\\Nsight\\\\ncu.exe\" --set basic -k 'regex:a b' main.exe");
        assert_eq!(options.value("--set"), Some("basic"));
        assert_eq!(options.value("-k"), Some("regex:a b"));
    }

    #[test]
    fn nothing_is_made_up() {
        assert_eq!(Options::of(""), Options(Vec::new()));
        assert_eq!(Options::of("ncu --set").value("--set"), None);
    }
}

//! What a measurement says of the launch: `sota-loop.subject/1`, so that candidates are told apart where a server does not say its flags.

use std::collections::BTreeMap;
use std::path::Path;

use contracts::config_search::plan::Framework;
use contracts::subject::Subject;

/// Writes the subject of a launch. A variable without a value is this shell's; of a secret not even that comes into the file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(path: &Path, framework: &Framework, argv: &[String]) -> std::io::Result<()> {
    let env: BTreeMap<String, String> = framework
        .env
        .iter()
        .map(|(name, value)| {
            let value = match (contracts::secret::is_secret(name), value.is_empty()) {
                (true, _) => String::new(),
                (false, true) => std::env::var(name).unwrap_or_default(),
                (false, false) => value.clone(),
            };
            (name.clone(), value)
        })
        .collect();
    let subject = Subject {
        schema: Subject::SCHEMA.to_owned(),
        launch_argv: contracts::argv::redacted(argv),
        env,
        ..Subject::default()
    };
    let bytes = serde_json::to_vec(&subject).map_err(std::io::Error::other)?;
    cli_kit::write_atomically(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_and_not_written() {
        let framework = Framework {
            env: BTreeMap::from([
                ("HF_TOKEN".to_owned(), "hf_abc".to_owned()),
                ("OMP_NUM_THREADS".to_owned(), "2".to_owned()),
                // Cargo sets it for every test.
                ("CARGO_PKG_NAME".to_owned(), String::new()),
            ]),
            ..Framework::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("subject.json");
        write(
            &path,
            &framework,
            &["serve".to_owned(), "--api-key=abc".to_owned()],
        )
        .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("abc"), "{text}");
        let subject: Subject = serde_json::from_str(&text).unwrap();
        assert_eq!(subject.env["HF_TOKEN"], "");
        assert_eq!(subject.env["OMP_NUM_THREADS"], "2");
        assert_eq!(subject.env["CARGO_PKG_NAME"], "config-search", "this shell's");
        assert_eq!(subject.launch_argv[0], "serve");
    }
}

//! Reading documents and declarations: bounded, and the schema is checked before anything else.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use contracts::fields::sha256_hex;
use contracts::{Document, Exit, Input};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Failure;

/// Largest document that is read.
const DOCUMENT_CAP: u64 = 512 << 20;

/// A document with the file it came from.
#[derive(Clone, Debug)]
pub struct Loaded<D> {
    /// The document.
    pub document: Document<D>,
    /// Its file.
    pub input: Input,
}

/// Words that cite a document, or are from one.
pub(crate) fn said(error: &impl std::fmt::Display) -> String {
    contracts::text::clean(&error.to_string(), contracts::text::FOREIGN_TEXT_CAP)
}

/// Reads a whole file of at most `cap` bytes; `-` is stdin.
///
/// # Errors
/// Exit 3 when it cannot be read or is larger.
pub fn read_bounded(path: &Path, cap: u64) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            Exit::BadInput,
            "input-unreadable",
            format!("cannot read {}: {error}", path.display()),
        )
        .hint("check the path; `-` reads stdin")
    };
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(cap + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(cap + 1).read_to_end(&mut bytes))
    };
    read.map_err(unreadable)?;
    if bytes.len() as u64 > cap {
        return Err(Failure::new(
            Exit::BadInput,
            "input-too-large",
            format!("{} is larger than {cap} bytes", path.display()),
        ));
    }
    Ok(bytes)
}

/// What a document says of a file it read.
pub fn input_of(path: &Path, bytes: &[u8]) -> Input {
    Input {
        path: path.display().to_string(),
        sha256: sha256_hex(bytes),
        bytes: bytes.len() as u64,
    }
}

/// Reads one document of exactly one of the given schemas; `data` is read by the caller's type.
///
/// # Errors
/// Exit 3: unreadable, empty, cut, foreign JSON, another schema or another version of it.
pub fn load_document<D: DeserializeOwned>(path: &Path, schema: &str) -> Result<Loaded<D>, Failure> {
    load_one_of(path, &[schema])
}

/// [`load_document`] for a document of any of the given schemas.
///
/// # Errors
/// Those of [`load_document`].
pub(crate) fn load_one_of<D: DeserializeOwned>(path: &Path, schemas: &[&str]) -> Result<Loaded<D>, Failure> {
    let bytes = read_bounded(path, DOCUMENT_CAP)?;
    let input = input_of(path, &bytes);
    let name = path.display();
    let bad = |code: &str, message: String| Failure::new(Exit::BadInput, code, message);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(bad("input-empty", format!("{name} is empty")).hint("run the tool that writes it again"));
    }
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        if error.is_eof() {
            bad("input-truncated", format!("{name} ends in the middle of a value ({})", said(&error)))
                .hint(match schemas.contains(&"serve-bench.result/1") {
                    true => "the file was cut; take the original, or rebuild it from the records with `serve-bench summarize`",
                    false => "the file was cut; take the original, or run the tool that writes it again",
                })
        } else {
            bad("input-not-json", format!("{name} is not JSON: {}", said(&error)))
                .hint(format!("expected a `{}` document", schemas.join("` or `")))
        }
    })?;
    let found = value.get("schema").and_then(Value::as_str).unwrap_or_default();
    let Some(schema) = schemas.iter().find(|schema| **schema == found) else {
        let kind = |schema: &str| schema.split('/').next().map(str::to_owned);
        let same_kind = schemas.iter().find(|schema| kind(schema) == kind(found));
        let wanted = same_kind.map_or_else(|| schemas.join("` or `"), |schema| (*schema).to_owned());
        return Err(wrong_schema(&name.to_string(), found, &wanted));
    };
    let document = serde_json::from_value(value).map_err(|error| {
        bad(
            "input-malformed",
            format!(
                "{name} says it is `{schema}` but does not read as one: {}",
                said(&error)
            ),
        )
        .hint("the file was edited or written by another release; measure again")
    })?;
    Ok(Loaded { document, input })
}

/// [`load_document`] for several paths, in order.
///
/// # Errors
/// Those of [`load_document`]; the first one.
pub fn load_documents<D: DeserializeOwned>(
    paths: &[std::path::PathBuf],
    schema: &str,
) -> Result<Vec<Loaded<D>>, Failure> {
    paths.iter().map(|path| load_document(path, schema)).collect()
}

/// Reads a declaration (`--target`, `--subject`): YAML, of which JSON is a part.
///
/// # Errors
/// Exit 3 when it cannot be read, is not YAML, names another schema, or has a field that does not exist.
pub fn load_yaml<T: DeserializeOwned>(path: &Path, schema: &str) -> Result<(T, Input), Failure> {
    load_yaml_bytes(path, schema).map(|(declared, input, _)| (declared, input))
}

/// [`load_yaml`] with the bytes that were read, for whoever stores the file: a second read could find another one.
///
/// # Errors
/// Those of [`load_yaml`].
pub fn load_yaml_bytes<T: DeserializeOwned>(
    path: &Path,
    schema: &str,
) -> Result<(T, Input, Vec<u8>), Failure> {
    let bytes = read_bounded(path, 1 << 20)?;
    let input = input_of(path, &bytes);
    let name = path.display();
    let bad = |code: &str, message: String| {
        Failure::new(Exit::BadInput, code, message)
            .hint(format!("expected a `{schema}` file in YAML or JSON"))
    };
    let value = yaml_value(&bytes).map_err(|what| bad("input-not-yaml", format!("{name} is {what}")))?;
    let found = value.get("schema").and_then(Value::as_str).unwrap_or_default();
    if found != schema {
        return Err(wrong_schema(&name.to_string(), found, schema));
    }
    if let Some(unknown) = unknown_key(&value, schema) {
        // A misspelt declaration would be taken for "not declared" otherwise.
        return Err(bad(
            "input-unknown-field",
            format!("{name} has `{unknown}`, which `{schema}` does not know"),
        ));
    }
    let declared = serde_json::from_value(value).map_err(|error| {
        bad(
            "input-malformed",
            format!("{name} does not read as `{schema}`: {}", said(&error)),
        )
    })?;
    Ok((declared, input, bytes))
}

/// YAML, of which JSON is a part, as a value.
///
/// # Errors
/// What is wrong with it, in words that go on from "it is …".
pub fn yaml_value(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
    serde_saphyr::from_str(text).map_err(|error| format!("neither YAML nor JSON: {}", said(&error)))
}

/// First key that the published schema does not list.
fn unknown_key(value: &Value, schema: &str) -> Option<String> {
    let published: Value = serde_json::from_str(contracts::schema::find(schema)?.text).ok()?;
    unknown_in(value, &published, &published)
}

fn unknown_in(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.trim_start_matches('#'))?,
        // What may be null: the other branch says what it is.
        None => match schema.get("anyOf").and_then(Value::as_array) {
            Some(branches) => {
                return branches.iter().find_map(|branch| unknown_in(value, branch, root));
            }
            None => schema,
        },
    };
    let properties = schema.get("properties")?.as_object()?;
    for (key, inner) in value.as_object()? {
        match properties.get(key) {
            None => return Some(contracts::text::clean(key, 80)),
            Some(property) => {
                if let Some(unknown) = unknown_in(inner, property, root) {
                    return Some(format!("{key}.{unknown}"));
                }
            }
        }
    }
    None
}

/// Says which side is wrong, and which way.
fn wrong_schema(name: &str, found: &str, wanted: &str) -> Failure {
    let (wanted_kind, wanted_version) = wanted.split_once('/').unwrap_or((wanted, ""));
    let (found_kind, found_version) = found.split_once('/').unwrap_or((found, ""));
    if found_kind == wanted_kind {
        let advice = match (found_version.parse::<u32>(), wanted_version.parse::<u32>()) {
            (Ok(found), Ok(wanted)) if found > wanted => "the file is newer; update this tool",
            (Ok(_), Ok(_)) => "the file is older; measure again",
            _ => "the version does not read; measure again",
        };
        return Failure::new(
            Exit::BadInput,
            "schema-version",
            format!(
                "{name} is `{}`, not `{wanted}`",
                contracts::text::clean(found, 80)
            ),
        )
        .hint(advice);
    }
    let shown = if found.is_empty() {
        "no `schema` field".to_owned()
    } else {
        format!("`{}`", contracts::text::clean(found, 80))
    };
    Failure::new(
        Exit::BadInput,
        "schema-foreign",
        format!("{name} has {shown}, expected `{wanted}`"),
    )
    .hint("give a document of this project; files of other tools go through `serve-bench import`")
}

#[cfg(test)]
mod tests {
    use contracts::target::Target;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn code(text: &str) -> String {
        let file = file(text);
        load_document::<Value>(file.path(), "serve-bench.result/1")
            .unwrap_err()
            .document
            .code
    }

    #[test]
    fn every_way_a_document_can_be_wrong_has_its_code() {
        assert_eq!(code(""), "input-empty");
        assert_eq!(code("{\"schema\": \"serve-bench.res"), "input-truncated");
        assert_eq!(code("hello"), "input-not-json");
        assert_eq!(code("{\"a\": 1}"), "schema-foreign");
        assert_eq!(code("{\"schema\": \"serve-bench.result/2\"}"), "schema-version");
        assert_eq!(code("{\"schema\": \"serve-bench.result/1\"}"), "input-malformed");
        let missing =
            load_document::<Value>(Path::new("/nonexistent/x.json"), "serve-bench.result/1").unwrap_err();
        assert_eq!(
            (missing.document.code.as_str(), missing.exit),
            ("input-unreadable", Exit::BadInput)
        );
    }

    #[test]
    fn what_a_reader_cites_cannot_act_on_a_terminal() {
        let hostile = "{\"schema\": \"serve-bench.result/1\", \"tool\": \"\\u001b[2J\\u202eevil\"}";
        let file = file(hostile);
        let failure = load_document::<Value>(file.path(), "serve-bench.result/1").unwrap_err();
        let message = failure.document.message;
        assert!(
            message.contains("evil") && !message.contains(['\u{1b}', '\u{202e}']),
            "{message}"
        );
    }

    #[test]
    fn a_target_reads_from_yaml() {
        let file = file("schema: sota-loop.target/1\nmodel: {id: Qwen/Qwen3-8B}\nthreshold_ratio: 0.01\n");
        let (target, _) = load_yaml::<Target>(file.path(), Target::SCHEMA).unwrap();
        assert_eq!(target.model.id.as_deref(), Some("Qwen/Qwen3-8B"));
    }

    #[test]
    fn a_misspelt_declaration_is_refused() {
        let file = file("schema: sota-loop.target/1\nmodel: {idd: x}\n");
        let failure = load_yaml::<Target>(file.path(), Target::SCHEMA).unwrap_err();
        assert_eq!(failure.document.code, "input-unknown-field");
        assert!(failure.document.message.contains("model.idd"));
    }
}

//! Which model a trace is of, where its engine left a note beside it.

use std::path::Path;

use serde_json::Value;

/// Longest note that is read.
const CAP_BYTES: u64 = 1 << 20;

/// The model of `server_args.json` in the trace's folder, or in the one above: SGLang writes it when it profiles.
#[must_use]
pub fn model_beside(trace: &Path) -> Option<String> {
    trace.ancestors().skip(1).take(2).find_map(|folder| {
        let note = folder.join("server_args.json");
        if !note.is_file() {
            return None;
        }
        let bytes = cli_kit::read_bounded(&note, CAP_BYTES).ok()?;
        let args: Value = serde_json::from_slice(&bytes).ok()?;
        let name = args.get("model_path").or_else(|| args.get("model"))?.as_str()?;
        let name = contracts::text::clean(name, 200);
        (!name.is_empty()).then_some(name)
    })
}

/// Whether two names are of one model: one side may serve a path, the other an id of a hub.
#[must_use]
pub fn same_model(ours: &str, theirs: &str) -> bool {
    let last = |name: &str| {
        let name = name.trim_end_matches('/');
        name.rsplit('/').next().unwrap_or(name).to_lowercase()
    };
    last(ours) == last(theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_an_id_are_one_model() {
        assert!(same_model("/models/Qwen3-8B/", "Qwen/Qwen3-8B"));
        assert!(!same_model("Qwen/Qwen3-8B-FP8", "Qwen/Qwen3-8B"));
    }

    #[test]
    fn the_note_lies_beside_the_trace_or_above() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let write = |text: &str| std::fs::write(folder.path().join("server_args.json"), text);
        write(r#"{"model_path": "Qwen/Qwen3-8B"}"#).expect("the folder is writable");
        let found = |trace: &str| model_beside(&folder.path().join(trace));
        assert_eq!(found("a.json").as_deref(), Some("Qwen/Qwen3-8B"));
        assert_eq!(found("run/a.json").as_deref(), Some("Qwen/Qwen3-8B"));
        assert_eq!(found("run/deep/a.json"), None);
        write("{").expect("the folder is writable");
        assert_eq!(found("a.json"), None);
    }
}

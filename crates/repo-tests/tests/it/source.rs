//! Rules of CONTRIBUTING.md that no lint checks.

use crate::repository::{files_below, read};

/// A file of more lines is two files.
const LONGEST: usize = 500;

/// Rust files of the crates, with their text.
fn rust() -> Vec<(String, String)> {
    let mut paths = files_below("crates");
    paths.retain(|path| path.ends_with(".rs"));
    assert!(paths.len() > 100, "the crates were not found");
    paths
        .into_iter()
        .map(|path| (read(&path), path))
        .map(|(text, path)| (path, text))
        .collect()
}

/// The shipped part of a source file: up to its tests. Empty for files that are tests altogether.
fn shipped<'a>(path: &str, text: &'a str) -> &'a str {
    let is_test = !path.contains("/src/") || path.ends_with("/tests.rs") || path.contains("/tests/");
    if is_test {
        return "";
    }
    // Tests whose helpers another module's tests use are `pub(super)`.
    ["mod ", "pub(super) mod "]
        .iter()
        .filter_map(|words| text.find(&format!("#[cfg(test)]\n{words}")))
        .min()
        .map_or(text, |end| &text[..end])
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for (path, text) in rust() {
        let lines = text.lines().count();
        if lines > LONGEST {
            long.push(format!("{path}: {lines} lines"));
        }
    }
    assert!(long.is_empty(), "over {LONGEST} lines:\n{}", long.join("\n"));
}

#[test]
fn shipped_code_does_not_unwrap() {
    for (path, text) in rust() {
        let found = shipped(&path, &text).lines().enumerate().find(|(_, line)| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains(".unwrap()")
        });
        assert_eq!(
            found.map(|(line, _)| line + 1),
            None,
            "{path}: use expect(\"the invariant\")"
        );
    }
}

#[test]
fn lint_exceptions_have_a_reason() {
    for (path, text) in rust() {
        // In two pieces, so that this file does not find itself.
        let allow = concat!("#[", "allow(");
        let expect = concat!("#[", "expect(");
        assert!(
            !text.contains(allow) || path.ends_with("/source.rs"),
            "{path}: write {expect}lint, reason = …)]"
        );
        for exception in text.split(expect).skip(1) {
            let inside = exception.split(")]").next().unwrap_or_default();
            assert!(
                inside.contains("reason ="),
                "{path}: {expect}{inside})] has no reason"
            );
        }
    }
}

#[test]
fn modules_say_what_they_are_for() {
    for (path, text) in rust() {
        if !shipped(&path, &text).is_empty() {
            assert!(
                text.starts_with("//!"),
                "{path} begins with what the module is for"
            );
        }
    }
}

#[test]
fn mains_are_short() {
    for (path, text) in rust() {
        if path.ends_with("/src/main.rs") || path.contains("/src/bin/") {
            assert!(text.lines().count() <= 25, "{path}: a main calls its library");
        }
    }
}

#[test]
fn contracts_are_plain() {
    for (path, text) in rust() {
        if !path.starts_with("crates/contracts/src/") {
            continue;
        }
        for attribute in text
            .lines()
            .filter(|line| line.trim_start().starts_with("#[serde("))
        {
            for banned in ["flatten", "untagged", "skip_serializing_if"] {
                assert!(!attribute.contains(banned), "{path}: {attribute}");
            }
        }
    }
}

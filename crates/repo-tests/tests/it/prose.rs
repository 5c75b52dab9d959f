//! Documentation holds nothing of the machine it was written on, and its links lead somewhere.

use crate::markdown::spans;
use crate::repository::{files_below, read, root};

/// Hosts that may stand in a text: loopback, names reserved for examples, and where others' documentation lies.
const HOSTS: [&str; 7] = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "example.com",
    "github.com",
    "json-schema.org",
    "keepachangelog.com",
];

/// Text that is not code: documentation, examples, scripts, manifests, committed documents.
fn texts() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for folder in [
        "skills",
        "prompts",
        "sessions",
        "examples",
        "tests",
        "bin",
        ".claude-plugin",
        ".ci",
    ] {
        paths.extend(files_below(folder));
    }
    paths.extend(
        [
            "README.md",
            "ARCHITECTURE.md",
            "CONTRIBUTING.md",
            "AGENTS.md",
            "CHANGELOG.md",
        ]
        .map(str::to_owned),
    );
    paths.extend(
        files_below("crates")
            .into_iter()
            .filter(|path| path.ends_with(".md")),
    );
    paths
        .into_iter()
        .filter(|path| ![".gguf", ".ncu-rep"].iter().any(|binary| path.ends_with(binary)))
        .map(|path| (read(&path), path))
        .map(|(text, path)| (path, text))
        .collect()
}

fn is_document(path: &str) -> bool {
    path.ends_with(".md")
}

#[test]
fn no_path_of_a_machine() {
    for (path, text) in texts() {
        // Assembled here, so that this file does not contain what it looks for.
        for folder in ["work", "home", "root", "Users", "mnt"] {
            let machine = format!("/{folder}/");
            let at = text.lines().position(|line| {
                line.match_indices(&machine).any(|(at, _)| {
                    // `target/work/` would be a path of the repository, not of a machine.
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}*".contains(c))
                })
            });
            assert_eq!(at.map(|line| line + 1), None, "{path} names {machine}");
        }
    }
}

#[test]
fn no_host_but_loopback_and_examples() {
    for (path, text) in texts() {
        if !is_document(&path) && !path.ends_with(".json") && !path.ends_with(".jsonl") {
            continue;
        }
        for scheme in ["http://", "https://"] {
            for rest in text.split(scheme).skip(1) {
                let host = rest
                    .split(|c: char| c.is_whitespace() || "/\"'`)>,;|\\".contains(c))
                    .next()
                    .unwrap_or_default();
                let host = if host.starts_with('[') {
                    host
                } else {
                    host.split(':').next().unwrap_or_default()
                };
                let known = HOSTS.iter().any(|known| host.starts_with(known)) || host.ends_with(".example");
                assert!(known, "{path}: {scheme}{host}");
            }
        }
    }
}

#[test]
fn links_lead_to_files() {
    for (path, text) in texts() {
        if !is_document(&path) {
            continue;
        }
        let folder = root().join(&path);
        let folder = folder.parent().expect("a file lies in a folder");
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap_or_default();
            if !link.is_empty() && !link.contains("://") {
                assert!(folder.join(link).exists(), "{path} links to {link}");
            }
        }
    }
}

#[test]
fn files_named_in_the_guides_exist() {
    for guide in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "AGENTS.md"] {
        for (line, span) in spans(&read(guide)) {
            let is_path = [
                "crates/",
                "skills/",
                "examples/",
                "tests/",
                "prompts/",
                ".ci/",
                "bin/",
                ".claude-plugin/",
            ]
            .iter()
            .any(|folder| span.starts_with(folder));
            let plain = span
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
            let placeholder = span.contains("NAME");
            if is_path && plain && !placeholder {
                assert!(root().join(&span).exists(), "{guide}:{line}: no {span}");
            }
        }
    }
}

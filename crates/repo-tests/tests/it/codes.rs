//! An error code means one thing in all tools.

use std::collections::BTreeMap;

use crate::repository::{files_below, read};

/// A file limit that is too low is found before the measurement by serve-bench and in it by engine-client; a header is
/// bad on the command line and on the wire; a hash does not match where the file is read and where documents are
/// compared. Each is one thing with one code.
const SHARED: [&str; 3] = ["bad-header", "open-file-limit", "workload-hash-mismatch"];

/// Codes of one source text: `=> "kebab-case"` in `fn code`, and the second argument of `Failure::new`.
fn codes(text: &str) -> Vec<String> {
    let literal = |rest: &str| {
        let inside = rest.trim_start().strip_prefix('"')?.split('"').next()?;
        let kebab = inside
            .bytes()
            .all(|b| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit());
        (kebab && !inside.is_empty()).then(|| inside.to_owned())
    };
    let mut found = Vec::new();
    for body in text.split("fn code(&self) -> &'static str {").skip(1) {
        let body = body.split("\n    }\n").next().unwrap_or_default();
        found.extend(body.split("=>").skip(1).filter_map(literal));
    }
    for call in text.split("Failure::new(").skip(1) {
        found.extend(call.split_once(',').and_then(|(_, rest)| literal(rest)));
    }
    found
}

#[test]
fn a_code_belongs_to_one_crate() {
    let mut crates: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files_below("crates") {
        let Some((owner, file)) = path
            .strip_prefix("crates/")
            .and_then(|path| path.split_once("/src/"))
        else {
            continue;
        };
        if !file.ends_with(".rs") {
            continue;
        }
        let text = read(&path);
        let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for code in codes(shipped) {
            let owners = crates.entry(code).or_default();
            if !owners.iter().any(|known| known == owner) {
                owners.push(owner.to_owned());
            }
        }
    }
    assert!(crates.len() > 50, "only {} codes found", crates.len());
    for (code, owners) in &crates {
        assert!(
            owners.len() == 1 || SHARED.contains(&code.as_str()),
            "error[{code}] comes from {owners:?}"
        );
    }
    for code in SHARED {
        assert!(
            crates.get(code).is_some_and(|owners| owners.len() > 1),
            "{code} is not shared any more"
        );
    }
}

#[test]
fn both_ways_to_write_a_code_are_found() {
    let text = "fn code(&self) -> &'static str {\n        match self {\n            A => \"a-b\",\n        }\n    }\n\
                Failure::new(Exit::Usage, \"c-d\", x); Failure::new(\n  Exit::Usage,\n  \"e\", y)";
    assert_eq!(codes(text), ["a-b", "c-d", "e"]);
}

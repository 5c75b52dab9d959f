//! TRICKS.md and the tests that it names are the same list, with the same exit and error codes.

use std::collections::BTreeMap;
use std::path::Path;

type Rows = BTreeMap<String, Vec<(String, String)>>;

/// Test name to exit and error code, from the table.
fn rows(markdown: &str) -> Rows {
    markdown
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line
                .strip_prefix("| ")?
                .trim_end_matches(" |")
                .split(" | ")
                .collect();
            let [_, _, exit, code, test] = cells.as_slice() else {
                return None;
            };
            let test = test.strip_prefix('`')?.strip_suffix('`')?;
            let code = code.trim_matches('`');
            Some((test.to_owned(), vec![((*exit).to_owned(), code.to_owned())]))
        })
        .collect()
}

/// The same from the sources: every test asserts its refusals by `refused(exit, "code")`; the last one is the trick's.
fn asserted(source: &str) -> Rows {
    source
        .replace(".lacks(", ".refused(")
        .split("#[test]\nfn ")
        .skip(1)
        // What is allowed is tested beside it, and is no trick.
        .filter(|test| test.contains("refused("))
        .map(|test| {
            let (name, body) = test.split_once('(').unwrap();
            let call = body.rsplit("refused(").next().unwrap();
            let (exit, rest) = call.split_once(',').unwrap();
            let code = rest.split('"').nth(1).unwrap();
            (name.to_owned(), vec![(exit.to_owned(), code.to_owned())])
        })
        .collect()
}

#[test]
fn the_table_and_the_tests_are_equal() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = Rows::new();
    for folder in ["tests/it/tricks", "../repo-tests/tests/it/tricks"] {
        for file in std::fs::read_dir(here.join(folder)).unwrap() {
            let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
            tests.extend(asserted(&source));
        }
    }
    let table = rows(&std::fs::read_to_string(here.join("TRICKS.md")).unwrap());
    let missing: Vec<_> = tests
        .iter()
        .filter(|(name, _)| !table.contains_key(*name))
        .collect();
    assert!(missing.is_empty(), "not in TRICKS.md: {missing:#?}");
    assert_eq!(table, tests);
    assert!(table.len() > 60, "{}", table.len());
}

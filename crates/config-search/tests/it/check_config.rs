//! dstack configurations as files: verdict, exit code, and what does not read.

use std::path::Path;

use serde_json::{Value, json};

use crate::{document, run};

fn write(folder: &Path, name: &str, text: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn the_example_passes_and_a_misspelt_one_does_not() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/real-engine/service.yml");
    let text = std::fs::read_to_string(&example).unwrap();
    let example = example.display().to_string();
    let (passed, exit) = document(&["check-config", &example]);
    assert_eq!((exit, &passed["data"]["files"][0]["problems"]), (0, &json!([])));
    assert_eq!(passed["data"]["files"][0]["kind"], "service");
    assert_eq!(passed["data"]["source_version"], "0.22.5");

    let folder = tempfile::tempdir().unwrap();
    let broken = text
        .replace("memory: 4GB", "memory: 4 gigabytes")
        .replace("port: 8000\n", "prot: 8000\n");
    assert_ne!(broken, text);
    let broken = write(folder.path(), "broken.yml", broken.as_bytes());
    let (refused, exit) = document(&["check-config", &example, &broken]);
    assert_eq!(exit, 1);
    let problems: Vec<&Value> = refused["data"]["files"][1]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    let paths: Vec<&str> = problems
        .iter()
        .map(|problem| problem["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["prot", "resources.memory", "port"]);
    assert_eq!(problems[0]["hint"], "did you mean `port`?");
    assert_eq!(refused["data"]["files"][0]["problems"], json!([]));
}

#[test]
fn a_name_that_the_server_refuses_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(
        folder.path(),
        "a.yml",
        b"type: task\nname: My_Run\ncommands: [a]\n",
    );
    let (document, exit) = document(&["check-config", &path]);
    assert_eq!(
        (exit, document["warnings"][0]["code"].as_str()),
        (0, Some("name-refused"))
    );
}

#[test]
fn what_is_no_yaml_ends_with_3() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        &b"type: [service"[..],
        b"\xff\xfe",
        b"a: 1\na: 2\n",
        b"a: 1\n---\nb: 2\n",
    ] {
        let path = write(folder.path(), "a.yml", text);
        let failure = run(&["check-config", &path]).unwrap_err();
        assert_eq!(
            (failure.document.code.as_str(), failure.exit.code()),
            ("config-not-yaml", 3)
        );
        assert!(failure.document.hint.is_some());
    }
    let failure = run(&["check-config", "/no/such/file.yml"]).unwrap_err();
    assert_eq!(failure.exit.code(), 3);
    // YAML that is no configuration is one that dstack refuses.
    for text in [&b""[..], b"text", b"[1, 2]", b"type: 5"] {
        let path = write(folder.path(), "a.yml", text);
        let (_, exit) = document(&["check-config", &path]);
        assert_eq!(exit, 1, "{text:?}");
    }
}

#[test]
fn a_hostile_file_is_bounded_and_cleaned() {
    let folder = tempfile::tempdir().unwrap();
    let deep = format!("type: task\ncommands: {}a{}\n", "[".repeat(200), "]".repeat(200));
    let keys: String = (0..3000)
        .map(|at| format!("\"key{at}\\u001b[2J\": 1\n"))
        .collect();
    for text in [deep, format!("type: task\n{keys}")] {
        let path = write(folder.path(), "a.yml", text.as_bytes());
        match run(&["check-config", &path]) {
            Ok(report) => {
                assert_eq!(report.exit().code(), 1);
                assert!(report.view().to_markdown().len() <= 8192);
                assert!(!report.json().contains("\\u001b"));
            }
            Err(failure) => assert_eq!(failure.exit.code(), 3),
        }
    }
}

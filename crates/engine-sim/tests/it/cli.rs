//! The binary: what it prints, how it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use clap::CommandFactory;
use serde_json::Value;

fn start(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_engine-sim"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn the_arguments_are_consistent() {
    engine_sim::cli::Args::command().debug_assert();
}

#[test]
fn it_says_where_it_listens_and_stops_when_asked() {
    let mut child = start(&["--script", r#"{"model": "m"}"#]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let schema = serde_json::to_value(schemars::schema_for!(contracts::engine_sim::Ready)).unwrap();
    assert!(
        jsonschema::validator_for(&schema).unwrap().is_valid(&ready),
        "{line}"
    );
    assert_eq!(
        (ready["model"].as_str(), ready["pid"].as_u64()),
        (Some("m"), Some(u64::from(child.id())))
    );
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn bad_input_ends_with_its_code_and_a_hint() {
    let cases = [
        (vec!["--script", "/nonexistent.json"], 3, "script-unreadable"),
        (vec!["--script", "{"], 3, "script-malformed"),
        (vec!["--script", r#"{"deflts": {}}"#], 3, "script-unknown-fields"),
        (vec!["--script", r#"{"schema": "x/1"}"#], 3, "script-schema"),
        (
            vec!["--script", r#"{"answers": {"file": "/nonexistent.jsonl"}}"#],
            3,
            "answers-unreadable",
        ),
        (
            vec!["--script", r#"{"answers": {"file": "Cargo.toml"}}"#],
            3,
            "answers-malformed",
        ),
        (
            vec!["--script", r#"{"answers": {"accuracy_ratio": 1.5}}"#],
            2,
            "out-of-range",
        ),
        (vec!["--script", "{}", "--host", "0.0.0.0"], 2, "not-loopback"),
    ];
    for (arguments, code, name) in cases {
        let mut child = start(&arguments);
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{text}");
        assert!(
            text.contains(&format!("error[{name}]")) && text.contains("hint: "),
            "{text}"
        );
    }
}

#[test]
fn a_port_in_use_is_a_resource_that_is_not_there() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = start(&["--script", "{}", "--port", &port])
        .wait_with_output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["code"], "cannot-listen");
}

#[test]
fn schema_and_skill_come_with_the_binary() {
    let output = |argument: &[&str]| {
        let output = start(argument).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let skill = include_str!("../../../../skills/engine-sim/SKILL.md");
    assert_eq!(output(&["--skill"]), skill);
    for (name, field) in [
        ("script", "/properties/rules"),
        ("truth", "/properties/lateness"),
        ("ready", "/properties/pid"),
    ] {
        let schema: Value = serde_json::from_str(&output(&["--schema", name])).unwrap();
        assert!(schema.pointer(field).is_some(), "{name}");
    }
}

#[test]
fn every_command_and_script_in_the_skill_is_accepted() {
    use clap::Parser;
    let skill = include_str!("../../../../skills/engine-sim/SKILL.md");
    let commands: Vec<&str> = skill
        .lines()
        .filter(|line| line.starts_with("engine-sim --"))
        .collect();
    assert_eq!(commands.len(), 5);
    for command in commands {
        // The one quoted argument of the page is the last one.
        let (head, quoted) = command
            .split_once(" '")
            .map_or((command, None), |(head, rest)| (head, Some(rest)));
        let quoted = quoted.map(|rest| rest.trim_end_matches('\''));
        engine_sim::cli::Args::try_parse_from(head.split(' ').chain(quoted)).unwrap();
    }
    let json = skill
        .split("```json")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let script: Value = serde_json::from_str(json).unwrap();
    let schema = contracts::schema::find("engine-sim.script/1").unwrap();
    let schema: Value = serde_json::from_str(schema.text).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&script));
}

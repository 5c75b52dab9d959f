//! What a server of `compare --swap` finds in its environment: ours, or a cleared one with what its subject declares.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::documents::check;
use crate::process::{Ended, Running, binary, run};

/// A millisecond a token: only whether the servers run is looked at here.
const SCRIPT: &str = r#"{"defaults": {"ttft_ms": 1, "itl_ms": 1}}"#;
/// Value of a declared variable whose name says that it is a secret.
const SECRET: &str = "hf_neverShown";

/// A folder with a frozen workload, and the argv of both sides.
struct Swap {
    folder: tempfile::TempDir,
    argv: String,
}

impl Swap {
    fn new(argv: &[&str]) -> Swap {
        let folder = tempfile::tempdir().unwrap();
        let workload = folder.path().join("w.jsonl");
        let flags = "freeze --dataset random --num-prompts 1 --input-len 4 --output-len 2 --out";
        let ended = run(
            "serve-bench",
            flags.split(' ').chain([workload.to_str().unwrap()]),
        );
        assert_eq!(ended.code(), 0, "{ended:?}");
        Swap {
            folder,
            argv: json!(argv).to_string(),
        }
    }

    /// Through a shell that checks its environment first: `exec "$SIM_BIN"` is the end of the line.
    fn shell(line: &str) -> Swap {
        Swap::new(&[
            "/bin/sh", "-c", line, "sh", "--script", SCRIPT, "--port", "{port}",
        ])
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The subject file of a side.
    fn subject(&self, name: &str, env: Value) -> String {
        let path = self.path(name);
        std::fs::write(
            &path,
            json!({"schema": "sota-loop.subject/1", "env": env}).to_string(),
        )
        .unwrap();
        path
    }

    /// One block, with variables of our shell and further flags.
    fn compare(&self, shell: &[(&str, &str)], flags: &[&str]) -> Ended {
        let mut command = Command::new(binary("serve-bench"));
        command
            .args(["compare", "--swap", "--a-cmd", &self.argv, "--b-cmd", &self.argv])
            .args(["--workload", &self.path("w.jsonl"), "--concurrency", "1"])
            .args(["--blocks", "1", "-o", &self.path("c.json")])
            .args(flags)
            .envs(shell.iter().copied());
        Running::start(&mut command).end()
    }

    /// The document of a comparison that measured.
    fn document(&self, ended: &Ended) -> Value {
        // 5 where this machine disturbed a run; whether the servers ran is what counts here.
        assert!(matches!(ended.code(), 0 | 5), "{ended:?}");
        let text = std::fs::read_to_string(self.path("c.json")).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        check("swap", &document);
        for side in ["a", "b"] {
            assert_eq!(
                document["data"]["blocks"][0][side]["requests"]["outcomes"]["ok"],
                1
            );
        }
        document
    }
}

fn engine() -> String {
    binary("engine-sim").to_str().unwrap().to_owned()
}

#[test]
fn a_variable_of_the_shell_works_until_the_environment_is_cleared() {
    let swap = Swap::shell(r#"exec "$SIM_BIN" "$@""#);
    let engine = engine();
    let shell = [("SIM_BIN", engine.as_str())];

    let document = swap.document(&swap.compare(&shell, &[]));
    assert_eq!(document["data"]["a"]["launch_env"], "inherited");
    assert_eq!(document["data"]["plan"]["clear_env"], false);

    let ended = swap.compare(&shell, &["--clear-env"]);
    ended.fails(4, "engine-exited", "under `env` in the file of --subject");

    // One side that declares it is not enough: the other is another launch.
    let subject = swap.subject("s.json", json!({"SIM_BIN": engine}));
    let ended = swap.compare(&shell, &["--clear-env", "--subject", &subject]);
    ended.fails(4, "engine-exited", "--b-subject");
    let ended = swap.compare(
        &shell,
        &["--clear-env", "--subject", &subject, "--b-subject", &subject],
    );
    let document = swap.document(&ended);
    for side in ["a", "b"] {
        assert_eq!(document["data"][side]["launch_env"], "cleared");
        let declared = &document["data"][side]["subject"]["fields"]["launch.env"]["value"];
        assert_eq!(declared, &json!({"SIM_BIN": engine}));
    }
    assert_eq!(document["data"]["plan"]["clear_env"], true);
}

#[test]
fn a_cleared_environment_has_what_is_declared_and_no_more() {
    // env is a program of its own, so that nothing is a variable that the shell makes.
    let swap = Swap::shell(
        r#"/usr/bin/env > "$OUT" && test "$PATH" = /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin && exec "$SIM_BIN" "$@""#,
    );
    let seen = swap.path("environment");
    let env = json!({"SIM_BIN": engine(), "OUT": seen, "HF_TOKEN": SECRET, "LANG": "C.UTF-8"});
    let subject = swap.subject("s.json", env);
    let shell = [("HOME", "/tmp"), ("LANG", "de_DE"), ("CUDA_VISIBLE_DEVICES", "3")];
    let ended = swap.compare(
        &shell,
        &["--clear-env", "--subject", &subject, "--b-subject", &subject],
    );
    let document = swap.document(&ended);

    let seen = std::fs::read_to_string(seen).unwrap();
    let value = |name: &str| {
        seen.lines()
            .filter_map(|line| line.split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    };
    assert_eq!(
        value("HF_TOKEN"),
        Some(SECRET),
        "the secret reaches the server: {seen}"
    );
    assert_eq!((value("HOME"), value("LANG")), (Some("/tmp"), Some("C.UTF-8")));
    let allowed = [
        "HOME", "USER", "LANG", "TMPDIR", "PATH", "SIM_BIN", "OUT", "HF_TOKEN",
        // The shell sets these itself.
        "PWD", "OLDPWD", "SHLVL", "_",
    ];
    for line in seen.lines() {
        let (name, _) = line.split_once('=').unwrap();
        assert!(allowed.contains(&name), "the server got {line}");
    }
    assert!(
        !document.to_string().contains(SECRET),
        "the secret is in the document"
    );
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(SECRET));
}

#[test]
fn a_declared_variable_is_set_without_the_flag_too() {
    let swap = Swap::shell(r#"test "$BATCH" = 64 -a "$SHELLS" = yes && exec "$SIM_BIN" "$@""#);
    let engine = engine();
    let shell = [("SIM_BIN", engine.as_str()), ("SHELLS", "yes"), ("BATCH", "1")];
    let subject = swap.subject("s.json", json!({"BATCH": "64"}));
    let ended = swap.compare(&shell, &["--subject", &subject, "--b-subject", &subject]);
    let document = swap.document(&ended);
    assert_eq!(document["data"]["b"]["launch_env"], "inherited");
    let inputs = document["inputs"].as_array().unwrap();
    let named = inputs.iter().filter(|input| input["path"] == subject.as_str());
    assert_eq!(named.count(), 2, "both sides' files are named: {inputs:?}");

    swap.compare(&shell, &[]).fails(4, "engine-exited", "log");
}

#[test]
fn a_program_that_is_only_on_our_path_is_not_found() {
    let swap = Swap::new(&["engine-sim", "--script", SCRIPT, "--port", "{port}"]);
    let engine = engine();
    let folder = Path::new(&engine).parent().unwrap().to_str().unwrap();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let shell = [("PATH", path.as_str())];
    swap.document(&swap.compare(&shell, &[]));

    let ended = swap.compare(&shell, &["--clear-env"]);
    ended.fails(
        4,
        "engine-not-started",
        "absolute path, or declare PATH under `env`",
    );

    let subject = swap.subject("s.json", json!({"PATH": folder}));
    let flags = ["--clear-env", "--subject", &subject, "--b-subject", &subject];
    swap.document(&swap.compare(&shell, &flags));
}

#[test]
fn the_flag_needs_a_launch_and_a_variable_needs_a_value() {
    let urls = ["--a", "http://127.0.0.1:1", "--b", "http://127.0.0.1:2"];
    let ended = run("serve-bench", ["compare", "--clear-env"].into_iter().chain(urls));
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert!(ended.stderr.contains("--swap"), "{ended:?}");

    let swap = Swap::new(&[&engine(), "--port", "{port}"]);
    let subject = swap.subject("s.json", json!({"HF_TOKEN": "<secret>"}));
    swap.compare(&[], &["--subject", &subject])
        .fails(3, "bad-launch-env", "leave the value empty");
    let subject = swap.subject("s.json", json!({"NO_SUCH_TOKEN": ""}));
    swap.compare(&[], &["--subject", &subject])
        .fails(3, "bad-launch-env", "export NO_SUCH_TOKEN");
    Swap::new(&[&engine()])
        .compare(&[], &[])
        .fails(2, "bad-argv", "{port}");
}

#[test]
fn a_secret_that_a_subject_names_is_taken_from_the_shell() {
    let swap = Swap::shell(r#"test "$HF_TOKEN" = "$WANTED" && exec "$SIM_BIN" "$@""#);
    let env = json!({"SIM_BIN": engine(), "WANTED": SECRET, "HF_TOKEN": ""});
    let subject = swap.subject("s.json", env);
    let flags = ["--subject", &subject, "--b-subject", &subject];
    for clear in [&["--clear-env"][..], &[]] {
        let ended = swap.compare(&[("HF_TOKEN", SECRET)], &[&flags[..], clear].concat());
        let document = swap.document(&ended);
        let declared = &document["data"]["b"]["subject"]["fields"]["launch.env"]["value"];
        assert_eq!(declared["HF_TOKEN"], "<secret>");
    }
}

#[test]
fn a_secret_on_the_command_line_of_a_launch_reaches_the_server_and_nothing_else() {
    // $1 is --api-key, $2 its value.
    let line = r#"test "$2" = "$WANTED" && shift 2 && exec "$SIM_BIN" "$@""#;
    let key = [
        "/bin/sh",
        "-c",
        line,
        "sh",
        "--api-key",
        SECRET,
        "--script",
        SCRIPT,
        "--port",
        "{port}",
    ];
    let swap = Swap::new(&key);
    let records = swap.path("r.jsonl");
    let engine = engine();
    let shell = [("SIM_BIN", engine.as_str()), ("WANTED", SECRET)];
    let ended = swap.compare(&shell, &["--records", &records]);
    let document = swap.document(&ended);
    let records = std::fs::read_to_string(records).unwrap();
    for (what, text) in [
        ("the document", &document.to_string()),
        ("stdout", &ended.stdout),
        ("stderr", &ended.stderr),
        ("the records", &records),
    ] {
        assert!(!text.contains(SECRET), "the secret is in {what}");
    }
    let launched = document["data"]["a"]["launch_argv"].to_string();
    assert!(
        launched.contains(r#""--api-key","<secret>","--script""#),
        "{launched}"
    );
    let again = Swap {
        folder: swap.folder,
        argv: launched,
    };
    again.compare(&shell, &[]).fails(2, "bad-argv", "empty value");
}

#[test]
fn ctrl_c_while_a_side_loads_takes_its_processes_along() {
    let swap = Swap::new(&[
        "/bin/sh",
        "-c",
        r#"echo $$ > "$PID"; exec sleep 60"#,
        "sh",
        "{port}",
    ]);
    let file = swap.path("pid");
    let mut command = Command::new(binary("serve-bench"));
    command
        .args(["compare", "--swap", "--a-cmd", &swap.argv, "--b-cmd", &swap.argv])
        .args(["--workload", &swap.path("w.jsonl"), "--concurrency", "1"])
        .env("PID", &file);
    let running = Running::start(&mut command);
    let begun = std::time::Instant::now();
    let pid = loop {
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        if written.ends_with('\n') {
            break written.trim().to_owned();
        }
        assert!(begun.elapsed().as_secs() < 30, "the side was never started");
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code(), 130, "{ended:?}");
    // It may be waited for by nobody yet, but it runs no more.
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "it is left: {state}");
}

//! Man pages and completions of the real tools: they name what the tools have.

use std::collections::BTreeSet;

use clap::Command;

use crate::process::run;

/// The names of the pages of a command and of all below it.
fn page_names(name: &str, command: &Command, into: &mut BTreeSet<String>) {
    into.insert(format!("{name}.1"));
    for sub in command.get_subcommands() {
        page_names(&format!("{name}-{}", sub.get_name()), sub, into);
    }
}

#[test]
fn every_command_has_a_page_and_every_page_its_flags() {
    for (tool, command) in crate::commands::tools() {
        let folder = tempfile::tempdir().unwrap();
        let ended = run(tool, ["--man-dir", folder.path().to_str().unwrap()]);
        assert_eq!(ended.code(), 0, "{ended:?}");
        let mut expected = BTreeSet::new();
        page_names(tool, &command, &mut expected);
        let files = std::fs::read_dir(folder.path()).unwrap();
        let found: BTreeSet<String> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(found, expected);
        for name in found {
            let page = std::fs::read_to_string(folder.path().join(&name)).unwrap();
            // All tools have this flag in all sub-commands; 130 is the last line of the exit codes.
            assert!(
                page.contains(r"\-\-format") && page.contains(r"\fB130\fR"),
                "{name}: {page}"
            );
        }
        let ended = run(tool, ["--man"]);
        let first = std::fs::read_to_string(folder.path().join(format!("{tool}.1"))).unwrap();
        assert_eq!(ended.stdout, first);
    }
}

#[test]
fn every_shell_completes_every_sub_command() {
    for (tool, command) in crate::commands::tools() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let ended = run(tool, ["--completions", shell]);
            assert_eq!(ended.code(), 0, "{ended:?}");
            for sub in command.get_subcommands() {
                assert!(
                    ended.stdout.contains(sub.get_name()),
                    "{tool} {shell}: {}",
                    sub.get_name()
                );
            }
        }
    }
    let ended = run("serve-bench", ["--completions", "tcsh"]);
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert!(
        ended.stderr.contains("powershell"),
        "the shells are listed: {ended:?}"
    );
}

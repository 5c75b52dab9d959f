//! Every prompt that `loop-ledger prompt` renders, for each shipped target and each runtime: short, without a trace of a
//! machine, and with commands that run.

use std::collections::BTreeSet;

use crate::commands;
use crate::documents::check;
use crate::markdown::spans;
use crate::process::{Running, binary};
use crate::repository::{files_below, read, root};
use crate::tricks;

const RUNTIMES: [&str; 4] = ["redeploy", "humanize", "codex-goal", "claude-goal"];
/// Longest prompt, in characters: what a goal may have.
const LONGEST: usize = 4000;

/// A prompt and what it was rendered from.
struct Prompt {
    place: String,
    text: String,
}

/// Renders a prompt from a target file, or from a campaign that has begun.
fn render(runtime: &str, flags: &[&str]) -> Prompt {
    let mut command = std::process::Command::new(binary("loop-ledger"));
    command
        .args(["prompt", "--runtime", runtime])
        .args(flags)
        .env_remove("LOOP_LEDGER_ROOT");
    let ended = Running::start(&mut command).end();
    let place = format!("{runtime} {flags:?}");
    assert_eq!(ended.code(), 0, "{place}: {ended:?}");
    Prompt {
        place,
        text: ended.stdout,
    }
}

/// All of them: from each shipped target, before a campaign exists.
fn of_targets() -> Vec<Prompt> {
    let targets: Vec<String> = files_below("examples")
        .into_iter()
        .filter(|path| path.ends_with(".yaml") && !path.contains("/output/"))
        .filter(|path| read(path).contains("\ncampaign:"))
        .collect();
    assert!(
        targets.len() >= 2,
        "no target of a campaign is shipped: {targets:?}"
    );
    targets
        .iter()
        .flat_map(|path| {
            let target = root().join(path);
            let target = target.to_str().expect("paths are text").to_owned();
            RUNTIMES.map(|runtime| render(runtime, &["--target", &target, "--root", "runs/campaign"]))
        })
        .collect()
}

#[test]
fn they_are_short_and_name_no_machine() {
    let campaign = tricks::decided(90.0);
    let root = campaign.path("root");
    // The root of a begun campaign is wherever the user put it; the prompt says how it is named, and not where it lies.
    let begun = RUNTIMES.map(|runtime| render(runtime, &["--root", &root]));
    for Prompt { place, text } in of_targets().into_iter().chain(begun) {
        let length = text.chars().count();
        assert!((500..LONGEST).contains(&length), "{place}: {length} characters");
        assert!(
            text.contains("loop-ledger done"),
            "{place}: it does not say when it is over"
        );
        assert!(!text.contains("{{"), "{place}: a placeholder is left");
        assert_eq!(traces(&text), Vec::<String>::new(), "{place}");
        // A block would have to be played: what runs stands in the lines.
        assert_eq!(crate::markdown::fences(&text), [], "{place}");
    }
}

/// Hosts, addresses, users and home paths in a text.
fn traces(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || "`'\"(),;".contains(c)) {
        let word = word.trim_end_matches(['.', ':']);
        let is_address = word.split(['.', ':']).count() >= 4
            && word
                .split(['.', ':'])
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        let is_url = word.contains("://") || word.starts_with("localhost");
        let is_path = word.starts_with('/') && word.matches('/').count() >= 2 || word.starts_with("~/");
        let is_account = word.contains('@');
        if is_address || is_url || is_path || is_account {
            found.push(word.to_owned());
        }
    }
    for name in ["USER", "LOGNAME", "HOSTNAME", "HOME"] {
        let value = std::env::var(name).unwrap_or_default();
        let is_telling = value.len() > 3 && value != "root";
        if is_telling
            && text
                .split(|c: char| !c.is_alphanumeric() && c != '/')
                .any(|word| word == value)
        {
            found.push(value);
        }
    }
    found
}

#[test]
fn their_commands_run() {
    let campaign = tricks::decided(90.0);
    let mut played = BTreeSet::new();
    for Prompt { place, text } in of_targets() {
        for (line, span) in spans(&text) {
            // What an `echo` after a command prints is not its own.
            let command = span.split(';').next().unwrap_or_default();
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            let Some(parsed) = commands::parse(&words) else {
                continue;
            };
            let place = format!("{place}:{line}: {span}");
            if parsed.is_err() {
                // A name whose flags are the reader's: `loop-ledger`, `loop-ledger begin`, `loop-ledger patch --test`.
                let is_name = words.len() == 1 || is_subcommand(&words);
                assert!(
                    is_name && words.iter().skip(2).all(|word| word.starts_with("--")),
                    "{place}"
                );
            } else if played.insert(words.clone()) && words[0] == "loop-ledger" {
                play(&campaign, &place, &words);
            }
        }
    }
    assert!(
        played.len() > 10,
        "only {} commands ran: {played:?}",
        played.len()
    );
}

/// Whether a tool has a sub-command of that name.
fn is_subcommand(words: &[String]) -> bool {
    let tools = commands::tools();
    let (_, tool) = tools
        .iter()
        .find(|(name, _)| *name == words[0])
        .expect("it was parsed");
    tool.find_subcommand(&words[1]).is_some()
}

/// Runs a command of a prompt in a campaign that has a verdict and nothing else.
fn play(campaign: &tricks::Campaign, place: &str, words: &[String]) {
    let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    let codes: &[i32] = match words[0] {
        // A gate answers yes or no, and here `done` is no; a client may be missing.
        "may" | "preflight" => &[0, 1],
        "done" => &[1],
        // Text for a round, and no round has begun.
        "humanize" => &[0, 1],
        _ => &[0],
    };
    let ended = campaign.run(&words);
    assert!(
        ended.code.is_some_and(|code| codes.contains(&code)),
        "{place}: {ended:?}"
    );
    if ended.stdout.starts_with('{') {
        check(place, &ended.document());
    }
}

#[test]
fn traces_are_found() {
    for text in [
        "at 10.0.0.7:8000",
        "see http://h/",
        "in /home/me/x",
        "~/x",
        "me@host",
    ] {
        assert_eq!(traces(text).len(), 1, "{text}");
    }
    assert_eq!(
        traces("Mamba/GDN, 0.99, 2 x B200, runs/x, and/or `a; b`"),
        Vec::<String>::new()
    );
}

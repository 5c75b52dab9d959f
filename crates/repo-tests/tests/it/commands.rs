//! Every command that a skill, a prompt or the README shows parses with the real arguments.

use std::collections::BTreeSet;

use clap::Command;

use crate::markdown::{fences, spans};
use crate::repository::{files_below, instructions, read, root};
use crate::shell;

/// Programs of others that a text may call. A name that is neither here nor ours is a typing error.
const OTHERS: [&str; 12] = [
    "bash", "cargo", "cat", "cd", "cp", "export", "git", "jq", "kill", "mkdir", "sleep", "uv",
];

/// Parses a command line as the binary of that name would; `None` if no binary of ours has it.
pub(crate) fn parse(words: &[String]) -> Option<Result<(), String>> {
    fn typed<A: cli_kit::Cli>(words: &[String]) -> Result<(), String> {
        cli_kit::command::<A>()
            .try_get_matches_from(words)
            .and_then(|matches| A::from_arg_matches(&matches).map(drop))
            .map_err(|error| error.to_string())
    }
    // `--schema` and `--skill` are answered before the arguments are parsed.
    let embedded = words.iter().any(|word| word == "--schema" || word == "--skill");
    let parsed = match words.first()?.as_str() {
        "serve-bench" => typed::<serve_bench::cli::Args>(words),
        "gap-decide" => typed::<gap_decide::cli::Args>(words),
        "engine-sim" => typed::<engine_sim::cli::Args>(words),
        "profile-tables" => typed::<profile_tables::cli::Args>(words),
        "pipeline-analysis" => typed::<pipeline_analysis::cli::Args>(words),
        "telemetry-fetch" => typed::<telemetry_fetch::cli::Args>(words),
        "capacity-plan" => typed::<capacity_plan::cli::Args>(words),
        "ncu-digest" => typed::<ncu_digest::cli::Args>(words),
        "config-search" => typed::<config_search::cli::Args>(words),
        "kernel-gate" => typed::<kernel_gate::cli::Args>(words),
        "quality-gate" => typed::<quality_gate::cli::Args>(words),
        "loop-ledger" => typed::<loop_ledger::cli::Args>(words),
        _ => return None,
    };
    Some(if embedded { Ok(()) } else { parsed })
}

/// The commands of the binaries, for what is written in running text.
pub(crate) fn tools() -> [(&'static str, Command); 12] {
    [
        ("serve-bench", cli_kit::command::<serve_bench::cli::Args>()),
        ("gap-decide", cli_kit::command::<gap_decide::cli::Args>()),
        ("engine-sim", cli_kit::command::<engine_sim::cli::Args>()),
        ("profile-tables", cli_kit::command::<profile_tables::cli::Args>()),
        (
            "pipeline-analysis",
            cli_kit::command::<pipeline_analysis::cli::Args>(),
        ),
        (
            "telemetry-fetch",
            cli_kit::command::<telemetry_fetch::cli::Args>(),
        ),
        ("capacity-plan", cli_kit::command::<capacity_plan::cli::Args>()),
        ("ncu-digest", cli_kit::command::<ncu_digest::cli::Args>()),
        ("config-search", cli_kit::command::<config_search::cli::Args>()),
        ("kernel-gate", cli_kit::command::<kernel_gate::cli::Args>()),
        ("quality-gate", cli_kit::command::<quality_gate::cli::Args>()),
        ("loop-ledger", cli_kit::command::<loop_ledger::cli::Args>()),
    ]
}

fn long_flags(command: &Command) -> BTreeSet<String> {
    let mut flags: BTreeSet<String> = command
        .get_arguments()
        .flat_map(|argument| {
            let names = argument.get_long_and_visible_aliases().unwrap_or_default();
            names.into_iter().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    flags.extend(["help".to_owned(), "version".to_owned()]);
    for sub in command.get_subcommands() {
        flags.extend(long_flags(sub));
    }
    flags
}

/// Names of the long flags in a text: `--name` and what follows it is left out.
fn flags_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "[](),|".contains(c))
        .filter_map(|word| {
            let name = word.strip_prefix("--")?.split('=').next()?;
            name.starts_with(|c: char| c.is_ascii_lowercase()).then_some(name)
        })
}

#[test]
fn every_command_in_a_block_parses() {
    let mut wrong = Vec::new();
    let mut ours = 0;
    for path in instructions() {
        for fence in fences(&read(&path)) {
            if !["sh", "bash", "shell", "console"].contains(&fence.language.as_str()) {
                continue;
            }
            for simple in shell::commands(&fence.body) {
                let place = format!("{path}:{}", fence.line + simple.line);
                match parse(&simple.words) {
                    Some(Ok(())) => ours += 1,
                    Some(Err(message)) => {
                        wrong.push(format!("{place}: {}\n{message}", simple.words.join(" ")))
                    }
                    None if OTHERS.contains(&simple.words[0].as_str()) => {
                        wrong.extend(
                            missing_script(&simple.words).map(|script| format!("{place}: no file {script}")),
                        );
                    }
                    None => wrong.push(format!("{place}: `{}` is no program known here", simple.words[0])),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ours > 20, "only {ours} commands found: are the skills empty?");
}

/// `bash FILE`, with FILE not in the repository.
fn missing_script(words: &[String]) -> Option<&str> {
    let script = words.get(1).filter(|_| words[0] == "bash")?;
    (!root().join(script).is_file()).then_some(script)
}

#[test]
fn a_shell_block_says_that_it_is_one() {
    for path in instructions() {
        for fence in fences(&read(&path)) {
            assert!(
                !fence.language.is_empty(),
                "{path}:{}: a block without a language is not checked; say `sh`, `yaml`, `json` or `text`",
                fence.line
            );
        }
    }
}

/// Flags in a piece of running text that no tool has; those of a named tool are looked up in its sub-command.
fn unknown_flags(span: &str, tools: &[(&'static str, Command)]) -> Vec<String> {
    let mut words = span.split_whitespace();
    let first = words.next().unwrap_or_default();
    let known = match tools.iter().find(|(name, _)| *name == first) {
        Some((_, command)) => {
            let sub = words.next().and_then(|word| command.find_subcommand(word));
            let mut flags = long_flags(sub.unwrap_or(command));
            // Flags that all tools have stand on the top command.
            flags.extend(
                command
                    .get_arguments()
                    .filter_map(|a| a.get_long().map(str::to_owned)),
            );
            flags
        }
        None if first.starts_with("--") => tools
            .iter()
            .flat_map(|(_, command)| long_flags(command))
            .collect(),
        None => return Vec::new(),
    };
    flags_of(span)
        .filter(|flag| !known.contains(*flag))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_flag_in_running_text_exists() {
    let tools = tools();
    let mut wrong = Vec::new();
    for path in instructions() {
        for (line, span) in spans(&read(&path)) {
            let unknown = unknown_flags(&span, &tools);
            wrong.extend(
                unknown
                    .iter()
                    .map(|flag| format!("{path}:{line}: no flag --{flag} in `{span}`")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_flag_in_a_hint_exists() {
    let tools = tools();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for path in files_below("crates")
        .iter()
        .filter(|path| path.ends_with(".rs") && path.contains("/src/"))
    {
        // Pieces between backticks on one line; a piece that begins with a tool's name is a command for a reader.
        for (number, line) in read(path).lines().enumerate() {
            for piece in line.split('`').skip(1) {
                if tools
                    .iter()
                    .any(|(name, _)| piece.starts_with(&format!("{name} ")))
                {
                    checked += 1;
                    let unknown = unknown_flags(piece, &tools);
                    wrong.extend(
                        unknown
                            .iter()
                            .map(|flag| format!("{path}:{}: no --{flag}: {piece}", number + 1)),
                    );
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 20, "only {checked} commands found in hints");
}

#[test]
fn the_examples_of_help_parse() {
    use cli_kit::Cli as _;
    for tool in [
        serve_bench::cli::Args::TOOL,
        gap_decide::cli::Args::TOOL,
        engine_sim::cli::Args::TOOL,
        profile_tables::cli::Args::TOOL,
        loop_ledger::cli::Args::TOOL,
    ] {
        let examples = shell::commands(tool.examples);
        assert!(examples.len() >= 2, "{} shows two examples", tool.name);
        for simple in examples {
            assert_eq!(parse(&simple.words), Some(Ok(())), "{:?}", simple.words);
        }
    }
}

#[test]
fn the_parser_is_the_real_one() {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert!(
        parse(&words("gap-decide --compare a.json --threshold 0.02"))
            .unwrap()
            .is_ok()
    );
    assert!(parse(&words("gap-decide --comparison a.json")).unwrap().is_err());
    assert!(
        parse(&words("serve-bench run")).unwrap().is_err(),
        "--url is required"
    );
    assert!(parse(&words("serve-bnech run")).is_none());
}

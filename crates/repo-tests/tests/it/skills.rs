//! Skills stay within the Agent Skills specification and our own limits, and the binaries carry their text.

use cli_kit::Cli;

use crate::markdown::{fences, front_matter};
use crate::repository::{read, skills};
use crate::shell;

/// The fields of the specification; a validator refuses every other one.
const FIELDS: [&str; 6] = [
    "name",
    "description",
    "license",
    "compatibility",
    "metadata",
    "allowed-tools",
];
/// Longest description, in characters.
const DESCRIPTION: usize = 300;
/// Most tokens of a body.
const BODY_TOKENS: usize = 3000;

fn text(name: &str) -> String {
    read(&format!("skills/{name}/SKILL.md"))
}

/// Tokens of a text, counted high: a word of up to six letters is one, every punctuation mark is one.
fn tokens(text: &str) -> usize {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let letters: usize = words.map(|word| word.chars().count().div_ceil(6)).sum();
    letters
        + text
            .chars()
            .filter(|c| !c.is_alphanumeric() && !c.is_whitespace())
            .count()
}

#[test]
fn front_matter_follows_the_specification() {
    for name in skills() {
        let text = text(&name);
        let (fields, _) = front_matter(&text);
        let value = |key: &str| {
            fields
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        };
        for (key, _) in &fields {
            assert!(
                FIELDS.contains(&key.as_str()),
                "{name}: `{key}` is no field of the specification"
            );
        }
        assert_eq!(value("name"), Some(name.as_str()), "the name is the folder's");
        let description = value("description").unwrap_or_default();
        let length = description.chars().count();
        assert!(
            (1..=DESCRIPTION).contains(&length),
            "{name}: the description has {length} characters"
        );
        assert!(
            description.contains("Use when"),
            "{name}: the description says when to use it"
        );
        assert!(
            !description.contains(": ") && !description.contains(" #"),
            "{name}: the description is plain YAML text"
        );
        let compatibility = value("compatibility").map_or(0, |text| text.chars().count());
        assert!(
            compatibility <= 500,
            "{name}: compatibility has {compatibility} characters"
        );
    }
}

#[test]
fn bodies_are_short() {
    for name in skills() {
        let text = text(&name);
        let (_, body) = front_matter(&text);
        let tokens = tokens(body);
        assert!(tokens <= BODY_TOKENS, "{name}: about {tokens} tokens");
        assert!(text.lines().count() < 500, "{name}: too many lines");
    }
}

#[test]
fn the_loop_is_answered() {
    let asked = ["When", "Start", "Validate", "Decide", "Hard stops", "Deliver"];
    for name in ["serve-bench", "gap-decide"] {
        let text = text(name);
        for heading in asked {
            assert!(
                text.contains(&format!("\n## {heading}\n")),
                "{name}: no section `{heading}`"
            );
        }
    }
    // The campaign decides round by round.
    let campaign = text("sota-campaign");
    for heading in [
        "When",
        "Start",
        "Round 0",
        "One change",
        "Revalidate",
        "Validate",
        "Hard stops",
        "Deliver",
    ] {
        assert!(
            campaign.contains(&format!("\n## {heading}\n")),
            "sota-campaign: no section `{heading}`"
        );
    }
}

#[test]
fn programs_are_called_by_bare_name() {
    for name in skills() {
        for fence in fences(&text(&name)).iter().filter(|fence| fence.language == "sh") {
            for simple in shell::commands(&fence.body) {
                let program = &simple.words[0];
                assert!(
                    !program.contains('/'),
                    "{name}:{}: {program} is a path",
                    fence.line + simple.line
                );
                let script = simple
                    .words
                    .iter()
                    .find(|word| word.ends_with(".sh") || word.ends_with(".py"));
                assert_eq!(
                    script,
                    None,
                    "{name}:{}: no script paths",
                    fence.line + simple.line
                );
            }
        }
    }
}

#[test]
fn binaries_carry_the_text_of_their_skill() {
    let carried = [
        serve_bench::cli::Args::TOOL,
        gap_decide::cli::Args::TOOL,
        engine_sim::cli::Args::TOOL,
        loop_ledger::cli::Args::TOOL,
        profile_tables::cli::Args::TOOL,
        pipeline_analysis::cli::Args::TOOL,
        capacity_plan::cli::Args::TOOL,
        ncu_digest::cli::Args::TOOL,
        kernel_gate::cli::Args::TOOL,
        config_search::cli::Args::TOOL,
        quality_gate::cli::Args::TOOL,
    ];
    for tool in carried {
        assert!(
            tool.skill == text(tool.name),
            "{0} --skill is not skills/{0}/SKILL.md",
            tool.name
        );
        for (command, id) in tool.schemas {
            assert!(
                contracts::schema::find(id).is_some(),
                "{} {command} --schema prints nothing: {id} is not published",
                tool.name
            );
        }
    }
}

#[test]
fn every_tool_has_a_skill_and_a_row_in_the_readme() {
    let readme = read("README.md");
    let skills = skills();
    for line in read("crates/sota-loop/Cargo.toml").lines() {
        let Some(tool) = line
            .strip_prefix("name = \"")
            .and_then(|rest| rest.strip_suffix('"'))
        else {
            continue;
        };
        if tool == "sota-loop" {
            continue;
        }
        assert!(skills.iter().any(|skill| skill == tool), "{tool} has no skill");
        assert!(
            readme.contains(&format!("\n| `{tool}` |")),
            "{tool} has no row in the README's table"
        );
    }
}

#[test]
fn the_plugin_has_the_version_of_the_workspace() {
    let version = env!("CARGO_PKG_VERSION");
    let manifest = |path: &str| serde_json::from_str::<serde_json::Value>(&read(path)).unwrap();
    assert_eq!(manifest(".claude-plugin/plugin.json")["version"], version);
    assert_eq!(
        manifest(".claude-plugin/marketplace.json")["plugins"][0]["version"],
        version
    );
    assert!(
        read("CHANGELOG.md").contains(&format!("\n## {version}")),
        "the changelog has no section {version}"
    );
}

#[test]
fn tokens_are_counted_high() {
    assert_eq!(tokens("one two, three"), 4);
    assert_eq!(tokens("`data.runs[].valid`"), 9);
}

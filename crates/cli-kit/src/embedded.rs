//! `--schema` and `--skill`: texts that are part of the binary, given without the arguments that a run would need.

use std::ffi::OsString;
use std::io::Write as _;

use contracts::Exit;

use crate::{Cli, Failure, ToolInfo, emit};

/// Answers the flags of this file; `None` when neither is there.
pub(crate) fn print<A: Cli>(argv: &[OsString]) -> Option<Exit> {
    let words: Vec<&str> = argv
        .iter()
        .skip(1)
        .take_while(|word| *word != "--")
        .filter_map(|word| word.to_str())
        .collect();
    Some(match answer::<A>(&words)? {
        Ok(text) => {
            // A closed pipe is success: the reader has what it wanted.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
            Exit::Ok
        }
        Err(failure) => {
            emit::print_failure(&failure, emit::wants_json(argv));
            failure.exit
        }
    })
}

fn answer<A: Cli>(words: &[&str]) -> Option<Result<&'static str, Failure>> {
    let tool = A::TOOL;
    if words.contains(&"--skill") {
        return Some(Ok(tool.skill));
    }
    let at = words.iter().position(|word| *word == "--schema")?;
    let command = crate::command::<A>();
    let is_sub = |word: &&&str| command.find_subcommand(word).is_some();
    let named = words.get(at + 1).filter(|word| !word.starts_with('-'));
    let id = match named.and_then(|name| id_of(&tool, name)) {
        Some(id) => id,
        // What follows `tool sub --schema` may be an argument of the sub-command; of the tool it can only be a name.
        None => match (words[..at].iter().find(is_sub), named) {
            (None, Some(name)) => return Some(Err(unknown(&tool, name))),
            (sub, _) => sub
                .or_else(|| words.iter().find(is_sub))
                .and_then(|sub| id_of(&tool, sub))
                .or_else(|| tool.schemas.first().map(|(_, id)| *id))
                .expect("every tool has a document"),
        },
    };
    let schema = contracts::schema::find(id).expect("every schema a tool names is published");
    Some(Ok(schema.text))
}

/// By the name of a sub-command or document, or by the id itself.
fn id_of(tool: &ToolInfo, name: &str) -> Option<&'static str> {
    let known = |(known, id): &&(&str, &'static str)| !known.is_empty() && (*known == name || *id == name);
    tool.schemas.iter().find(known).map(|(_, id)| *id)
}

fn unknown(tool: &ToolInfo, name: &str) -> Failure {
    let names = tool.schemas.iter().map(|(name, _)| *name);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    let hint = if names.is_empty() {
        format!("`{} --schema` prints its only one", tool.name)
    } else {
        format!("one of {}", names.join(", "))
    };
    Failure::new(
        Exit::Usage,
        "schema-unknown",
        format!(
            "{} has no document called {}",
            tool.name,
            contracts::text::clean(name, 80)
        ),
    )
    .hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tool::Args;

    /// Id of the schema that is printed, or the failure.
    fn printed(words: &[&str]) -> Result<&'static str, Failure> {
        let text = answer::<Args>(words).expect("--schema is there")?;
        let found = contracts::schema::PUBLISHED
            .iter()
            .find(|known| known.text == text);
        Ok(found.expect("a published schema").id)
    }

    #[test]
    fn a_document_has_the_name_of_its_command_or_one_of_its_own() {
        for (words, id) in [
            (&["--schema"][..], "error/1"),
            (&["--schema", "measure"], "serve-bench.probe/1"),
            (&["measure", "--schema"], "serve-bench.probe/1"),
            (
                &["--quiet", "--schema", "--top", "3", "measure"],
                "serve-bench.probe/1",
            ),
            (&["--schema", "target"], "sota-loop.target/1"),
            (&["--schema", "sota-loop.target/1"], "sota-loop.target/1"),
            // An argument of the sub-command.
            (&["measure", "--schema", "file.json"], "serve-bench.probe/1"),
        ] {
            assert_eq!(printed(words).unwrap(), id, "{words:?}");
        }
    }

    #[test]
    fn a_name_that_nobody_knows_is_a_usage_error_with_the_names() {
        let failure = printed(&["--schema", "nosuch"]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.document.code, "schema-unknown");
        assert!(failure.document.message.contains("nosuch"));
        assert_eq!(failure.document.hint.as_deref(), Some("one of measure, target"));
    }

    #[test]
    fn without_the_flags_there_is_nothing_to_say() {
        assert!(answer::<Args>(&["measure", "schema"]).is_none());
    }
}

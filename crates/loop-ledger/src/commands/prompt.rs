//! `prompt`: what starts a runtime on this campaign, or on a target before there is one.

use cli_kit::{Block, DocumentParts, Failure, Report, View};
use contracts::loop_ledger::text::{self, TextData};
use contracts::target::Target;
use contracts::{Exit, Input};

use crate::TOOL;
use crate::cli::PromptArgs;
use crate::ledger::{Ledger, Root};
use crate::prompt::{self, Values};

pub(crate) fn prompt(root: &Root, args: &PromptArgs) -> Result<Report, Failure> {
    let kind = format!("prompt {}", args.runtime.name());
    let (values, head, inputs) = match &args.target {
        Some(path) => {
            let (target, input): (Target, Input) = cli_kit::load_yaml(path, Target::SCHEMA)?;
            if target.campaign.is_none() {
                return Err(Failure::new(
                    Exit::BadInput,
                    "target-incomplete",
                    "the target does not say campaign (framework, comparison, budget)",
                )
                .hint("see examples/targets for whole ones"));
            }
            (Values::new(&target, None, root.path()), None, vec![input])
        }
        None => {
            let ledger = Ledger::read(root)?;
            let values = Values::new(&ledger.lock.target, Some(&ledger.lock.scenarios), root.path());
            (values, Some(ledger.chain.head().to_owned()), Vec::new())
        }
    };
    let text = prompt::render(args.runtime, &values);
    Ok(text_report(&kind, text, head, inputs))
}

/// The document of a text that was asked for as it stands.
pub(crate) fn text_report(kind: &str, text: String, head: Option<String>, inputs: Vec<Input>) -> Report {
    let chars = text.chars().count() as u64;
    let parts = DocumentParts {
        summary: format!("{kind}: {chars} characters."),
        inputs,
        ..DocumentParts::new(text::SCHEMA)
    };
    let view = View::new().with(Block::Verbatim(text.clone()));
    let data = TextData {
        kind: kind.to_owned(),
        text: Some(text),
        chars,
        head,
    };
    let document = cli_kit::document(&TOOL, parts, data);
    Report::new(&document, view, Exit::Ok).text_first()
}

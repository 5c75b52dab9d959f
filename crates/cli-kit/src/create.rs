//! Putting the head on a document.

use contracts::document::SUMMARY_CAP;
use contracts::{Artifact, Document, FieldSet, Input, NextAction, Tool, Warning};
use jiff::Timestamp;

use crate::ToolInfo;
use crate::bind::Binding;

/// Everything of a document's head that a tool decides.
#[derive(Clone, Debug)]
pub struct DocumentParts {
    /// Schema id.
    pub schema: &'static str,
    /// False for a partial document.
    pub complete: bool,
    /// Whether a simulated engine answered.
    pub simulated: bool,
    /// One or two sentences; cut at 400 characters.
    pub summary: String,
    /// What to run next.
    pub next_actions: Vec<NextAction>,
    /// What could mislead.
    pub warnings: Vec<Warning>,
    /// Contract.
    pub contract: FieldSet,
    /// Environment.
    pub environment: FieldSet,
    /// Subject.
    pub subject: FieldSet,
    /// Files read.
    pub inputs: Vec<Input>,
    /// Files written.
    pub artifacts: Vec<Artifact>,
}

impl DocumentParts {
    /// A complete document of a schema with an empty head.
    pub fn new(schema: &'static str) -> DocumentParts {
        DocumentParts {
            schema,
            complete: true,
            simulated: false,
            summary: String::new(),
            next_actions: Vec::new(),
            warnings: Vec::new(),
            contract: FieldSet::none(),
            environment: FieldSet::none(),
            subject: FieldSet::none(),
            inputs: Vec::new(),
            artifacts: Vec::new(),
        }
    }

    /// Takes over what a benchmark gives to its evidence.
    pub fn bind(&mut self, binding: Binding) {
        self.contract = binding.contract;
        self.environment = binding.environment;
        self.subject = binding.subject;
        self.simulated |= binding.simulated;
        self.inputs.push(binding.input);
    }
}

/// Name and version as documents carry them.
pub fn tool(info: &ToolInfo) -> Tool {
    Tool {
        name: info.name.to_owned(),
        version: info.version.to_owned(),
    }
}

/// Now, or the time that `SOURCE_DATE_EPOCH` fixes.
pub fn created_at() -> Timestamp {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok())
        .unwrap_or_else(|| {
            let now = Timestamp::now();
            // Whole seconds: nobody measures with this one.
            Timestamp::from_second(now.as_second()).unwrap_or(now)
        })
}

/// Puts the head on a tool's data.
pub fn document<D>(info: &ToolInfo, parts: DocumentParts, data: D) -> Document<D> {
    let mut summary = parts.summary;
    if summary.chars().count() > SUMMARY_CAP {
        summary = summary.chars().take(SUMMARY_CAP - 1).chain(['…']).collect();
    }
    Document {
        schema: parts.schema.to_owned(),
        tool: tool(info),
        created_at: created_at(),
        complete: parts.complete,
        simulated: parts.simulated,
        summary,
        next_actions: parts.next_actions,
        warnings: parts.warnings,
        contract: parts.contract,
        environment: parts.environment,
        subject: parts.subject,
        inputs: parts.inputs,
        artifacts: parts.artifacts,
        data,
    }
}

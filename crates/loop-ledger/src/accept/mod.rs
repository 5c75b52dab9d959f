//! From a document to the facts of an entry, or to the reason why it is no evidence. Nothing a document claims about
//! itself is believed where it can be computed.

mod benchmark;
mod bound;
mod decision;
mod notes;
pub(crate) mod objectives;
mod pooled;
mod quality;
mod refusal;
pub(crate) mod search;
mod subject;

use std::path::Path;

use contracts::config_search::candidate;
use contracts::fields::sha256_hex;
use contracts::loop_ledger::entry::Evidence;
use contracts::loop_ledger::facts::Facts;
use contracts::loop_ledger::phase::Phase;
use contracts::loop_ledger::{history, root_cause};
use contracts::serve_bench::compare::CompareData;
use contracts::serve_bench::{record, workload};
use contracts::{Document, gap_decide, quality_gate, serve_bench};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ledger::{Ledger, objects};
use crate::rules;
use crate::state::State;
pub use refusal::Refusal;

/// What a document is looked at with.
pub(crate) struct Context<'a> {
    /// The campaign on disk.
    pub(crate) ledger: &'a Ledger,
    /// What it adds up to.
    pub(crate) state: &'a State<'a>,
    /// The file, as typed.
    pub(crate) path: String,
    /// Its hash.
    pub(crate) sha256: String,
    /// False when the facts of a stored document are computed again: then its time and place are not judged anew.
    pub(crate) is_new: bool,
}

/// A document that is evidence.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// What it says.
    pub facts: Facts,
    /// The stored file.
    pub evidence: Evidence,
}

/// Judges a document against the campaign; stores nothing.
///
/// # Errors
/// Every reason why it is no evidence.
pub fn judge(ledger: &Ledger, state: &State<'_>, path: &Path, bytes: &[u8]) -> Result<Accepted, Refusal> {
    let context = Context {
        ledger,
        state,
        path: contracts::text::clean(&path.display().to_string(), 300),
        sha256: sha256_hex(bytes),
        is_new: true,
    };
    let facts = facts(&context, bytes)?;
    let missing = rules::missing(state, facts.phase);
    if let Some(first) = missing.into_iter().next() {
        return Err(Refusal::Gate {
            action: format!("accept {} as evidence of {}", context.path, facts.phase.name()),
            need: Box::new(first),
        });
    }
    let published = contracts::schema::find(&facts.schema);
    let evidence = Evidence {
        path: context.path,
        sha256: context.sha256,
        bytes: bytes.len() as u64,
        schema: Some(facts.schema.clone()),
        schema_sha256: published.map(|schema| sha256_hex(schema.text.as_bytes())),
        stored: true,
    };
    Ok(Accepted { facts, evidence })
}

/// The facts of a stored document, computed again from its bytes.
///
/// # Errors
/// It does not read any more.
pub fn again(ledger: &Ledger, state: &State<'_>, stored: &Evidence, bytes: &[u8]) -> Result<Facts, Refusal> {
    let context = Context {
        ledger,
        state,
        path: stored.path.clone(),
        sha256: stored.sha256.clone(),
        is_new: false,
    };
    facts(&context, bytes)
}

fn facts(context: &Context<'_>, bytes: &[u8]) -> Result<Facts, Refusal> {
    if is_search(bytes) {
        return search::search(context, bytes);
    }
    let value = context.value(bytes).map_err(|refusal| match schema_of(bytes) {
        // Lines of JSON are whole in their own way.
        Some(schema) if [workload::SCHEMA, record::SCHEMA].contains(&schema.as_str()) => {
            context.not_evidence(&schema)
        }
        _ => refusal,
    })?;
    let schema = value
        .get("schema")
        .and_then(Value::as_str)
        .ok_or_else(|| context.unreadable("input-no-schema", "it has no `schema` field".to_owned()))?
        .to_owned();
    match schema.as_str() {
        serve_bench::compare::SCHEMA => benchmark::compare(context, &context.document(value)?),
        serve_bench::result::SCHEMA => benchmark::result(context, &context.document(value)?),
        gap_decide::decision::SCHEMA => decision::decision(context, &context.document(value)?),
        history::SCHEMA => notes::history(context, &context.typed(value)?),
        root_cause::SCHEMA => notes::root_cause(context, &context.typed(value)?),
        quality_gate::result::SCHEMA => quality::result(context, &context.document(value)?),
        quality_gate::verdict::SCHEMA => quality::verdict(context, &context.document(value)?),
        other => match bound::phase_of(other) {
            Some(phase) => bound::bound(context, phase, &context.document(value)?),
            None => Err(context.not_evidence(other)),
        },
    }
}

/// The schema that a file names, if its first JSON value has one: a document, or the first of many lines.
pub(crate) fn schema_of(bytes: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        schema: String,
    }
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Named>();
    values.next()?.ok().map(|named| named.schema)
}

/// Whether a file is the rows of a search.
pub(crate) fn is_search(bytes: &[u8]) -> bool {
    schema_of(bytes).as_deref() == Some(candidate::SCHEMA)
}

/// A stored comparison, read again.
fn stored_compare(context: &Context<'_>, sha256: &str) -> Option<CompareData> {
    let bytes = objects::get(&context.ledger.root, sha256).ok().flatten()?;
    let document: Document<CompareData> = serde_json::from_slice(&bytes).ok()?;
    Some(document.data)
}

impl Context<'_> {
    /// JSON, or YAML, which people write by hand.
    fn value(&self, bytes: &[u8]) -> Result<Value, Refusal> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(self.unreadable("input-empty", "it is empty".to_owned()));
        }
        let looks_like_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        if looks_like_json {
            return serde_json::from_slice(bytes).map_err(|error| {
                let code = if error.is_eof() {
                    "input-truncated"
                } else {
                    "input-not-json"
                };
                self.unreadable(code, error.to_string())
            });
        }
        cli_kit::yaml_value(bytes).map_err(|what| self.unreadable("input-not-yaml", what))
    }

    fn document<D: DeserializeOwned>(&self, value: Value) -> Result<Document<D>, Refusal> {
        let document: Document<D> = self.typed(value)?;
        if !document.complete {
            return Err(self.invalid(
                "incomplete-document",
                "it was written by an interrupted command".to_owned(),
            ));
        }
        for (name, set) in [
            ("contract", &document.contract),
            ("environment", &document.environment),
            ("subject", &document.subject),
        ] {
            if !set.is_intact() {
                return Err(self.drift(
                    "fingerprint-mismatch",
                    format!("the fingerprint of its {name} is not the one of its fields: it was edited"),
                ));
            }
        }
        Ok(document)
    }

    fn typed<T: DeserializeOwned>(&self, value: Value) -> Result<T, Refusal> {
        serde_json::from_value(value).map_err(|error| self.unreadable("input-malformed", error.to_string()))
    }

    pub(crate) fn unreadable(&self, code: &'static str, what: String) -> Refusal {
        Refusal::Unreadable {
            code,
            path: self.path.clone(),
            what: contracts::text::clean(&what, contracts::text::FOREIGN_TEXT_CAP),
        }
    }

    fn not_evidence(&self, schema: &str) -> Refusal {
        Refusal::NotEvidence {
            path: self.path.clone(),
            schema: contracts::text::clean(schema, 80),
        }
    }

    pub(crate) fn invalid(&self, code: &'static str, what: String) -> Refusal {
        Refusal::Invalid {
            code,
            path: self.path.clone(),
            what,
        }
    }

    pub(crate) fn drift(&self, code: &'static str, what: String) -> Refusal {
        Refusal::Drift {
            code,
            path: self.path.clone(),
            what: contracts::text::clean(&what, contracts::text::FOREIGN_TEXT_CAP),
        }
    }

    /// Facts with nothing but the head of a document.
    pub(crate) fn head<D>(&self, document: &Document<D>, phase: Phase) -> Facts {
        Facts {
            simulated: document.simulated,
            contract: document.contract.fingerprint.clone(),
            environment: document.environment.fingerprint.clone(),
            inputs: document.inputs.iter().map(|input| input.sha256.clone()).collect(),
            ..self.blank(phase, &document.schema, &document.summary)
        }
    }

    /// Facts of a file that measures nothing.
    pub(crate) fn blank(&self, phase: Phase, schema: &str, summary: &str) -> Facts {
        Facts {
            phase,
            schema: schema.to_owned(),
            sha256: self.sha256.clone(),
            summary: contracts::text::clean(summary, 400),
            simulated: false,
            contract: None,
            environment: None,
            inputs: Vec::new(),
            sides: Vec::new(),
            scenario: None,
            measured_at: None,
            decision: None,
            family_shares: Vec::new(),
        }
    }
}

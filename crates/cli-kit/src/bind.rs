//! `--for RESULT [--side NAME]`: evidence that explains a benchmark carries its contract and the subject of the side that
//! it explains. The same for traces, counters and telemetry.

use std::path::PathBuf;

use contracts::serve_bench::compare::{self, CompareData, Side};
use contracts::serve_bench::result::{self, ResultData, WorkloadInfo};
use contracts::{Exit, FieldSet, Input};
use serde_json::Value;

use crate::failure::Failure;
use crate::read::{load_one_of, said};

/// The flags.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct BindArgs {
    /// Bind to what serve-bench measured, a result or a comparison: its contract is taken over
    #[arg(long = "for", value_name = "RESULT")]
    pub for_result: Option<PathBuf>,
    /// The side of a comparison, by its name or as `a` or `b` [default: the only one of this engine]
    #[arg(long, value_name = "NAME", requires = "for_result")]
    pub side: Option<String>,
}

/// What a benchmark gives to its evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// What was held fixed.
    pub contract: FieldSet,
    /// Where it was measured.
    pub environment: FieldSet,
    /// What was measured.
    pub subject: FieldSet,
    /// Whether an engine was simulated.
    pub simulated: bool,
    /// The workload that was sent.
    pub workload: WorkloadInfo,
    /// The file.
    pub input: Input,
}

impl BindArgs {
    /// Reads the benchmark that the evidence explains; `None` without `--for`. `engine` is whose evidence it is, where
    /// that is known: of a simulated engine, the one that it simulates.
    ///
    /// # Errors
    /// Exit 3: no benchmark, a comparison without this side, a side that is not clear, one of another engine, or one that
    /// was simulated where the evidence is real, or the reverse.
    pub fn read(&self, engine: Option<&str>, simulated: bool) -> Result<Option<Binding>, Failure> {
        let Some(path) = &self.for_result else {
            return Ok(None);
        };
        let name = path.display().to_string();
        let loaded = load_one_of::<Value>(path, &[result::SCHEMA, compare::SCHEMA])?;
        let document = loaded.document;
        let binding = if document.schema == compare::SCHEMA {
            let data: CompareData = typed(&name, &document.data)?;
            let side = self.side_of(&name, data.a, data.b, engine)?;
            Binding {
                contract: side.contract,
                environment: document.environment,
                subject: side.subject,
                simulated: document.simulated,
                workload: data.workload,
                input: loaded.input,
            }
        } else {
            if self.side.is_some() {
                return Err(refused(
                    "evidence-no-sides",
                    format!("failed to take a side of {name}: it is the result of one server"),
                )
                .hint("leave --side out, or give the comparison"));
            }
            let data: ResultData = typed(&name, &document.data)?;
            Binding {
                contract: document.contract,
                environment: document.environment,
                subject: document.subject,
                simulated: document.simulated,
                workload: data.workload,
                input: loaded.input,
            }
        };
        same_engine(&name, &binding, engine, simulated)?;
        Ok(Some(binding))
    }

    fn side_of(&self, name: &str, a: Side, b: Side, engine: Option<&str>) -> Result<Side, Failure> {
        let both = format!("`{}` (a) and `{}` (b)", said(&a.name), said(&b.name));
        match self.side.as_deref() {
            // Two sides of one name are told apart by their letters only.
            Some(wanted) if a.name != b.name && wanted == a.name => Ok(a),
            Some(wanted) if a.name != b.name && wanted == b.name => Ok(b),
            Some("a") => Ok(a),
            Some("b") => Ok(b),
            Some(wanted) => Err(refused(
                "evidence-no-such-side",
                format!("failed to find the side `{wanted}` in {name}: there are {both}"),
            )
            .hint("name one of them with --side")),
            None => match (is_of(&a.subject, engine), is_of(&b.subject, engine)) {
                (true, false) => Ok(a),
                (false, true) => Ok(b),
                _ => Err(refused(
                    "evidence-side-unclear",
                    format!("failed to tell which side of {name} is explained: there are {both}"),
                )
                .hint("name it with --side")),
            },
        }
    }
}

fn refused(code: &str, message: String) -> Failure {
    Failure::new(Exit::BadInput, code, message)
}

fn typed<D: serde::de::DeserializeOwned>(name: &str, data: &Value) -> Result<D, Failure> {
    D::deserialize(data).map_err(|error| {
        refused(
            "input-malformed",
            format!("{name} does not read as what it says it is: {}", said(&error)),
        )
        .hint("the file was edited or written by another release; measure again")
    })
}

/// Names of engines are written in several ways.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['-', '_', '.'], "")
}

fn kind(subject: &FieldSet) -> Option<&str> {
    subject.known("engine.kind").and_then(Value::as_str)
}

fn is_of(subject: &FieldSet, engine: Option<&str>) -> bool {
    matches!((kind(subject), engine), (Some(kind), Some(engine)) if plain(kind) == plain(engine))
}

/// Real evidence explains no simulated benchmark, nor the reverse; and each that of its own engine.
fn same_engine(name: &str, binding: &Binding, engine: Option<&str>, simulated: bool) -> Result<(), Failure> {
    let is = |simulated: bool| {
        if simulated {
            "a simulated engine"
        } else {
            "a real one"
        }
    };
    let (this, measured) = match (engine, kind(&binding.subject)) {
        _ if simulated != binding.simulated => (is(simulated), is(binding.simulated).to_owned()),
        (Some(engine), Some(measured)) if plain(engine) != plain(measured) => (engine, said(&measured)),
        _ => return Ok(()),
    };
    Err(refused(
        "evidence-other-engine",
        format!("failed to bind to {name}: this is of {this}, what was measured is of {measured}"),
    )
    .hint("give the benchmark, or the side, of the engine that this is of"))
}

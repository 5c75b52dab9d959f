//! `--for RESULT [--side NAME]`: evidence that explains a benchmark carries its contract and the subject of the side that
//! it explains. The same for traces, counters and telemetry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use contracts::serve_bench::compare::{self, CompareData, Side};
use contracts::serve_bench::result::{self, ResultData, WorkloadInfo};
use contracts::{Exit, FieldSet, Input, Source};
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

impl Binding {
    /// Settings that tell the server that answers now from the launch that was measured, by name; none where one of them does
    /// not say its settings.
    pub fn other_launch(&self, settings: &BTreeMap<String, Value>) -> Vec<String> {
        other_launch(&self.subject, settings)
    }
}

fn other_launch(subject: &FieldSet, settings: &BTreeMap<String, Value>) -> Vec<String> {
    let observed = subject
        .fields
        .iter()
        .filter(|(_, field)| field.source == Source::Observed);
    let measured: BTreeMap<&str, &Value> = observed
        .filter_map(|(name, field)| Some((name.strip_prefix("settings.")?, &field.value)))
        .collect();
    if measured.is_empty() || settings.is_empty() {
        return Vec::new();
    }
    // What is off is left out by servers, so that a name on one side alone differs too.
    let names: BTreeSet<&str> = measured
        .keys()
        .copied()
        .chain(settings.keys().map(String::as_str))
        .collect();
    let differs = |name: &&str| measured.get(name).copied() != settings.get(*name);
    names.into_iter().filter(differs).map(str::to_owned).collect()
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

#[cfg(test)]
mod tests {
    use contracts::Field;
    use serde_json::json;

    use super::*;

    fn measured(settings: &[(&str, Value)]) -> FieldSet {
        let fields = settings
            .iter()
            .map(|(name, value)| (format!("settings.{name}"), Field::observed(value.clone())));
        let declared = ("launch_argv".to_owned(), Field::declared("serve"));
        FieldSet::new(fields.chain([declared]).collect())
    }

    #[test]
    fn another_launch_is_told_by_what_the_server_says() {
        let says = |settings: &[(&str, Value)]| -> BTreeMap<String, Value> {
            settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect()
        };
        let of = measured(&[("tp_size", json!(2)), ("kv_cache_dtype", json!("auto"))]);
        let same = [("tp_size", json!(2)), ("kv_cache_dtype", json!("auto"))];
        assert_eq!(other_launch(&of, &says(&same)), Vec::<String>::new());
        let other = [
            ("tp_size", json!(2)),
            ("kv_cache_dtype", json!("fp8")),
            ("enable_x", json!(true)),
        ];
        assert_eq!(other_launch(&of, &says(&other)), ["enable_x", "kv_cache_dtype"]);
        // A server that says nothing is not told apart.
        assert_eq!(other_launch(&of, &says(&[])), Vec::<String>::new());
        assert_eq!(other_launch(&measured(&[]), &says(&same)), Vec::<String>::new());
    }
}

//! A plan read, checked and made ready: commands, spaces, scenarios. Nothing is launched here.

pub(crate) mod check;
pub(crate) mod command;
mod cookbook;
pub(crate) mod parameter;
mod preset;

use std::path::{Path, PathBuf};

use cli_kit::{Failure, load_yaml_bytes};
use contracts::config_search::plan::{self, Framework, Plan, Scenario};
use contracts::config_search::validation::Problem;
use contracts::metric::Metric;
use contracts::target::Target;
use contracts::{Finite, Input, Warning};
use serde::Serialize;

use crate::error::SearchError;
use crate::space::Space;

/// Largest plan.
const PLAN_CAP: u64 = 1 << 20;

/// Largest gain that is a tie where no target says it: the default of `gap-decide`.
const MARGIN: f64 = 0.01;

/// A framework that can be launched or reached.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) framework: Framework,
    pub(crate) space: Space,
}

/// A plan with what it means.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) plan: Plan,
    pub(crate) input: Input,
    pub(crate) bytes: Vec<u8>,
    /// Folder of the plan: its paths are relative to it.
    pub(crate) base: PathBuf,
    pub(crate) frameworks: Vec<Ready>,
    pub(crate) problems: Vec<Problem>,
    /// What a file of another layout says that has no counterpart here.
    pub(crate) notes: Vec<Warning>,
    /// Largest gain that is a tie, as a ratio: the margin of the plan's target, as `gap-decide` takes it.
    pub(crate) margin: f64,
}

/// Reads a plan and checks it.
///
/// # Errors
/// Exit 3 when it does not read; what is wrong with one that reads stands in [`Loaded::problems`].
pub(crate) fn load(path: &Path) -> Result<Loaded, Failure> {
    let Read {
        mut plan,
        input,
        bytes,
        notes,
    } = read(path)?;
    let base = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    // The lists of a declaration are not looked into by the reader.
    let mut problems = if notes.is_none() {
        unknown_keys(&bytes)
    } else {
        vec![]
    };
    problems.extend(preset::expand(&mut plan));
    let (frameworks, more) = check::check(&plan, &base);
    problems.extend(more);
    let margin = margin(&plan, &base);
    Ok(Loaded {
        plan,
        input,
        bytes,
        base,
        frameworks,
        problems,
        notes: notes.unwrap_or_default(),
        margin,
    })
}

/// A file, and what of it has no counterpart; `None` for a plan of our own.
struct Read {
    plan: Plan,
    input: Input,
    bytes: Vec<u8>,
    notes: Option<Vec<Warning>>,
}

/// Reads a plan of ours, or a file of the cookbook layout, known by what is in it.
fn read(path: &Path) -> Result<Read, Failure> {
    let bytes = cli_kit::read_bounded(path, PLAN_CAP)?;
    if let Ok(value) = cli_kit::yaml_value(&bytes)
        && value.get("schema").is_none()
        && cookbook::is_one(&value)
    {
        let (plan, notes) = cookbook::plan(&value);
        let input = cli_kit::input_of(path, &bytes);
        return Ok(Read {
            plan,
            input,
            bytes,
            notes: Some(notes),
        });
    }
    let (plan, input, bytes) = load_yaml_bytes(path, plan::SCHEMA)?;
    Ok(Read {
        plan,
        input,
        bytes,
        notes: None,
    })
}

/// Tokens of a scenario's request, prompt and answer, as far as it names them.
pub(crate) fn tokens(scenario: &Scenario) -> u64 {
    let answer = scenario.output_tokens.unwrap_or(0);
    scenario.input_tokens.unwrap_or(0).saturating_add(answer)
}

fn margin(plan: &Plan, base: &Path) -> f64 {
    let target = plan.target.as_ref().map(|name| base.join(name));
    target
        .and_then(|path| cli_kit::load_yaml::<Target>(&path, Target::SCHEMA).ok())
        .and_then(|(target, _)| target.margin_ratio)
        .map_or(MARGIN, Finite::get)
}

impl Loaded {
    /// The plan, when nothing is wrong with it.
    pub(crate) fn usable(self) -> Result<Loaded, SearchError> {
        match self.problems.first() {
            None => Ok(self),
            Some(problem) => Err(SearchError::Plan {
                path: self.input.path.clone(),
                message: match &problem.of {
                    Some(of) => format!("{of}: {}", problem.message),
                    None => problem.message.clone(),
                },
                hint: format!(
                    "{}; `config-search validate {}` lists all problems",
                    problem.hint, self.input.path
                ),
            }),
        }
    }

    /// The metric that decides.
    pub(crate) fn metric(&self) -> Metric {
        let name = self.plan.metric.as_deref().unwrap_or("output_tps");
        Metric::parse(name).expect("a plan that was checked has a metric")
    }

    /// A path of the plan, as it is reached from here.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }
}

fn unknown_keys(bytes: &[u8]) -> Vec<Problem> {
    fn known<T: Serialize + Default>() -> Vec<String> {
        let value = serde_json::to_value(T::default()).expect("a plan is JSON");
        value
            .as_object()
            .map(|object| object.keys().cloned().collect())
            .unwrap_or_default()
    }
    let Ok(value) = cli_kit::yaml_value(bytes) else {
        return vec![];
    };
    let mut problems = Vec::new();
    for (list, known) in [
        ("frameworks", known::<Framework>()),
        ("scenarios", known::<Scenario>()),
    ] {
        let entries = value.get(list).and_then(serde_json::Value::as_array);
        for entry in entries
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_object)
        {
            for key in entry.keys().filter(|key| !known.contains(key)) {
                problems.push(check::problem(
                    "plan-unknown-field",
                    None,
                    format!(
                        "`{}` is no field of an entry of `{list}`",
                        contracts::text::clean(key, 80)
                    ),
                    &format!("its fields are {}", known.join(", ")),
                ));
            }
        }
    }
    problems
}

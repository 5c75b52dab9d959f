//! `diff`: where the time between two engines went.
//!
//! read both (`traces`) -> the stage and model they share (`diff::pair`) -> the same sums for each (`diff::side`) -> of one
//! step or token (`diff::units`) -> rows that add up (`diff::waterfall`), and what only one has (`diff::one_sided`) ->
//! document and view.

mod hidden;
mod names;
mod one_sided;
mod pair;
mod positions;
mod render;
mod side;
mod summary;
mod units;
mod waterfall;

use std::collections::BTreeMap;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::profile_tables::diff::{
    DIFFERENT_MODEL, DIFFERENT_STAGE, DiffData, DiffSide, SCHEMA, WaterfallRow,
};
use contracts::{Exit, Warning};
use torch_trace::{Stage, StageChoice, Want};

use crate::cli::Args;
use crate::error::TablesError;
use crate::plan::DiffPlan;
use crate::tables::longest;
use crate::traces::read;
use side::Side;
use trace_document::{Run, defect_warnings, input_of};

/// Runs `diff`.
pub(crate) fn run(plan: &DiffPlan, output: &OutputArgs) -> Result<Report, Failure> {
    let bar = cli_kit::spinner("reading traces", output);
    let mut warnings = Vec::new();
    // Stages are chosen when both sides are known.
    let choice = match plan.stage {
        StageChoice::All => StageChoice::All,
        StageChoice::Auto | StageChoice::Only(_) => StageChoice::Auto,
    };
    let mut read = |paths| read(paths, Want::ALL, choice, plan.rank, &mut warnings);
    let (ours, theirs) = (read(&plan.ours)?, read(&plan.theirs)?);
    for (file, _, _) in ours.chosen().chain(theirs.chosen()) {
        warnings.extend(defect_warnings(file));
    }
    let stages = pair::stages(&ours, &theirs, plan.stage, plan.force_pair)?;
    let (mine, other) = (Side::of(&ours, stages.0), Side::of(&theirs, stages.1));
    bar.finish_and_clear();
    let forced = check(
        other_stage(&ours, &theirs, stages),
        pair::other_model(&mine, &other),
        plan.force_pair,
        &mut warnings,
    )?;
    unlike(&ours, &theirs, &mut warnings);
    outside_steps("ours", &ours, &mine, &mut warnings);
    outside_steps("theirs", &theirs, &other, &mut warnings);

    let units = units::units(&mine.amount, &other.amount);
    warnings.extend(units.warning.clone());
    let placed = mine.layers.is_some() && other.layers.is_some();
    let parts = (waterfall::parts_of(&mine), waterfall::parts_of(&other));
    let mut found = waterfall::waterfall((&parts.0, units.ours), (&parts.1, units.theirs), placed);
    for row in &mut found.rows {
        row.ours_most = most(row, &mine);
        row.theirs_most = most(row, &other);
    }
    let data = DiffData {
        kernels: one_sided::kernels((&mine, units.ours), (&other, units.theirs)),
        fusions: one_sided::fusions((&mine, units.ours), (&other, units.theirs)),
        ours: side_row(&ours, mine, units.ours, &mut warnings),
        theirs: side_row(&theirs, other, units.theirs, &mut warnings),
        forced,
        normalised_by: units.by,
        ours_ns: found.ours_ns,
        theirs_ns: found.theirs_ns,
        delta_ns: found.ours_ns - found.theirs_ns,
        waterfall: found.rows,
    };

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = ours.files().chain(theirs.files()).map(input_of).collect();
    parts.simulated = [&ours, &theirs].iter().any(|run| run.simulated());
    if let Some(binding) = plan.bind.read(ours.settings(), ours.simulated())? {
        parts.bind(binding);
    }
    parts.summary = summary::summary(&data);
    let traces: Vec<String> = plan.ours.iter().map(|path| path.display().to_string()).collect();
    parts.next_actions = summary::next(&data, &traces);
    parts.warnings = warnings;
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render::report(&document, output.top);
    Ok(Report::new(&document, view, Exit::Ok))
}

/// What says that two stages were put side by side, which only `--force-pair` does.
fn other_stage(ours: &Run, theirs: &Run, stages: (Stage, Stage)) -> Option<String> {
    let (mine, others) = (pair::kinds_of(ours), pair::kinds_of(theirs));
    if stages.0 != stages.1 {
        Some(format!(
            "ours is {}, theirs {}",
            stages.0.as_str(),
            stages.1.as_str()
        ))
    } else if stages.0 == Stage::All && !mine.is_empty() && !others.is_empty() && mine != others {
        Some("the traces have other kinds of steps".to_owned())
    } else {
        None
    }
}

/// Refuses two models, and warns of what the caller insists on; whether there was something.
fn check(
    other_stage: Option<String>,
    other_model: Option<String>,
    force: bool,
    warnings: &mut Vec<Warning>,
) -> Result<bool, TablesError> {
    let mut forced = false;
    if let Some(what) = other_stage {
        forced = true;
        warnings.push(Warning::new(
            DIFFERENT_STAGE,
            format!("{what}: the difference is no evidence"),
        ));
    }
    if let Some(what) = other_model {
        if !force {
            return Err(TablesError::DifferentModel(what));
        }
        forced = true;
        warnings.push(Warning::new(
            DIFFERENT_MODEL,
            format!("{what}: the difference is no evidence"),
        ));
    }
    Ok(forced)
}

/// What else could make a difference, and is no engine's doing.
fn unlike(ours: &Run, theirs: &Run, warnings: &mut Vec<Warning>) {
    let gpu = |run: &Run| {
        run.files()
            .find_map(|file| file.trace.header.gpus.first().cloned())
    };
    if let (Some(mine), Some(other)) = (gpu(ours), gpu(theirs))
        && mine != other
    {
        warnings.push(Warning::new(
            "diff-gpus-differ",
            format!("ours ran on {mine}, theirs on {other}"),
        ));
    }
    if let (Some(mine), Some(other)) = (ours.world_size(), theirs.world_size())
        && mine != other
    {
        warnings.push(Warning::new(
            "diff-world-sizes-differ",
            format!("ours ran on {mine} ranks, theirs on {other}: a rank's share of the work differs"),
        ));
    }
}

/// Share of work outside every step, against that of the stage, from which on it is said, percent.
const OUTSIDE_PCT: i64 = 1;

/// Work that an engine does outside the steps that it names is not compared.
fn outside_steps(whose: &str, run: &Run, side: &Side, warnings: &mut Vec<Warning>) {
    let outside: i64 = run
        .chosen()
        .filter_map(|(_, derived, _)| derived.swept.stages.get(Stage::Unassigned.number()))
        .map(|time| time.busy_ns)
        .sum();
    if side.stage != Stage::Unassigned && outside * 100 > side.sum.time.busy_ns * OUTSIDE_PCT {
        warnings.push(Warning::new(
            "diff-work-outside-steps",
            format!(
                "{:.3} ms of work of {whose} lies outside every step and is not compared (its steps have {:.3} ms)",
                outside as f64 / 1e6,
                side.sum.time.busy_ns as f64 / 1e6
            ),
        ));
    }
}

/// What takes most of a row on one side: a kernel, or the line that the device waited for.
fn most(row: &WaterfallRow, side: &Side) -> Option<String> {
    if let Some(cause) = row.idle_cause {
        return longest(&side.sum.idle.get(&cause)?.locations);
    }
    let family = row.family.as_deref()?;
    let mut most: Option<(&str, f64)> = None;
    for ((name, of), sum) in &side.sum.kernels {
        if of.as_str() == family && most.is_none_or(|(_, ns)| sum.share_ns > ns) {
            most = Some((name, sum.share_ns));
        }
    }
    most.map(|(name, _)| name.to_owned())
}

fn side_row(run: &Run, side: Side, units: u64, warnings: &mut Vec<Warning>) -> DiffSide {
    let busy_ns: f64 = side
        .busy
        .values()
        .flat_map(BTreeMap::values)
        .map(|part| part.ns)
        .sum();
    DiffSide {
        traces: run.infos(warnings),
        engine: run.engine().map(str::to_owned),
        model: side.model,
        stage: side.stage.as_str().to_owned(),
        stage_source: side.sum.source.to_owned(),
        steps: side.amount.steps,
        steps_from: side.amount.from,
        tokens: side.amount.tokens,
        units,
        layers: side.layers.map(|layers| layers as u64),
        hidden_size: side.hidden_size,
        gpu_busy_ns: busy_ns.round() as i64,
        idle_ns: side.sum.idle.values().map(|idle| idle.ns).sum(),
    }
}

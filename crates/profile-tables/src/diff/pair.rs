//! Whether two sides can be held against each other: the same stage, the same model.

use std::collections::BTreeSet;

use torch_trace::{Family, Stage, StageChoice};

use super::side::Side;
use crate::error::TablesError;
use trace_document::{Run, same_model};

/// Families that a model has or has not, whatever the engine.
const TELLING: [Family; 3] = [Family::Moe, Family::LinearAttention, Family::Mhc];

/// Share of the busy time from which on a family is a part of the model, percent.
const PART_PCT: f64 = 5.0;

/// The stage of each side. With `force`, sides without a stage in common each give the one with most work.
pub(super) fn stages(
    ours: &Run,
    theirs: &Run,
    choice: StageChoice,
    force: bool,
) -> Result<(Stage, Stage), TablesError> {
    let (mine, others) = (stages_of(ours), stages_of(theirs));
    let asked = |stage: &Stage| match choice {
        StageChoice::Only(kind) => *stage == Stage::Kind(kind),
        StageChoice::Auto | StageChoice::All => true,
    };
    let list = |stages: &BTreeSet<Stage>| {
        let names: Vec<&str> = stages.iter().map(|stage| stage.as_str()).collect();
        names.join(", ")
    };
    let common: BTreeSet<Stage> = mine.intersection(&others).copied().filter(asked).collect();
    match (common.first(), common.len()) {
        (Some(stage), 1) => {
            // Whole traces of unlike steps are two stages under one name.
            let (mine, others) = (kinds_of(ours), kinds_of(theirs));
            if *stage != Stage::All || force || mine.is_empty() || others.is_empty() || mine == others {
                return Ok((*stage, *stage));
            }
            return Err(TablesError::DifferentStage {
                ours: list(&mine),
                theirs: list(&others),
            });
        }
        (Some(_), _) => return Err(TablesError::StageAmbiguous(list(&common))),
        (None, _) => {}
    }
    if let StageChoice::Only(kind) = choice
        && !mine.iter().chain(&others).any(asked)
    {
        return Err(TablesError::NoSuchStage {
            stage: kind.as_str(),
            found: list(&mine.union(&others).copied().collect()),
        });
    }
    let most = |run: &Run, stages: &BTreeSet<Stage>| {
        let wanted: Vec<Stage> = stages.iter().copied().filter(asked).collect();
        let candidates = if wanted.is_empty() {
            stages.iter().copied().collect()
        } else {
            wanted
        };
        candidates.into_iter().max_by_key(|stage| busy_ns(run, *stage))
    };
    match (most(ours, &mine), most(theirs, &others)) {
        (Some(ours), Some(theirs)) if force => Ok((ours, theirs)),
        _ => Err(TablesError::DifferentStage {
            ours: list(&mine),
            theirs: list(&others),
        }),
    }
}

/// Stages with work; work outside every step is none, unless there is nothing else.
fn stages_of(run: &Run) -> BTreeSet<Stage> {
    run.chosen()
        .flat_map(|(_, derived, _)| derived.stages.of_event.iter().copied())
        .filter(|stage| *stage != Stage::Unassigned)
        .collect()
}

/// Kinds of the steps that launched work, whatever stage that is counted for.
pub(super) fn kinds_of(run: &Run) -> BTreeSet<Stage> {
    run.chosen()
        .flat_map(|(_, derived, _)| {
            let steps = derived.stages.step_of.iter().flatten();
            steps.map(|step| Stage::Kind(derived.stages.steps[*step].text.kind))
        })
        .collect()
}

fn busy_ns(run: &Run, stage: Stage) -> i64 {
    run.chosen()
        .filter_map(|(_, derived, _)| derived.swept.stages.get(stage.number()))
        .map(|time| time.busy_ns)
        .sum()
}

/// What says that the two sides are of two models; `None` when nothing does.
pub(super) fn other_model(ours: &Side, theirs: &Side) -> Option<String> {
    if let (Some(mine), Some(other)) = (&ours.model, &theirs.model) {
        return (!same_model(mine, other)).then(|| format!("ours is {mine}, theirs {other}"));
    }
    let mut signs = Vec::new();
    if let (Some(mine), Some(other)) = (ours.layers, theirs.layers)
        && mine != other
    {
        signs.push(format!("ours has {mine} layers, theirs {other}"));
    }
    if let (Some(mine), Some(other)) = (ours.hidden_size, theirs.hidden_size)
        && mine != other
    {
        signs.push(format!(
            "hidden states of ours are {mine} wide, of theirs {other}"
        ));
    }
    for family in TELLING {
        for (who, has, has_not) in [("ours", ours, theirs), ("theirs", theirs, ours)] {
            if has.share_pct(family) >= PART_PCT && !has_not.busy.contains_key(&family) {
                signs.push(format!(
                    "only {who} has kernels of the family {}",
                    family.as_str()
                ));
            }
        }
    }
    (!signs.is_empty()).then(|| signs.join("; "))
}

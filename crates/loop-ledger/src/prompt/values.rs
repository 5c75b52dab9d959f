//! What the placeholders of a prompt stand for: the target in words, each bounded, without places.

use std::collections::BTreeMap;
use std::path::Path;

use contracts::loop_ledger::lock::LockedScenario;
use contracts::serve_bench::result::LengthRange;
use contracts::target::Target;
use contracts::{Finite, text};

use super::private;
use crate::state::{DEFAULT_CANDIDATES, DEFAULT_METRIC, DEFAULT_THRESHOLD};

/// The values by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// Of a target, with the scenarios of its campaign once they are locked.
    pub(crate) fn new(target: &Target, scenarios: Option<&[LockedScenario]>, root: &Path) -> Values {
        let campaign = target.campaign.clone().unwrap_or_default();
        let values = [
            ("model", 140, model(target)),
            ("hardware", 50, hardware(target)),
            ("framework", 24, or(campaign.framework.clone(), "ours")),
            (
                "deployment",
                150,
                or(campaign.initial_deployment.join(" "), "not declared"),
            ),
            (
                "comparison",
                80,
                or(campaign.comparison.join(", "), "not declared"),
            ),
            (
                "candidates",
                8,
                campaign
                    .minimum_candidates
                    .unwrap_or(DEFAULT_CANDIDATES)
                    .to_string(),
            ),
            ("excluded", 80, excluded(&campaign.excluded)),
            ("workloads", 110, workloads(scenarios)),
            (
                "metric",
                30,
                campaign.metric.unwrap_or_else(|| DEFAULT_METRIC.to_owned()),
            ),
            ("slo", 100, or(target.slo.join(", "), "none")),
            ("threshold", 8, percent(target.threshold_ratio)),
            ("margin", 8, percent(target.margin_ratio)),
            (
                "focus",
                150,
                or(campaign.focus.join(", "), "what the profile shows"),
            ),
            ("budget", 90, budget(&campaign.budget)),
            (
                "remotes",
                50,
                or(campaign.push_remotes.join(", "), "no remote at all"),
            ),
            ("root", 40, root_name(root)),
        ];
        Values(
            values
                .into_iter()
                .map(|(name, cap, value)| (name, bounded(&value, cap)))
                .collect(),
        )
    }

    /// The value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Clean, at most `cap` characters and a mark of the cut, and without places.
fn bounded(value: &str, cap: usize) -> String {
    // A cut may make a place of a word that was none, so it is looked at twice.
    let is_apart = value.starts_with(' ');
    let cut = private::redact(&text::clean(&private::redact(value), cap));
    // A brace or a backtick would end the piece of the template that the value stands in.
    let plain: String = cut.chars().filter(|c| !"`{}".contains(*c)).collect();
    let plain = private::redact(&plain);
    if is_apart && !plain.is_empty() {
        format!(" {plain}")
    } else {
        plain
    }
}

fn or(value: String, otherwise: &str) -> String {
    if value.trim().is_empty() {
        otherwise.to_owned()
    } else {
        value
    }
}

fn model(target: &Target) -> String {
    let model = &target.model;
    let mut said = vec![model.id.clone().unwrap_or_else(|| "not declared".to_owned())];
    said.extend(model.precision.clone());
    said.extend(
        model
            .revision
            .as_ref()
            .map(|revision| format!("revision {revision}")),
    );
    said.join(", ")
}

fn hardware(target: &Target) -> String {
    let class = target.hardware.class.as_deref().unwrap_or("not declared");
    match target.hardware.gpu_count {
        Some(count) => format!("{count} x {class}"),
        None => class.to_owned(),
    }
}

fn excluded(excluded: &[contracts::target::Excluded]) -> String {
    if excluded.is_empty() {
        return String::new();
    }
    let names: Vec<String> = excluded
        .iter()
        .map(|one| format!("{} ({})", one.framework, one.why))
        .collect();
    format!(" Left out by the user: {}.", names.join(", "))
}

fn workloads(scenarios: Option<&[LockedScenario]>) -> String {
    let Some(scenarios) = scenarios else {
        return "presets chat (1000->1000) and summarization (8000->1000), to be frozen, unless the user names others".to_owned();
    };
    let described: Vec<String> = scenarios.iter().map(scenario).collect();
    described.join(", ")
}

/// A scenario in a few words.
pub(crate) fn scenario(scenario: &LockedScenario) -> String {
    let length = |range: &Option<LengthRange>| {
        range.as_ref().map_or_else(
            || "?".to_owned(),
            |range| {
                if range.min == range.max {
                    range.min.to_string()
                } else {
                    format!("{}-{}", range.min, range.max)
                }
            },
        )
    };
    format!(
        "{} ({}->{} tokens, {} prompts)",
        scenario.scenario,
        length(&scenario.input_len),
        length(&scenario.output_len),
        scenario.num_prompts
    )
}

fn percent(ratio: Option<Finite>) -> String {
    let percent = ratio.map_or(DEFAULT_THRESHOLD, Finite::get) * 100.0;
    format!("{:.2}", percent)
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// The limits of a budget.
pub(crate) fn budget(budget: &contracts::loop_ledger::lock::Budget) -> String {
    let hours = |seconds: Finite| {
        format!("{:.1}", seconds.get() / 3600.0)
            .trim_end_matches(".0")
            .to_owned()
    };
    let parts: Vec<String> = [
        budget.wall_s.map(|wall| format!("{} h", hours(wall))),
        budget.gpu_s.map(|gpu| format!("{} GPU hours", hours(gpu))),
        budget.attempts.map(|attempts| format!("{attempts} attempts")),
        budget.spend_usd.map(|spend| format!("{:.0} USD", spend.get())),
    ]
    .into_iter()
    .flatten()
    .collect();
    or(parts.join(", "), "no limit declared")
}

/// The root without the machine it lies on.
fn root_name(root: &Path) -> String {
    let name = if root.is_absolute() {
        root.file_name()
            .map(|name| format!("folder {}", name.to_string_lossy()))
    } else if root == Path::new(".") || root == Path::new("") {
        None
    } else {
        Some(root.display().to_string())
    };
    name.unwrap_or_else(|| "this folder".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_short_plain_and_of_no_machine() {
        assert_eq!(bounded("a `b` {{c}} /home/x/y d", 80), "a b c … d");
        assert_eq!(bounded(" tail", 80), " tail");
        assert_eq!(bounded(&"long ".repeat(30), 10).chars().count(), 11);
        assert_eq!(root_name(Path::new("/data/somebody/runs/qwen")), "folder qwen");
        assert_eq!(root_name(Path::new("runs/qwen")), "runs/qwen");
        assert_eq!(root_name(Path::new(".")), "this folder");
    }

    #[test]
    fn ratios_are_percent() {
        assert_eq!(percent(Finite::new(0.01)), "1");
        assert_eq!(percent(Finite::new(0.005)), "0.5");
        assert_eq!(percent(None), "1");
    }
}

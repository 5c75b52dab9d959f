//! The map of a ledger's columns, TOML: every column is mapped or ignored, nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};

use contracts::text::clean;
use serde::Deserialize;

/// What the columns of a ledger are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Map {
    /// Columns that name a row; joined with `/`.
    pub(super) id: Vec<String>,
    /// Lines that are taken: all of these hold.
    #[serde(default)]
    pub(super) keep: Vec<Condition>,
    /// Where the times are.
    pub(super) times: Vec<TimeColumns>,
    /// Column with the speed-up that the ledger says.
    #[serde(default)]
    pub(super) speedup: Option<String>,
    /// Which rows are production rows; all without it.
    #[serde(default)]
    pub(super) production: Option<Condition>,
    /// Which rows have right outputs.
    #[serde(default)]
    pub(super) valid: Option<Condition>,
    /// The ledger has rows with right outputs only, and no column says so.
    #[serde(default)]
    pub(super) assume_valid: bool,
    /// Columns that describe a row.
    #[serde(default)]
    pub(super) workload: Vec<String>,
    /// Columns that say how it was measured.
    #[serde(default)]
    pub(super) provenance: ProvenanceColumns,
    /// The line with the ledger's own geometric mean.
    #[serde(default)]
    pub(super) summary: Option<SummaryLine>,
    /// Columns that are left out on purpose.
    #[serde(default)]
    pub(super) ignore: Vec<String>,
}

/// A condition on one column; what is not given is not asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) column: String,
    #[serde(default)]
    equals: Option<String>,
    #[serde(default)]
    starts_with: Option<String>,
    #[serde(default)]
    ends_with: Option<String>,
    #[serde(default)]
    not_starts_with: Option<String>,
}

/// Times of one side by one clock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeColumns {
    pub(super) clock: Clock,
    pub(super) side: Side,
    /// `us` where nothing is said.
    #[serde(default)]
    pub(super) unit: Unit,
    /// Values of columns that tell these lines, in a ledger with a line for each side.
    #[serde(default)]
    pub(super) when: BTreeMap<String, String>,
    pub(super) median: String,
    #[serde(default)]
    pub(super) mean: Option<String>,
    #[serde(default)]
    pub(super) std: Option<String>,
    #[serde(default)]
    pub(super) min: Option<String>,
}

/// The clock of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Clock {
    Device,
    Wall,
}

/// The side of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    Baseline,
    Candidate,
}

/// The unit of a column.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    Ns,
    #[default]
    Us,
    Ms,
    S,
}

impl Unit {
    pub(super) fn us(self) -> f64 {
        match self {
            Unit::Ns => 1e-3,
            Unit::Us => 1.0,
            Unit::Ms => 1e3,
            Unit::S => 1e6,
        }
    }
}

/// Columns that have one value over all lines of a measurement.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ProvenanceColumns {
    pub(super) gpu: Option<String>,
    pub(super) gpu_uuid: Option<String>,
    pub(super) host: Option<String>,
    pub(super) command: Option<String>,
    pub(super) baseline_sha256: Option<String>,
    pub(super) candidate_sha256: Option<String>,
    /// How busy the device was before, percent; the largest of all lines counts.
    pub(super) idle_utilization_pct: Option<String>,
}

/// The line with the ledger's own geometric mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SummaryLine {
    pub(super) keep: Vec<Condition>,
    pub(super) geomean: String,
}

impl Map {
    pub(super) fn read(text: &str) -> Result<Map, String> {
        let map: Map = toml::from_str(text).map_err(|error| clean(error.message(), 200))?;
        if map.id.is_empty() || map.times.is_empty() {
            return Err("it names no column for `id`, or no `times`".to_owned());
        }
        if map.valid.is_some() == map.assume_valid {
            return Err("either `valid` names the column with the outputs' check, or `assume_valid = true` says there is none".to_owned());
        }
        Ok(map)
    }

    /// Every column that the map names.
    pub(super) fn columns(&self) -> BTreeSet<&str> {
        let conditions = self.keep.iter().chain(&self.production).chain(&self.valid);
        let summary = self.summary.iter();
        let of = &self.provenance;
        let provenance = [
            &of.gpu,
            &of.gpu_uuid,
            &of.host,
            &of.command,
            &of.baseline_sha256,
            &of.candidate_sha256,
            &of.idle_utilization_pct,
        ];
        let mut columns: BTreeSet<&str> = self.id.iter().map(String::as_str).collect();
        columns.extend(conditions.map(|condition| condition.column.as_str()));
        columns.extend(self.workload.iter().chain(&self.ignore).map(String::as_str));
        columns.extend(provenance.into_iter().flatten().map(String::as_str));
        columns.extend(self.speedup.as_deref());
        for line in summary {
            columns.insert(&line.geomean);
            columns.extend(line.keep.iter().map(|condition| condition.column.as_str()));
        }
        for times in &self.times {
            columns.insert(&times.median);
            columns.extend(times.when.keys().map(String::as_str));
            columns.extend(
                [&times.mean, &times.std, &times.min]
                    .into_iter()
                    .flatten()
                    .map(String::as_str),
            );
        }
        columns
    }
}

impl Condition {
    pub(super) fn holds(&self, value: &str) -> bool {
        self.equals.as_deref().is_none_or(|equals| value == equals)
            && self
                .starts_with
                .as_deref()
                .is_none_or(|start| value.starts_with(start))
            && self.ends_with.as_deref().is_none_or(|end| value.ends_with(end))
            && self
                .not_starts_with
                .as_deref()
                .is_none_or(|start| !value.starts_with(start))
    }
}

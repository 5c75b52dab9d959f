//! The published schemas: one JSON Schema a document, generated from the types and committed under `schemas/`.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::capacity_plan;
use crate::config_search;
use crate::engine_sim::{ProfileTruth, Ready, Script, Truth};
use crate::gap_decide::{calibration::CalibrationData, decision::DecisionData, ranking::RankingData};
use crate::kernel_gate;
use crate::loop_ledger::{
    best::BestData, digest::DigestData, done::DoneData, entry::Entry, history::History, lock::TargetLock,
    preflight::PreflightData, receipt::ReceiptData, root_cause::RootCause, status::StatusData,
    text::TextData, verify::VerifyData, watch::WatchData,
};
use crate::ncu_digest;
use crate::pipeline_analysis;
use crate::profile_tables::{capture::CaptureData, diff::DiffData, report::ReportData, rows::RowsData};
use crate::serve_bench::{
    compare::CompareData,
    doctor::DoctorData,
    freeze::FreezeData,
    probe::ProbeData,
    record::RecordLine,
    result::ResultData,
    selftest::SelftestData,
    sweep::SweepData,
    workload::{WorkloadHeader, WorkloadRequest},
};
use crate::telemetry_fetch::{snapshot::SnapshotData, window::WindowData};
use crate::{Document, ErrorDocument};

/// One published schema.
pub struct Published {
    /// The value of a document's `schema` field, for example `serve-bench.result/1`.
    pub id: &'static str,
    /// The committed file.
    pub text: &'static str,
    /// Generates it anew from the types.
    pub generate: fn() -> Schema,
}

macro_rules! published {
    ($($id:literal => $file:literal: $generate:expr),* $(,)?) => {
        /// Every published schema.
        pub const PUBLISHED: &[Published] = &[
            $(Published {
                id: $id,
                text: include_str!(concat!("../schemas/", $file)),
                generate: $generate,
            }),*
        ];
    };
}

published! {
    "capacity-plan.report/1" => "capacity-plan.report-1.json": document::<capacity_plan::report::ReportData>,
    "config-search.candidate/1" => "config-search.candidate-1.json": plain::<config_search::candidate::Candidate>,
    "config-search.config-check/1" => "config-search.config-check-1.json": document::<config_search::config_check::ConfigCheckData>,
    "config-search.plan/1" => "config-search.plan-1.json": plain::<config_search::plan::Plan>,
    "config-search.report/1" => "config-search.report-1.json": document::<config_search::report::ReportData>,
    "config-search.validation/1" => "config-search.validation-1.json": document::<config_search::validation::ValidationData>,
    "engine-sim.profile-truth/1" => "engine-sim.profile-truth-1.json": plain::<ProfileTruth>,
    "engine-sim.ready/1" => "engine-sim.ready-1.json": plain::<Ready>,
    "engine-sim.script/1" => "engine-sim.script-1.json": plain::<Script>,
    "engine-sim.truth/1" => "engine-sim.truth-1.json": plain::<Truth>,
    "error/1" => "error-1.json": plain::<ErrorDocument>,
    "gap-decide.calibration/1" => "gap-decide.calibration-1.json": document::<CalibrationData>,
    "gap-decide.decision/1" => "gap-decide.decision-1.json": document::<DecisionData>,
    "gap-decide.ranking/1" => "gap-decide.ranking-1.json": document::<RankingData>,
    "kernel-gate.dispatch/1" => "kernel-gate.dispatch-1.json": plain::<kernel_gate::dispatch::DispatchTable>,
    "kernel-gate.import/1" => "kernel-gate.import-1.json": document::<kernel_gate::import::ImportData>,
    "kernel-gate.map/1" => "kernel-gate.map-1.json": plain::<kernel_gate::map::ColumnMap>,
    "kernel-gate.plan/1" => "kernel-gate.plan-1.json": document::<kernel_gate::plan::PlanData>,
    "kernel-gate.results-line/1" => "kernel-gate.results-line-1.json": plain::<kernel_gate::results::ResultsLine>,
    "kernel-gate.rows/1" => "kernel-gate.rows-1.json": document::<kernel_gate::rows::RowsData>,
    "kernel-gate.verdict/1" => "kernel-gate.verdict-1.json": document::<kernel_gate::verdict::VerdictData>,
    "kernel-gate.workloads/1" => "kernel-gate.workloads-1.json": kernel_gate_workloads,
    "loop-ledger.best/1" => "loop-ledger.best-1.json": document::<BestData>,
    "loop-ledger.digest/1" => "loop-ledger.digest-1.json": document::<DigestData>,
    "loop-ledger.done/1" => "loop-ledger.done-1.json": document::<DoneData>,
    "loop-ledger.entry/1" => "loop-ledger.entry-1.json": plain::<Entry>,
    "loop-ledger.history/1" => "loop-ledger.history-1.json": plain::<History>,
    "loop-ledger.preflight/1" => "loop-ledger.preflight-1.json": document::<PreflightData>,
    "loop-ledger.receipt/1" => "loop-ledger.receipt-1.json": document::<ReceiptData>,
    "loop-ledger.root-cause/1" => "loop-ledger.root-cause-1.json": plain::<RootCause>,
    "loop-ledger.status/1" => "loop-ledger.status-1.json": document::<StatusData>,
    "loop-ledger.target-lock/1" => "loop-ledger.target-lock-1.json": plain::<TargetLock>,
    "loop-ledger.text/1" => "loop-ledger.text-1.json": document::<TextData>,
    "loop-ledger.verify/1" => "loop-ledger.verify-1.json": document::<VerifyData>,
    "loop-ledger.watch/1" => "loop-ledger.watch-1.json": document::<WatchData>,
    "ncu-digest.command/1" => "ncu-digest.command-1.json": document::<ncu_digest::command::CommandData>,
    "ncu-digest.metrics/1" => "ncu-digest.metrics-1.json": document::<ncu_digest::metrics::MetricsData>,
    "ncu-digest.report/1" => "ncu-digest.report-1.json": document::<ncu_digest::report::ReportData>,
    "pipeline-analysis.report/1" => "pipeline-analysis.report-1.json": document::<pipeline_analysis::report::ReportData>,
    "profile-tables.capture/1" => "profile-tables.capture-1.json": document::<CaptureData>,
    "profile-tables.diff/1" => "profile-tables.diff-1.json": document::<DiffData>,
    "profile-tables.report/1" => "profile-tables.report-1.json": document::<ReportData>,
    "profile-tables.rows/1" => "profile-tables.rows-1.json": document::<RowsData>,
    "quality-gate.record/1" => "quality-gate.record-1.json": plain::<crate::quality_gate::record::RecordLine>,
    "quality-gate.result/1" => "quality-gate.result-1.json": document::<crate::quality_gate::result::ResultData>,
    "quality-gate.verdict/1" => "quality-gate.verdict-1.json": document::<crate::quality_gate::verdict::VerdictData>,
    "serve-bench.compare/1" => "serve-bench.compare-1.json": document::<CompareData>,
    "serve-bench.doctor/1" => "serve-bench.doctor-1.json": document::<DoctorData>,
    "serve-bench.freeze/1" => "serve-bench.freeze-1.json": document::<FreezeData>,
    "serve-bench.probe/1" => "serve-bench.probe-1.json": document::<ProbeData>,
    "serve-bench.record/1" => "serve-bench.record-1.json": plain::<RecordLine>,
    "serve-bench.result/1" => "serve-bench.result-1.json": document::<ResultData>,
    "serve-bench.selftest/1" => "serve-bench.selftest-1.json": document::<SelftestData>,
    "serve-bench.sweep/1" => "serve-bench.sweep-1.json": document::<SweepData>,
    "serve-bench.workload/1" => "serve-bench.workload-1.json": workload_line,
    "sota-loop.subject/1" => "sota-loop.subject-1.json": plain::<crate::subject::Subject>,
    "telemetry-fetch.snapshot/1" => "telemetry-fetch.snapshot-1.json": document::<SnapshotData>,
    "telemetry-fetch.window/1" => "telemetry-fetch.window-1.json": document::<WindowData>,
    "sota-loop.target/1" => "sota-loop.target-1.json": plain::<crate::target::Target>,
}

/// The committed schema of a document id.
pub fn find(id: &str) -> Option<&'static Published> {
    PUBLISHED.iter().find(|published| published.id == id)
}

/// File name under `schemas/` of a document id.
pub fn file_name(id: &str) -> String {
    format!("{}.json", id.replace('/', "-"))
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12()
}

fn plain<T: JsonSchema>() -> Schema {
    settings().into_generator().into_root_schema_for::<T>()
}

fn document<D: JsonSchema>() -> Schema {
    plain::<Document<D>>()
}

/// A workload file has two kinds of lines.
fn workload_line() -> Schema {
    one_of(
        "WorkloadLine",
        "One line of a workload file: the header first, then requests.",
        |generator| {
            vec![
                generator.subschema_for::<WorkloadHeader>().to_value(),
                generator.subschema_for::<WorkloadRequest>().to_value(),
            ]
        },
    )
}

/// The rows of a kernel are a list, or an object that has it.
fn kernel_gate_workloads() -> Schema {
    one_of(
        "Workloads",
        "The rows of a kernel: a list of them, or an object with the list as `workloads`.",
        |generator| {
            let rows = generator
                .subschema_for::<Vec<kernel_gate::workloads::WorkloadRow>>()
                .to_value();
            vec![
                rows.clone(),
                json!({"type": "object", "properties": {"workloads": rows}, "required": ["workloads"]}),
            ]
        },
    )
}

/// A schema with several forms, in the order of the keys that all of ours have.
fn one_of(
    title: &str,
    description: &str,
    forms: impl FnOnce(&mut schemars::SchemaGenerator) -> Vec<Value>,
) -> Schema {
    let mut generator = settings().into_generator();
    let forms = forms(&mut generator);
    let definitions = generator.take_definitions(true);
    let mut root = Schema::default();
    root.insert(
        "$schema".to_owned(),
        Value::from("https://json-schema.org/draft/2020-12/schema"),
    );
    root.insert("title".to_owned(), Value::from(title));
    root.insert("description".to_owned(), Value::from(description));
    root.insert("oneOf".to_owned(), Value::Array(forms));
    root.insert("$defs".to_owned(), Value::Object(definitions));
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(id: &str) -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("schemas")
            .join(file_name(id))
    }

    #[test]
    fn committed_schemas_are_what_the_types_say() {
        let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
        let mut drifted = Vec::new();
        for published in PUBLISHED {
            let mut text =
                serde_json::to_string_pretty(&(published.generate)().to_value()).expect("a schema is JSON");
            text.push('\n');
            if update {
                std::fs::write(path(published.id), text).unwrap();
            } else if text != published.text {
                drifted.push(published.id);
            }
        }
        assert!(
            drifted.is_empty(),
            "schemas drifted: {drifted:?}; if the change is meant, run\n  UPDATE_SCHEMAS=1 cargo test -p contracts\nand read the diff"
        );
    }

    #[test]
    fn every_committed_file_is_published_under_its_own_name() {
        for entry in std::fs::read_dir(path("x").parent().unwrap()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(
                PUBLISHED.iter().any(|published| file_name(published.id) == name),
                "{name} is not published"
            );
        }
        for published in PUBLISHED {
            let value: Value = serde_json::from_str(published.text).unwrap();
            jsonschema::validator_for(&value).unwrap_or_else(|error| panic!("{}: {error}", published.id));
        }
    }
}

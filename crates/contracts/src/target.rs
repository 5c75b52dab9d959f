//! `--target FILE`: what is asked for, declared before anything is measured. YAML or JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fields::contract_field as name;
use crate::loop_ledger::lock::Budget;
use crate::{Field, Finite};

/// `sota-loop.target/1`: the declared part of a contract.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Target {
    /// `sota-loop.target/1`.
    pub schema: String,
    /// The model that must be served.
    pub model: TargetModel,
    /// Where it must run.
    pub hardware: TargetHardware,
    /// Service-level objectives, for example `p50_ttft_ms<=2000`.
    pub slo: Vec<String>,
    /// Smallest gap that counts, as a ratio (0.01 is 1 %); null leaves it to the flag.
    pub threshold_ratio: Option<Finite>,
    /// Half-width within which two engines are called tied, as a ratio; null leaves it to the flag.
    pub margin_ratio: Option<Finite>,
    /// What belongs to a campaign alone and never to a single measurement; `loop-ledger init` needs it.
    pub campaign: Option<Campaign>,
}

/// The campaign of a target: who is compared, what may be spent, what must be left alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Campaign {
    /// The framework that is made faster: `sglang`, `vllm`, `tensorrt-llm`, `tokenspeed`, `llama.cpp`.
    pub framework: String,
    /// Frameworks it is compared with. Its own name stands here when it is compared with itself.
    pub comparison: Vec<String>,
    /// Frameworks that the user leaves out.
    pub excluded: Vec<Excluded>,
    /// What to look at first, in words.
    pub focus: Vec<String>,
    /// Metric that decides, for example `output_tps` or `p50_ttft_ms`; null is `output_tps`.
    pub metric: Option<String>,
    /// Configurations that every comparison framework gets at least, measured, before a gap counts.
    pub minimum_candidates: Option<u32>,
    /// GPUs the model needs at least.
    pub minimum_gpu_count: Option<u64>,
    /// How ours is deployed at first: an argv for a plain process, or the command of a deployment tool.
    pub initial_deployment: Vec<String>,
    /// Git remotes that results may be pushed or proposed to.
    pub push_remotes: Vec<String>,
    /// What may be spent.
    pub budget: Budget,
}

/// A framework that is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Excluded {
    /// Its name.
    pub framework: String,
    /// Why.
    pub why: String,
}

/// The model of a target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct TargetModel {
    /// Canonical id; one side may serve a path, the other a hub id.
    pub id: Option<String>,
    /// Revision (commit).
    pub revision: Option<String>,
    /// Names under which a server may list the model, beside `id`.
    pub served_names: Vec<String>,
    /// Tokenizer id.
    pub tokenizer: Option<String>,
    /// Precision of the weights, for example `bf16`, `fp8`, `q4_k_m`.
    pub precision: Option<String>,
    /// Bytes of weights read for one decode token (active experts only), for the physical limit.
    pub active_weight_bytes: Option<u64>,
}

/// The hardware of a target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct TargetHardware {
    /// Accelerator class, for example `H100-80GB-SXM`.
    pub class: Option<String>,
    /// Accelerators in use; 0 for CPU only.
    pub gpu_count: Option<u64>,
    /// Memory bandwidth of all of them together, bytes per second, for the physical limit.
    pub memory_bandwidth_bytes_per_s: Option<u64>,
}

impl TargetModel {
    /// Whether a server that lists the model under this name serves the model of the target.
    pub fn is_served_as(&self, name: &str) -> bool {
        self.id
            .iter()
            .chain(&self.served_names)
            .any(|known| known == name)
    }
}

impl Target {
    /// The value of `schema`.
    pub const SCHEMA: &'static str = "sota-loop.target/1";

    /// The contract fields that this file declares.
    pub fn contract_fields(&self) -> BTreeMap<String, Field> {
        let declared: [(&str, Option<Value>); 9] = [
            (name::MODEL_ID, self.model.id.clone().map(Value::from)),
            (name::MODEL_REVISION, self.model.revision.clone().map(Value::from)),
            (name::TOKENIZER, self.model.tokenizer.clone().map(Value::from)),
            (name::PRECISION, self.model.precision.clone().map(Value::from)),
            (name::HARDWARE_CLASS, self.hardware.class.clone().map(Value::from)),
            (name::GPU_COUNT, self.hardware.gpu_count.map(Value::from)),
            (name::SLO, Some(json!(self.slo))),
            (name::THRESHOLD, self.threshold_ratio.map(|ratio| json!(ratio))),
            (name::MARGIN, self.margin_ratio.map(|ratio| json!(ratio))),
        ];
        declared
            .into_iter()
            .filter_map(|(field, value)| Some((field.to_owned(), Field::declared(value?))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_served_under_its_id_or_a_declared_name() {
        let model = TargetModel {
            id: Some("Qwen/Qwen3-8B".to_owned()),
            served_names: vec!["qwen3".to_owned()],
            ..TargetModel::default()
        };
        assert!(model.is_served_as("Qwen/Qwen3-8B") && model.is_served_as("qwen3"));
        assert!(!model.is_served_as("Qwen/Qwen3-0.6B") && !model.is_served_as(""));
        assert!(!TargetModel::default().is_served_as("Qwen/Qwen3-8B"));
    }
}

//! Contract, environment and subject: named fields with their source, and the fingerprint over them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Names of contract fields: what must be equal for two results to be compared.
pub mod contract_field {
    /// Canonical model id, for example `Qwen/Qwen3-8B`.
    pub const MODEL_ID: &str = "model.id";
    /// Revision (commit) of the model.
    pub const MODEL_REVISION: &str = "model.revision";
    /// Tokenizer id or the hash of its file.
    pub const TOKENIZER: &str = "tokenizer";
    /// Precision of the weights, for example `bf16`.
    pub const PRECISION: &str = "precision";
    /// Hash of the request bodies and arrival offsets.
    pub const REQUEST_STREAM: &str = "request_stream_sha256";
    /// Mode, concurrency, rate, arrival process, warm-up.
    pub const LOAD: &str = "load";
    /// Endpoint, `ignore_eos` and the sampling parameters that every body carries.
    pub const SAMPLING: &str = "sampling";
    /// Accelerator class, for example `H100-80GB-SXM`.
    pub const HARDWARE_CLASS: &str = "hardware.class";
    /// Accelerators in use.
    pub const GPU_COUNT: &str = "hardware.gpu_count";
    /// Whether a simulated engine answered.
    pub const SIMULATED: &str = "simulated";
    /// Service-level objectives of the target file.
    pub const SLO: &str = "slo";
    /// Threshold of the target file, as a ratio.
    pub const THRESHOLD: &str = "threshold_ratio";
    /// Equivalence margin of the target file, as a ratio.
    pub const MARGIN: &str = "margin_ratio";

    /// Fields without which nobody knows whether two results compare.
    pub const REQUIRED: [&str; 10] = [
        MODEL_ID,
        MODEL_REVISION,
        TOKENIZER,
        PRECISION,
        REQUEST_STREAM,
        LOAD,
        SAMPLING,
        HARDWARE_CLASS,
        GPU_COUNT,
        SIMULATED,
    ];
}

/// Where a field's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Read back from the server or the machine.
    Observed,
    /// Declared by `--target FILE` or `--subject FILE`, or by the frozen workload.
    Declared,
    /// Not known; equals nothing, another unknown included.
    Unknown,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Field {
    /// The value; null when unknown.
    pub value: Value,
    /// Where it comes from.
    pub source: Source,
}

impl Field {
    /// Read back from the server or the machine.
    pub fn observed(value: impl Into<Value>) -> Field {
        Field {
            value: value.into(),
            source: Source::Observed,
        }
    }

    /// Declared by a file.
    pub fn declared(value: impl Into<Value>) -> Field {
        Field {
            value: value.into(),
            source: Source::Declared,
        }
    }

    /// Not known.
    pub fn unknown() -> Field {
        Field {
            value: Value::Null,
            source: Source::Unknown,
        }
    }
}

/// Named fields and the fingerprint over the known ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FieldSet {
    /// `sha256:` over the RFC 8785 canonical JSON of `{field: value}` for observed and declared fields; null when
    /// none is known.
    pub fingerprint: Option<String>,
    /// The fields by name.
    pub fields: BTreeMap<String, Field>,
}

/// How two field sets differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Fields known on both sides with different values: name, left, right.
    pub differing: Vec<(String, Value, Value)>,
    /// Fields unknown on at least one side.
    pub unknown: Vec<String>,
}

impl FieldSet {
    /// Computes the fingerprint.
    pub fn new(fields: BTreeMap<String, Field>) -> FieldSet {
        FieldSet {
            fingerprint: fingerprint(&fields),
            fields,
        }
    }

    /// No fields, no fingerprint: the set does not apply to this document.
    pub fn none() -> FieldSet {
        FieldSet {
            fingerprint: None,
            fields: BTreeMap::new(),
        }
    }

    /// Whether the stored fingerprint is the one of the stored fields.
    pub fn is_intact(&self) -> bool {
        self.fingerprint == fingerprint(&self.fields)
    }

    /// The value of a known field.
    pub fn known(&self, name: &str) -> Option<&Value> {
        self.fields
            .get(name)
            .filter(|field| field.source != Source::Unknown)
            .map(|field| &field.value)
    }

    /// Compares field by field; a field that one side lacks is unknown there.
    pub fn compare(&self, other: &FieldSet) -> Comparison {
        let mut comparison = Comparison::default();
        let names: std::collections::BTreeSet<&String> =
            self.fields.keys().chain(other.fields.keys()).collect();
        for name in names {
            match (self.known(name), other.known(name)) {
                (Some(left), Some(right)) if canonical(left) == canonical(right) => {}
                (Some(left), Some(right)) => {
                    comparison
                        .differing
                        .push((name.clone(), left.clone(), right.clone()));
                }
                _ => comparison.unknown.push(name.clone()),
            }
        }
        comparison
    }
}

/// `sha256:<hex>` of bytes.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    let mut out = String::with_capacity(7 + 64);
    out.push_str("sha256:");
    for byte in digest {
        out.push(char::from_digit(u32::from(*byte >> 4), 16).expect("a nibble is a hex digit"));
        out.push(char::from_digit(u32::from(*byte & 15), 16).expect("a nibble is a hex digit"));
    }
    out
}

/// [`sha256_hex`] of bytes that come in pieces.
#[derive(Clone, Debug, Default)]
pub struct RunningSha256(Sha256);

impl RunningSha256 {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// `sha256:<hex>` of all bytes so far.
    pub fn hex(&self) -> String {
        hex(&self.0.clone().finalize())
    }
}

/// RFC 8785 canonical JSON of any value.
pub fn canonical(value: &Value) -> String {
    serde_json_canonicalizer::to_string(value).expect("a JSON value has a canonical form")
}

fn fingerprint(fields: &BTreeMap<String, Field>) -> Option<String> {
    let known: serde_json::Map<String, Value> = fields
        .iter()
        .filter(|(_, field)| field.source != Source::Unknown)
        .map(|(name, field)| (name.clone(), field.value.clone()))
        .collect();
    if known.is_empty() {
        return None;
    }
    Some(sha256_hex(canonical(&Value::Object(known)).as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(fields: &[(&str, Field)]) -> FieldSet {
        FieldSet::new(
            fields
                .iter()
                .map(|(name, field)| ((*name).to_owned(), field.clone()))
                .collect(),
        )
    }

    #[test]
    fn fingerprint_can_be_checked_with_sha256sum() {
        let set = set(&[
            ("model.id", Field::observed("m")),
            ("precision", Field::unknown()),
        ]);
        // printf '{"model.id":"m"}' | sha256sum
        assert_eq!(
            set.fingerprint.as_deref(),
            Some("sha256:663bd9309c8e841a3bfa202010bc5f7198ee3c3eff28f756509a713957d2d3a1")
        );
        assert!(set.is_intact());
    }

    #[test]
    fn source_does_not_change_the_fingerprint() {
        let observed = set(&[("a", Field::observed(1))]);
        let declared = set(&[("a", Field::declared(1))]);
        assert_eq!(observed.fingerprint, declared.fingerprint);
    }

    #[test]
    fn unknown_equals_nothing() {
        let left = set(&[
            ("a", Field::unknown()),
            ("b", Field::observed(json!({"x": 1, "y": 2}))),
        ]);
        let right = set(&[
            ("a", Field::unknown()),
            ("b", Field::declared(json!({"y": 2, "x": 1}))),
        ]);
        let comparison = left.compare(&right);
        assert_eq!(comparison.unknown, ["a"]);
        assert!(comparison.differing.is_empty());
    }

    #[test]
    fn differing_fields_are_named() {
        let comparison = set(&[("a", Field::observed(1))]).compare(&set(&[("a", Field::declared(2))]));
        assert_eq!(comparison.differing, [("a".to_owned(), json!(1), json!(2))]);
    }
}

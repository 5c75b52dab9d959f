//! Contract and subject of a measurement: what was declared, what was read back, and what stays unknown.

use std::collections::BTreeMap;

use cli_kit::Failure;
use contracts::fields::contract_field as name;
use contracts::serve_bench::probe::ProbeData;
use contracts::serve_bench::result::LoadInfo;
use contracts::serve_bench::workload::WorkloadRequest;
use contracts::subject::Subject;
use contracts::target::Target;
use contracts::{Field, FieldSet, Input, Warning};
use serde_json::{Value, json};

use crate::cli::ContractArgs;

/// What the files of `--target` and `--subject` declare.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    pub(crate) target: Option<Target>,
    pub(crate) subject: Option<Subject>,
    pub(crate) inputs: Vec<Input>,
}

impl Declared {
    pub(crate) fn load(args: &ContractArgs) -> Result<Declared, Failure> {
        Declared::from_paths(args.target.as_deref(), args.subject.as_deref())
    }

    pub(crate) fn from_paths(
        target: Option<&std::path::Path>,
        subject: Option<&std::path::Path>,
    ) -> Result<Declared, Failure> {
        let mut declared = Declared::default();
        if let Some(path) = target {
            let (target, input) = cli_kit::load_yaml::<Target>(path, Target::SCHEMA)?;
            declared.target = Some(target);
            declared.inputs.push(input);
        }
        if let Some(path) = subject {
            let (subject, input) = cli_kit::load_yaml::<Subject>(path, Subject::SCHEMA)?;
            declared.subject = Some(subject);
            declared.inputs.push(input);
        }
        Ok(declared)
    }

    /// Canonical model id, as the target or the frozen workload declares it.
    pub(crate) fn model(&self, workload_model: Option<&str>) -> Option<String> {
        let target = self.target.as_ref().and_then(|target| target.model.id.clone());
        target.or_else(|| workload_model.map(str::to_owned))
    }

    /// SLO rules of the target, then those of the command line.
    pub(crate) fn slo(&self, args: &ContractArgs) -> Vec<String> {
        let mut rules = self
            .target
            .as_ref()
            .map(|target| target.slo.clone())
            .unwrap_or_default();
        rules.extend(
            args.slo
                .iter()
                .filter(|rule| !rules.contains(rule))
                .cloned()
                .collect::<Vec<_>>(),
        );
        rules
    }
}

/// What a reader must know when the server answers as another model than the one that the target declares: a campaign
/// refuses such a measurement.
pub(crate) fn served_model(declared: &Declared, served: &str, probe: &ProbeData) -> Option<Warning> {
    let model = &declared.target.as_ref()?.model;
    let is_declared = model.id.is_some() || !model.served_names.is_empty();
    if !is_declared || model.is_served_as(served) {
        return None;
    }
    let shown = |name: &str| contracts::text::clean(name, 100);
    let wanted = model.id.as_deref().map_or("a declared name".to_owned(), shown);
    let listed = probe.models.iter().take(4).map(|name| shown(name));
    Some(Warning::new(
        "served-model",
        format!(
            "{} answers as {}, and the target is {wanted}; it lists {}: declare the name in model.served_names if it is the same model, or choose with --model",
            probe.url,
            shown(served),
            listed.collect::<Vec<_>>().join(", ")
        ),
    ))
}

/// Everything that must be equal for two results to be compared.
pub(crate) fn contract(
    declared: &Declared,
    workload_model: Option<&str>,
    tokenizer: Option<&str>,
    request_stream_sha256: &str,
    load: &LoadInfo,
    sampling: Value,
    simulated: Field,
) -> FieldSet {
    // Unknown until somebody says otherwise.
    let mut fields: BTreeMap<String, Field> = [
        name::MODEL_REVISION,
        name::TOKENIZER,
        name::PRECISION,
        name::HARDWARE_CLASS,
        name::GPU_COUNT,
    ]
    .iter()
    .map(|field| ((*field).to_owned(), Field::unknown()))
    .collect();
    let mut put = |field: &str, value: Field| fields.insert(field.to_owned(), value);
    put(
        name::MODEL_ID,
        declared
            .model(workload_model)
            .map_or_else(Field::unknown, Field::declared),
    );
    if let Some(tokenizer) = tokenizer {
        put(name::TOKENIZER, Field::declared(tokenizer));
    }
    put(name::REQUEST_STREAM, Field::observed(request_stream_sha256));
    put(name::LOAD, Field::observed(json!(load)));
    put(name::SAMPLING, Field::observed(sampling));
    put(name::SIMULATED, simulated);
    if let Some(target) = &declared.target {
        fields.extend(target.contract_fields());
    }
    FieldSet::new(fields)
}

/// Endpoint and every parameter that all bodies share: all but prompt and length.
pub(crate) fn sampling(endpoint: &str, requests: &[&WorkloadRequest]) -> Value {
    const OWN: [&str; 4] = ["messages", "prompt", "max_tokens", "max_completion_tokens"];
    let mut shared = serde_json::Map::new();
    shared.insert("endpoint".to_owned(), Value::from(endpoint));
    if let Some(body) = requests.first().and_then(|request| request.body.as_object()) {
        for (key, value) in body {
            let same = || {
                requests
                    .iter()
                    .all(|request| request.body.get(key) == Some(value))
            };
            if !OWN.contains(&key.as_str()) && same() {
                shared.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(shared)
}

/// What is free to change: observed settings win over declared ones, and say so when they differ.
pub(crate) fn subject(subject: Option<&Subject>, probe: &ProbeData, warnings: &mut Vec<Warning>) -> FieldSet {
    let mut fields = subject.map(Subject::fields).unwrap_or_default();
    let mut observed: BTreeMap<String, Field> = probe
        .settings
        .iter()
        .map(|(key, value)| (format!("settings.{key}"), Field::observed(value.clone())))
        .collect();
    observed.insert(
        "engine.kind".to_owned(),
        Field::observed(probe.engine.kind.name()),
    );
    observed.insert(
        "engine.version".to_owned(),
        probe
            .engine
            .version
            .clone()
            .map_or_else(Field::unknown, Field::observed),
    );
    for (field, value) in observed {
        if let Some(before) = fields
            .get(&field)
            .filter(|before| before.value != value.value && !value.value.is_null())
        {
            warnings.push(Warning::new(
                "subject-differs",
                format!(
                    "{field} is declared as {} but the server says {}",
                    before.value, value.value
                ),
            ));
        }
        fields.insert(field, value);
    }
    FieldSet::new(fields)
}

#[cfg(test)]
mod tests {
    use contracts::serve_bench::result::{EngineInfo, EngineKind};
    use contracts::target::TargetModel;

    use super::*;

    fn warned(model: TargetModel, served: &str) -> Option<String> {
        let declared = Declared {
            target: Some(Target {
                model,
                ..Target::default()
            }),
            ..Declared::default()
        };
        let probe = ProbeData {
            url: "http://127.0.0.1:8000".to_owned(),
            engine: EngineInfo {
                kind: EngineKind::Vllm,
                version: None,
            },
            models: vec!["qwen".to_owned(), "other".to_owned()],
            max_model_len: None,
            simulated: false,
            tokenize: false,
            endpoints: Vec::new(),
            settings: BTreeMap::new(),
        };
        served_model(&declared, served, &probe)
            .map(|warning| format!("{}: {}", warning.code, warning.message))
    }

    #[test]
    fn a_server_that_is_not_the_target_is_said_before_anything_is_measured() {
        let model = TargetModel {
            id: Some("Qwen/Qwen3-8B".to_owned()),
            served_names: vec!["qwen3-8b".to_owned()],
            ..TargetModel::default()
        };
        let said = warned(model.clone(), "qwen").unwrap();
        assert!(said.starts_with("served-model: "), "{said}");
        for part in [
            "answers as qwen",
            "Qwen/Qwen3-8B",
            "lists qwen, other",
            "model.served_names",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(warned(model.clone(), "qwen3-8b"), None);
        assert_eq!(warned(model, "Qwen/Qwen3-8B"), None);
        assert_eq!(
            warned(TargetModel::default(), "qwen"),
            None,
            "nothing is declared"
        );
    }
}

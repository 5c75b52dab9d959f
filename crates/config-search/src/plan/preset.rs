//! Commands and spaces that come with the tool, as data: `presets/*.yaml`.

use contracts::config_search::plan::{Framework, Plan};
use contracts::config_search::validation::Problem;
use serde_json::Value;

use super::check::problem;

/// What becomes the plan's model.
const MODEL: &str = "{model}";

/// Name and file.
const PRESETS: [(&str, &str); 7] = [
    ("sglang", include_str!("../../presets/sglang.yaml")),
    ("vllm", include_str!("../../presets/vllm.yaml")),
    ("tensorrt-llm", include_str!("../../presets/tensorrt-llm.yaml")),
    ("tokenspeed", include_str!("../../presets/tokenspeed.yaml")),
    ("llama.cpp", include_str!("../../presets/llama.cpp.yaml")),
    ("engine-sim", include_str!("../../presets/engine-sim.yaml")),
    (
        "inferencebench-vllm",
        include_str!("../../presets/inferencebench-vllm.yaml"),
    ),
];

/// Puts presets and the model's name into the frameworks of a plan; what is wrong with them.
pub(super) fn expand(plan: &mut Plan) -> Vec<Problem> {
    let mut problems = Vec::new();
    let model = plan.model.id.clone();
    for framework in &mut plan.frameworks {
        if let Some(name) = framework.preset.clone() {
            match of(&name) {
                Some(preset) => merge(framework, preset, &name),
                None => problems.push(problem(
                    "plan-preset",
                    Some(&framework.name),
                    format!("there is no preset `{}`", contracts::text::clean(&name, 80)),
                    &format!("there are {}", PRESETS.map(|(name, _)| name).join(", ")),
                )),
            }
        }
        name_model(framework, &model);
    }
    problems
}

fn of(name: &str) -> Option<Framework> {
    let (_, text) = PRESETS.iter().find(|(known, _)| *known == name)?;
    let value = cli_kit::yaml_value(text.as_bytes()).ok()?;
    serde_json::from_value(value).ok()
}

/// The preset where the plan says nothing.
fn merge(framework: &mut Framework, preset: Framework, name: &str) {
    if framework.name.is_empty() {
        name.clone_into(&mut framework.name);
    }
    if framework.server_command.is_null() {
        framework.server_command = preset.server_command;
    }
    if framework.base_server_flags.is_empty() {
        framework.base_server_flags = preset.base_server_flags;
    }
    if framework.gpu_count == 0 {
        framework.gpu_count = preset.gpu_count;
    }
    for (variable, value) in preset.env {
        framework.env.entry(variable).or_insert(value);
    }
    for (flag, entry) in preset.search_space {
        // A flag that the plan sets for all candidates is not searched by the preset.
        let is_set = |word: &String| word.split('=').next() == Some(flag.as_str());
        if !framework.base_server_flags.iter().any(is_set) {
            framework.search_space.entry(flag).or_insert(entry);
        }
    }
    framework.search_space.retain(|_, entry| !entry.is_null());
}

fn name_model(framework: &mut Framework, model: &str) {
    let named = |word: &str| word.replace(MODEL, model);
    match &mut framework.server_command {
        Value::Array(words) => {
            for word in words {
                if let Value::String(text) = word {
                    *text = named(text);
                }
            }
        }
        // A line for `sh` gets the name as one word, whatever is in it.
        Value::String(line) => *line = line.replace(MODEL, &super::command::quoted(model)),
        _ => {}
    }
    for word in &mut framework.base_server_flags {
        *word = named(word);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{command, parameter};
    use super::*;

    fn plan(framework: Value) -> (Plan, Vec<Problem>) {
        let mut plan = Plan {
            frameworks: vec![serde_json::from_value(framework).unwrap()],
            ..Plan::default()
        };
        plan.model.id = "Qwen/Qwen3-8B".to_owned();
        let problems = expand(&mut plan);
        (plan, problems)
    }

    #[test]
    fn every_preset_is_a_framework_with_a_space() {
        for (name, _) in PRESETS {
            let (plan, problems) = plan(json!({"preset": name}));
            assert_eq!(problems, []);
            let framework = &plan.frameworks[0];
            assert_eq!(framework.name, name);
            let space =
                parameter::space(&framework.search_space).unwrap_or_else(|why| panic!("{name}: {why}"));
            let families = space.families();
            assert!(families.len() >= 3, "{name}: {families:?}");
            assert!(
                !families.iter().any(|(family, _)| family.starts_with("--")),
                "{name}: each flag has its mechanism"
            );
            let argv = command::argv(framework, &std::collections::BTreeMap::new()).unwrap();
            assert!(
                argv.contains(&"Qwen/Qwen3-8B".to_owned()) && argv.iter().any(|word| word == "{port}"),
                "{argv:?}"
            );
        }
    }

    #[test]
    fn the_plan_s_own_words_win() {
        let (plan, _) = plan(json!({
            "preset": "vllm", "name": "ours", "gpu_count": 4, "base_server_flags": ["--tensor-parallel-size=4", "--enforce-eager"],
            "search_space": {"--quantization": null, "--max-num-seqs": [8, 16]}
        }));
        let framework = &plan.frameworks[0];
        assert_eq!((framework.name.as_str(), framework.gpu_count), ("ours", 4));
        let space = &framework.search_space;
        assert!(!space.contains_key("--quantization") && !space.contains_key("--enforce-eager"));
        assert_eq!(space["--max-num-seqs"], json!([8, 16]));
        assert!(space.contains_key("env.VLLM_ATTENTION_BACKEND"));
    }

    #[test]
    fn a_preset_that_is_none_names_those_there_are() {
        let (_, problems) = plan(json!({"preset": "vlm", "name": "x"}));
        assert_eq!(problems[0].code, "plan-preset");
        assert!(problems[0].hint.contains("inferencebench-vllm"));
    }

    #[test]
    fn a_model_s_name_is_one_word_of_a_line() {
        let (plan, _) =
            plan(json!({"name": "x", "shell": true, "server_command": "serve {model} --port {port}"}));
        assert_eq!(
            plan.frameworks[0].server_command,
            json!("serve 'Qwen/Qwen3-8B' --port {port}")
        );
    }
}

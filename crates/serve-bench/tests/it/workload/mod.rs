//! Workloads as their callers see them: what a plan gives, what a file keeps, and what is refused.

mod datasets;
mod files;
mod presets;
mod random;
mod robustness;
mod traces;
mod turns;

use std::path::PathBuf;

use contracts::serve_bench::workload::WorkloadRequest;
use serve_bench::workload::{
    Dataset, RandomPlan, ScenarioPlan, Words, Workload, WorkloadError, WorkloadPlan, generate,
};

fn plan(scenarios: Vec<ScenarioPlan>) -> WorkloadPlan {
    WorkloadPlan {
        name: "test".into(),
        model: Some("org/model".into()),
        scenarios,
    }
}

fn random(count: u64, random: RandomPlan) -> WorkloadPlan {
    plan(vec![ScenarioPlan::random("s", 1, count, random)])
}

fn words(plan: &WorkloadPlan) -> Workload {
    generate(plan, &mut Words).unwrap()
}

fn refusal(plan: &WorkloadPlan) -> WorkloadError {
    generate(plan, &mut Words).unwrap_err()
}

fn prompt(request: &WorkloadRequest) -> &str {
    request.body["messages"][0]["content"].as_str().unwrap()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn from_file(dataset: fn(PathBuf) -> Dataset, text: &str) -> Result<Workload, WorkloadError> {
    let file = file(text);
    let mut scenario = ScenarioPlan::random("s", 1, 1, RandomPlan::fixed(1, 1));
    scenario.num_prompts = None;
    scenario.dataset = dataset(file.path().to_owned());
    generate(&plan(vec![scenario]), &mut Words)
}

fn jsonl(path: PathBuf) -> Dataset {
    Dataset::Jsonl {
        path,
        output_len: Some(16),
    }
}

fn azure(path: PathBuf) -> Dataset {
    Dataset::Azure { path }
}

fn burstgpt(path: PathBuf) -> Dataset {
    Dataset::Burstgpt { path }
}

fn mooncake(path: PathBuf) -> Dataset {
    Dataset::Mooncake { path }
}

fn sharegpt(path: PathBuf) -> Dataset {
    Dataset::Sharegpt {
        path,
        output_len: None,
    }
}

/// Words that two texts have in common at their start.
fn common(a: &str, b: &str) -> usize {
    a.split(' ').zip(b.split(' ')).take_while(|(a, b)| a == b).count()
}

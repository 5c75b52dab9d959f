//! Files with anything in them: an error or what was frozen, never a panic.

use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use serve_bench::workload::{Dataset, RandomPlan, ScenarioPlan, Words, Workload, body_bytes, generate};

use super::files::written;
use super::{azure, burstgpt, from_file, jsonl, mooncake, plan, sharegpt};

/// What [`written`] writes, made once: every case damages its own copy.
static WRITTEN: LazyLock<(Vec<u8>, Workload)> = LazyLock::new(|| {
    let (_folder, path, workload) = written();
    (std::fs::read(path).unwrap(), workload)
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_give_an_answer_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        prop_assert!(Workload::read(file.path()).is_err());
        for dataset in [jsonl as fn(PathBuf) -> Dataset, azure, burstgpt, mooncake, sharegpt] {
            let mut scenario = ScenarioPlan::random("s", 1, 1, RandomPlan::fixed(1, 1));
            scenario.num_prompts = None;
            scenario.dataset = dataset(file.path().to_owned());
            let _ = generate(&plan(vec![scenario]), &mut Words);
        }
    }

    #[test]
    fn a_damaged_file_is_refused_or_means_the_same(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (bytes, workload) = &*WRITTEN;
        let mut bytes = bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        if let Ok(read) = Workload::read(file.path()) {
            // Names and lengths of the header stand outside the hash; what is sent does not.
            for (read, frozen) in read.requests.iter().zip(&workload.requests) {
                prop_assert_eq!(body_bytes(read, "m"), body_bytes(frozen, "m"));
            }
        }
    }

    #[test]
    fn any_prompt_survives_the_file(prompt in "\\PC{1,80}", model in "\\PC{0,40}") {
        let row = json!({"prompt": prompt, "output_len": 3}).to_string();
        let workload = from_file(jsonl, &row).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.jsonl");
        workload.write(&path).unwrap();
        let read = Workload::read(&path).unwrap();
        let sent: Value = serde_json::from_slice(&body_bytes(&read.requests[0], &model)).unwrap();
        prop_assert_eq!(sent["messages"][0]["content"].as_str(), Some(prompt.as_str()));
        prop_assert_eq!(sent["model"].as_str(), Some(model.as_str()));
    }
}

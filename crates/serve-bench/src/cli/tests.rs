//! What the flags refuse together.

use clap::CommandFactory as _;

use super::*;

#[test]
fn a_frozen_workload_is_sent_as_it_is() {
    let typed = |flags: &str| {
        let words = "serve-bench run --url http://127.0.0.1:1 --workload w.jsonl";
        let command = Args::command().version("0");
        command.try_get_matches_from(words.split(' ').chain(flags.split_whitespace()))
    };
    assert!(typed("--concurrency 4 --warmup 2 --scenario chat").is_ok());
    for flags in [
        "--num-prompts 4",
        "--seed 1",
        "--endpoint completions",
        "--extra-body {}",
        "--ignore-eos",
        "--tokenizer t.json",
        "--prompt-unit tokens",
        "--len-spread 0.1",
        "--prefix-len 4",
        "--prefix-groups 2",
    ] {
        let error = typed(flags).unwrap_err().to_string();
        assert!(error.contains("--workload"), "{flags}: {error}");
    }
}

//! What people and agents read.

use capacity_plan::cli::Args;
use clap::CommandFactory as _;
use tempfile::TempDir;

use crate::run::{document, run, write};

#[test]
fn the_arguments_are_well_formed() {
    Args::command().debug_assert();
}

#[test]
fn many_ranks_stay_in_a_short_view_that_begins_with_the_limit() {
    let folder = TempDir::new().expect("a folder");
    let mut log = String::new();
    for rank in 0..256 {
        log.push_str(&format!("[2026-05-15 09:09:53 TP{rank}] Load weight begin. avail mem=78.50 GB\n[2026-05-15 09:09:53 TP{rank}] KV Cache is allocated. #tokens: 100000, K size: 10.00 GB, V size: 10.00 GB\n"));
    }
    for _ in 0..50 {
        log.push_str(&format!(
            "CUDA out of memory. Tried to allocate 2.00 GiB. \u{1b}[2J{}\n",
            "words ".repeat(900)
        ));
    }
    let path = write(&folder, "a.log", &log);
    let seen = document(&["log", &path]);
    assert_eq!(seen["data"]["memory"].as_array().map(Vec::len), Some(256));
    assert_eq!(seen["data"]["failures"].as_array().map(Vec::len), Some(1));
    let report = run(&["log", &path]).expect("a document");
    let text = report.view().to_markdown();
    assert!(text.len() < 8192 && !text.contains('\u{1b}'), "{text}");
    assert!(
        text.contains("limits.") && text.find("kv_tokens") < text.find("Memory of each rank"),
        "{text}"
    );
    let terminal = report.view().to_terminal();
    let commands = terminal.find("next:").unwrap_or(terminal.len());
    assert_eq!(
        terminal[..commands]
            .lines()
            .find(|line| line.chars().count() > 100),
        None
    );
}

/// What people read: no number is broken in two, one is no plural, and what is free says when.
#[test]
fn sentences_are_whole() {
    let folder = TempDir::new().expect("a folder");
    let vllm = "\
INFO 09-04 11:00:11 [kv_cache_utils.py:1] Add 1 padding layers, may waste at most 4% KV cache memory
INFO 09-04 11:00:12 [kv_cache_utils.py:3] GPU KV cache size: 75,840 tokens
INFO 09-04 11:00:12 [kv_cache_utils.py:4] Maximum concurrency for 120,000 tokens per request: 1.48x
";
    let path = write(&folder, "a.log", vllm);
    let summary = document(&["log", &path])["summary"].to_string();
    assert!(summary.contains("1 request of 120 000 tokens fits"), "{summary}");
    assert!(
        summary.contains("Pool 177 600 tokens in requests of 120 000"),
        "{summary}"
    );
    let terminal = run(&["log", &path]).expect("a document").view().to_terminal();
    assert!(terminal.contains("added 1 padding layer to"), "{terminal}");
    let cut = |line: &str| line.ends_with(|c: char| c.is_ascii_digit());
    let lines: Vec<&str> = terminal.lines().collect();
    for pair in lines.windows(2) {
        let goes_on = pair[1].trim_start().starts_with(|c: char| c.is_ascii_digit());
        assert!(!(cut(pair[0]) && goes_on), "{pair:?}");
    }
    let sglang = "[2026-05-15 09:09:53] Mamba Cache is allocated. max_mamba_cache_size: 3, conv_state size: 0.13GB, ssm_state size: 7.29GB\n\
                  [2026-05-15 09:09:53] Memory pool end. avail mem=9.00 GB\n";
    let path = write(&folder, "b.log", sglang);
    let text = run(&["log", &path]).expect("a document").view().to_markdown();
    assert!(text.contains("Least free, after the pools: 9.00 GiB."), "{text}");
    assert!(text.contains("state of a request 1899.5 MiB"), "{text}");
}

#[test]
fn the_next_command_runs_as_it_stands() {
    let folder = TempDir::new().expect("a folder");
    let config = write(
        &folder,
        "config.json",
        r#"{"num_hidden_layers": 48, "hidden_size": 2048, "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128}"#,
    );
    let path = write(
        &folder,
        "a.log",
        "[2026-05-15 09:09:36 TP0] Load weight begin. avail mem=78.50 GB\n[2026-05-15 09:09:53 TP0] Load weight end. avail mem=63.50 GB, mem usage=15.00 GB.\n[2026-05-15 09:09:53 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 500000, K size: 22.89 GB, V size: 22.89 GB\n",
    );
    let seen = document(&["log", &path, "--config", &config]);
    let command: Vec<&str> = seen["next_actions"][0]["command"]
        .as_array()
        .expect("a command")
        .iter()
        .filter_map(|word| word.as_str())
        .collect();
    assert_eq!(command[0], "capacity-plan");
    let then = document(&command[1..]);
    assert_eq!(then["data"]["engine"]["kv_dtype"], "fp8");
}

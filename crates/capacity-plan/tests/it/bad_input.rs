//! Every error code, with its exit and its hint.

use contracts::Exit;
use tempfile::TempDir;

use crate::run::{run, write};

/// The code of the failure, after a look at its exit and its hint.
fn fails(words: &[&str], exit: Exit) -> String {
    let failure = run(words).expect_err("no document can be made");
    assert_eq!(failure.exit, exit, "{failure:?}");
    assert!(failure.document.hint.is_some(), "{failure:?}");
    failure.document.code.clone()
}

#[test]
fn a_log_that_says_nothing_of_memory_is_no_zeros() {
    let folder = TempDir::new().expect("a folder");
    for (name, text) in [
        ("empty.log", ""),
        ("words.log", "INFO: Started server process\nGET /health 200\n"),
        (
            "words alone.log",
            "Load weight begin\nKV Cache is allocated\nmax_total_num_tokens=\n",
        ),
        ("binary.log", "\u{0}\u{1}\u{2}\n\n\n"),
    ] {
        let path = write(&folder, name, text);
        assert_eq!(
            fails(&["log", &path], Exit::BadInput),
            "log-nothing-recognised",
            "{name}"
        );
    }
    let absent = folder.path().join("absent.log").display().to_string();
    assert_eq!(fails(&["log", &absent], Exit::BadInput), "startup-log-unreadable");
    let itself = folder.path().display().to_string();
    assert_eq!(fails(&["log", &itself], Exit::BadInput), "startup-log-unreadable");
}

#[test]
fn flags_have_ranges_and_names() {
    let folder = TempDir::new().expect("a folder");
    let log = write(
        &folder,
        "a.log",
        "[2026-05-15 09:09:53] KV Cache is allocated. #tokens: 5, KV size: 1 GB\n",
    );
    let config = write(
        &folder,
        "config.json",
        r#"{"num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2}"#,
    );
    let estimate = |more: &[&'static str]| {
        [&["estimate", "--config", &config][..], more]
            .concat()
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<String>>()
    };
    for (words, code) in [
        (estimate(&["--gpu", "voodoo2"]), "gpu-unknown"),
        (
            estimate(&["--gpu", "h100", "--kv-dtype", "int3"]),
            "kv-dtype-unknown",
        ),
        (
            estimate(&["--gpu", "h100", "--memory-fraction", "1.5"]),
            "number-out-of-range",
        ),
        (
            estimate(&["--gpu", "h100", "--memory-fraction", "NaN"]),
            "number-out-of-range",
        ),
        (estimate(&["--gpu-memory-gib", "0"]), "number-out-of-range"),
        (
            estimate(&["--gpu", "h100", "--reserve-gib", "inf"]),
            "number-out-of-range",
        ),
        (
            estimate(&["--gpu", "h100", "--lengths", "0"]),
            "lengths-unreadable",
        ),
    ] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(fails(&words, Exit::Usage), code, "{words:?}");
    }
    assert_eq!(
        fails(&["log", &log, "--kv-dtype", "x"], Exit::Usage),
        "kv-dtype-unknown"
    );
    // A width of the networks is missing, and the file is no quantization.
    let words = ["estimate", "--config", &config, "--gpu", "h100"];
    assert_eq!(fails(&words, Exit::BadInput), "weights-not-countable");
    let words = [&words[..], &["--quantization", &config]].concat();
    assert_eq!(fails(&words, Exit::BadInput), "quantization-not-found");
}

#[test]
fn files_beside_the_log_are_checked() {
    let folder = TempDir::new().expect("a folder");
    let log = write(
        &folder,
        "a.log",
        "[2026-05-15 09:09:53] KV Cache is allocated. #tokens: 5, KV size: 1 GB\n",
    );
    let other = write(&folder, "other.json", r#"{"schema": "error/1"}"#);
    let words = ["log", &log, "--lengths", &other];
    assert_eq!(fails(&words, Exit::BadInput), "schema-foreign");
    let words = ["log", &log, "--for", &other];
    assert_eq!(fails(&words, Exit::BadInput), "schema-foreign");
    let words = ["log", &log, "--config", &other];
    assert_eq!(fails(&words, Exit::BadInput), "model-config-no-layer-count");
}

/// A configuration without the widths of keys is no formula of nothing.
#[test]
fn keys_without_a_width_are_not_zero_bytes() {
    let folder = TempDir::new().expect("a folder");
    let config = write(&folder, "config.json", r#"{"num_hidden_layers": 3}"#);
    let log = write(
        &folder,
        "a.log",
        "[2026-05-15 09:09:53] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 5, KV size: 1 GB\n",
    );
    let seen = crate::run::document(&["log", &log, "--config", &config]);
    assert!(seen["data"]["kv"]["bytes_per_token_formula"].is_null(), "{seen}");
    assert_eq!(crate::run::warnings(&seen)[0], "kv-formula-missing");
    let words = [
        "estimate",
        "--config",
        &config,
        "--gpu",
        "h100",
        "--weights-gib",
        "10",
    ];
    assert_eq!(fails(&words, Exit::BadInput), "keys-not-countable");
}

#[test]
fn files_that_are_no_configurations_are_refused() {
    let folder = TempDir::new().expect("a folder");
    let itself = folder.path().display().to_string();
    assert_eq!(
        fails(
            &["estimate", "--config", &itself, "--gpu", "h100"],
            Exit::BadInput
        ),
        "input-unreadable"
    );
    for (name, text, code) in [
        ("empty", "", "model-config-not-json"),
        ("binary", "\u{0}\u{1}\u{7f}", "model-config-not-json"),
        ("html", "<html></html>", "model-config-not-json"),
        ("list", "[1]", "model-config-not-an-object"),
        ("object", "{}", "model-config-no-layer-count"),
        ("none", r#"{"num_hidden_layers": 0}"#, "model-config-layer-count"),
    ] {
        let path = write(&folder, name, text);
        for words in [
            &["estimate", "--gpu", "h100", "--config", &path][..],
            &["log", &path, "--config", &path][..],
        ] {
            assert_eq!(fails(words, Exit::BadInput), code, "{name}");
        }
    }
}

/// What a checkpoint keeps its keys in decides an estimate: a type that is not known is no other type.
#[test]
fn a_checkpoint_with_an_unknown_type_of_keys_is_no_estimate() {
    let folder = TempDir::new().expect("a folder");
    let config = |more: &str| {
        format!(
            r#"{{"num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 2,
                "vocab_size": 100, {more}}}"#
        )
    };
    for (name, more) in [
        (
            "keys.json",
            r#""quantization_config": {"quant_method": "fp8", "kv_cache_quant_algo": "INT3"}"#,
        ),
        ("model.json", r#""torch_dtype": "float6""#),
    ] {
        let path = write(&folder, name, &config(more));
        let words = ["estimate", "--config", &path, "--gpu", "h100"];
        assert_eq!(fails(&words, Exit::BadInput), "kv-dtype-unknown", "{name}");
        let typed = [&words[..], &["--kv-dtype", "fp8"]].concat();
        assert!(run(&typed).is_ok(), "{name}");
    }
    let none = r#""quantization_config": {"quant_method": "fp8", "kv_cache_quant_algo": "none"}"#;
    let path = write(&folder, "none.json", &config(none));
    assert!(run(&["estimate", "--config", &path, "--gpu", "h100"]).is_ok());
}

//! Whether it fits, against arithmetic by hand.

use capacity::{Demand, Fits, GIB, KvDtype, Parallel, Room};
use model_config::ModelConfig;

use crate::{config, tp};

const QWEN3_8B: &str = r#"{"model_type": "qwen3", "num_hidden_layers": 36, "hidden_size": 4096, "intermediate_size": 12288,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
    "tie_word_embeddings": false, "torch_dtype": "bfloat16"}"#;

fn demand(config: &ModelConfig) -> Demand<'_> {
    Demand {
        config,
        quantization: None,
        parallel: tp(1),
        kv_dtype: KvDtype::Bf16,
        length: 32_768,
        requests: 1,
        page: 16,
        weights_bytes: None,
        draft_token_bytes: 0.0,
        windows_kept_whole: false,
    }
}

fn room(gib: f64) -> Room {
    Room {
        device_bytes: gib * GIB,
        fraction: 0.9,
        reserve_bytes: 2.0 * GIB,
    }
}

#[test]
fn weights_and_requests_and_reserve_are_held_against_the_fraction() {
    let qwen = config(QWEN3_8B);
    let one = demand(&qwen);
    // 15.26 of weights, 32 768 × 144 KiB = 4.5 of a request, 2 in reserve: 21.76 GiB of 0.9 × 25.
    assert_eq!(one.fits(&room(25.0)), Fits::Yes);
    let Fits::No {
        needed_bytes,
        available_bytes,
    } = one.fits(&room(23.0))
    else {
        panic!("21.76 GiB are more than 20.7");
    };
    assert_eq!(
        needed_bytes,
        2.0 * 8_190_427_136.0 + 32_768.0 * 147_456.0 + 2.0 * GIB
    );
    assert!((available_bytes / GIB - 20.7).abs() < 1e-9);
    // Two ranks halve weights and keys.
    let two = Demand {
        parallel: tp(2),
        ..one
    };
    assert_eq!(two.fits(&room(16.0)), Fits::Yes);
    // Ten at once take 45 GiB, half of it in fp8.
    let ten = Demand { requests: 10, ..one };
    assert!(matches!(ten.fits(&room(60.0)), Fits::No { .. }));
    let small = Demand {
        kv_dtype: KvDtype::Fp8,
        ..ten
    };
    assert_eq!(small.fits(&room(60.0)), Fits::Yes);
    // A draft keeps its own tokens: 16 KiB each are 0.5 GiB of a request.
    let drafted = Demand {
        draft_token_bytes: 16_384.0,
        weights_bytes: Some(15.0 * GIB),
        ..one
    };
    assert!(matches!(drafted.fits(&room(24.4)), Fits::No { .. }));
    assert_eq!(drafted.fits(&room(24.5)), Fits::Yes);
}

#[test]
fn what_the_count_cannot_tell_is_unknown() {
    let qwen = config(QWEN3_8B);
    let one = demand(&qwen);
    let why = |demand: Demand<'_>, gib: f64| match demand.fits(&room(gib)) {
        Fits::Unknown { why } => why,
        other => panic!("{other:?}"),
    };
    // 21.76 of 21.69 GiB: 2 % of the weights are 0.31.
    assert!(why(one, 24.1).contains("no nearer"));
    // With the weights known it is too small.
    let known = Demand {
        weights_bytes: Some(15.26 * GIB),
        ..one
    };
    assert!(matches!(known.fits(&room(24.1)), Fits::No { .. }));
    let parallel = |tp, pp, attention_dp| Demand {
        parallel: Parallel {
            tp,
            pp,
            attention_dp,
            ep: 1,
        },
        ..one
    };
    assert_eq!(
        why(parallel(3, 1, 1), 80.0),
        "32 attention heads do not divide by 3 ranks"
    );
    assert_eq!(
        why(parallel(4, 1, 3), 80.0),
        "3 replicas of attention do not divide 4 ranks"
    );
    assert_eq!(
        why(parallel(1, 37, 1), 80.0),
        "36 layers are no 37 pipeline stages"
    );
    let bare = config(r#"{"num_hidden_layers": 1, "hidden_size": 64, "num_attention_heads": 1}"#);
    assert!(why(demand(&bare), 80.0).contains("lacks a width"));
    let method = model_config::Quantization {
        method: "new_method".to_owned(),
        bits: None,
        keeps_attention: false,
        kv_cache: None,
    };
    let stored = Demand {
        quantization: Some(&method),
        ..one
    };
    assert!(why(stored, 80.0).contains("`new_method`"));
    // A layer of an unknown kind keeps something: no promise, but what is too large stays too large.
    let partial = config(
        r#"{"num_hidden_layers": 2, "layer_types": ["new_attention", "full_attention"], "hidden_size": 4096,
            "num_attention_heads": 32, "num_key_value_heads": 8}"#,
    );
    let partial = Demand {
        weights_bytes: Some(GIB),
        ..demand(&partial)
    };
    assert!(why(partial, 80.0).contains("no width"));
    assert!(matches!(partial.fits(&room(1.0)), Fits::No { .. }));
}

#[test]
fn a_stage_may_hold_more_than_its_share() {
    let qwen = config(QWEN3_8B);
    // 36 layers on 8 stages: some hold 5 of them, and one the embedding; the mean is 1.91 GiB.
    let stages = |gib: f64| {
        let demand = Demand {
            parallel: Parallel {
                pp: 8,
                ..Parallel::default()
            },
            weights_bytes: None,
            length: 16,
            ..demand(&qwen)
        };
        demand.fits(&room(gib))
    };
    assert!(matches!(stages(4.2), Fits::No { .. }));
    assert!(matches!(stages(5.0), Fits::Unknown { .. }));
    // Five layers of 0.36 GiB and one embedding of 1.16, 2 % more, beside the 2 in reserve.
    assert_eq!(stages(5.8), Fits::Yes);
}

/// Five layers are three and two: a stage holds three fifths of the weights, not a half.
#[test]
fn known_weights_are_divided_as_the_largest_stage_has_them() {
    let bare = config(r#"{"num_hidden_layers": 5, "hidden_size": 64, "num_attention_heads": 1}"#);
    let known = Demand {
        weights_bytes: Some(20.0 * GIB),
        ..demand(&bare)
    };
    let of = |tp, pp| known.divided(tp, pp).weights_bytes.map(|bytes| bytes / GIB);
    assert_eq!(
        (of(1, 2), of(1, 4), of(2, 1)),
        (Some(12.0), Some(8.0), Some(10.0))
    );
    // From two stages to five: the largest has one layer of what were three.
    let two = Demand {
        weights_bytes: Some(12.0 * GIB),
        ..known.divided(1, 2)
    };
    let five = two.divided(1, 5).weights_bytes.expect("they are known");
    assert!((five / GIB - 4.0).abs() < 1e-9);
    // With all widths, the first stage has the embedding: 18 of 36 layers, and half of the two matrices.
    let qwen = config(QWEN3_8B);
    let known = Demand {
        weights_bytes: Some(15.26 * GIB),
        ..demand(&qwen)
    };
    let half = known.divided(1, 2).weights_bytes.expect("they are known");
    assert!((half / GIB - 7.63).abs() < 0.01, "{half}");
    let eighth = known.divided(1, 8).weights_bytes.expect("they are known");
    assert!((eighth / GIB - 2.96).abs() < 0.01, "{eighth}");
}

//! Models whose layers differ, one pass or several, with and without a configuration.

use model_config::{Ffn, LayerType, Mixer};
use trace_layers::{Detection, DetectionWarning, Expected, Kernel, Method, Role, detect_at};

use crate::generate::{ends, found, layer, of, pass, times};

/// With its configuration, every layer of every pass is cut where it ends and has its type.
#[track_caller]
fn exact(types: &[LayerType], steps: usize) -> Detection {
    let one = pass(types);
    let names = times(&one, steps);
    let expected = Expected {
        num_hidden_layers: Some(types.len()),
        layer_types: types,
    };
    let detection = found(&names, &expected);
    assert_eq!(detection.layers, Some(types.len()), "{detection:?}");
    assert_eq!(detection.warnings, []);
    assert_eq!(detection.passes.len(), steps, "{detection:?}");
    for (step, pass) in detection.passes.iter().enumerate() {
        assert!(pass.complete && pass.role == Role::Main);
        assert_eq!(
            pass.layer_kernels().start,
            step * one.len() + 3,
            "step {step} of {steps}: {pass:?}"
        );
        let found: Vec<usize> = pass.layers.iter().map(|layer| layer.kernels.end).collect();
        assert_eq!(
            found,
            ends(types, step * one.len()),
            "step {step} by {:?}",
            detection.method
        );
        let found: Vec<_> = pass.layers.iter().map(|layer| layer.layer_type).collect();
        assert_eq!(
            found,
            types
                .iter()
                .map(|layer_type| Some(*layer_type))
                .collect::<Vec<_>>()
        );
    }
    detection
}

fn cycle(pattern: &[LayerType], layers: usize) -> Vec<LayerType> {
    pattern.iter().copied().cycle().take(layers).collect()
}

#[test]
fn uniform() {
    for layer_type in [
        of(Mixer::Full, Ffn::Dense),
        of(Mixer::Full, Ffn::Moe),
        of(Mixer::Mla, Ffn::Moe),
    ] {
        for steps in [1, 2, 5] {
            let types = cycle(&[layer_type], 28);
            let detection = exact(&types, steps);
            assert_eq!((detection.method, detection.clusters), (Method::Period, 1));
            let alone = found(&times(&pass(&types), steps), &Expected::default());
            assert_eq!((alone.layers, alone.passes.len()), (Some(28), steps));
        }
    }
}

#[test]
fn sliding_and_full() {
    let types = cycle(&[of(Mixer::Sliding, Ffn::Moe), of(Mixer::Full, Ffn::Moe)], 36);
    for steps in [1, 3] {
        let detection = exact(&types, steps);
        assert_eq!(detection.clusters, 2);
        // The two differ in one kernel of one kind: even without a configuration they are layers, not pairs.
        assert_eq!(
            found(&times(&pass(&types), steps), &Expected::default()).layers,
            Some(36)
        );
    }
    let gemma = [
        vec![of(Mixer::Sliding, Ffn::Dense); 5],
        vec![of(Mixer::Full, Ffn::Dense)],
    ]
    .concat();
    exact(&cycle(&gemma, 30), 2);
    // The last group is not whole.
    exact(&cycle(&gemma, 26), 1);
}

#[test]
fn linear_and_full() {
    let linear = of(Mixer::Linear, Ffn::Moe);
    let group = [linear, linear, linear, of(Mixer::Full, Ffn::Moe)];
    for steps in [1, 3] {
        let detection = exact(&cycle(&group, 48), steps);
        assert_eq!(detection.method, Method::Superperiod);
        assert_eq!(detection.clusters, 2);
    }
    exact(&cycle(&group, 46), 1);
}

#[test]
fn dense_layers_first() {
    for dense in [1, 3] {
        let mut types = cycle(&[of(Mixer::Mla, Ffn::Moe)], 24);
        types[..dense].fill(of(Mixer::Mla, Ffn::Dense));
        for steps in [1, 2] {
            assert_eq!(exact(&types, steps).clusters, 2);
            // They are found without a configuration, too.
            assert_eq!(
                found(&times(&pass(&types), steps), &Expected::default()).layers,
                Some(24)
            );
        }
    }
}

#[test]
fn experts_in_every_other_layer() {
    exact(
        &cycle(&[of(Mixer::Full, Ffn::Dense), of(Mixer::Full, Ffn::Moe)], 32),
        2,
    );
}

#[test]
fn mamba_with_some_attention() {
    // One block a layer, in no regular order, as in Nemotron-H.
    let types: Vec<LayerType> = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"
        .chars()
        .map(|letter| match letter {
            'M' => of(Mixer::Mamba, Ffn::None),
            'E' => of(Mixer::None, Ffn::Moe),
            _ => of(Mixer::Full, Ffn::None),
        })
        .collect();
    assert_eq!(exact(&types, 1).clusters, 3);
    exact(&types, 4);
    // Jamba: one attention in eight, experts in every other layer.
    let jamba: Vec<LayerType> = (0..32)
        .map(|layer| {
            let mixer = if layer % 8 == 4 { Mixer::Full } else { Mixer::Mamba };
            of(mixer, if layer % 2 == 1 { Ffn::Moe } else { Ffn::Dense })
        })
        .collect();
    assert_eq!(exact(&jamba, 1).clusters, 3);
}

#[test]
fn compressed_attention_and_hash_routing() {
    // DeepSeek-V4-Flash: two windows first, then 4 and 128 in turn; the first three layers route by a table.
    let types: Vec<LayerType> = (0..43)
        .map(|layer| {
            let mixer = match layer {
                0 | 1 => Mixer::Sliding,
                _ if layer % 2 == 0 => Mixer::C4,
                _ => Mixer::C128,
            };
            of(mixer, if layer < 3 { Ffn::HashMoe } else { Ffn::Moe })
        })
        .collect();
    assert_eq!(exact(&types, 1).clusters, 4);
    exact(&types, 3);
}

#[test]
fn a_draft_between_two_passes() {
    let types = cycle(&[of(Mixer::Full, Ffn::Moe)], 24);
    let draft: Vec<String> = [
        ["draft_embedding", "gemm_concat"].map(str::to_owned).to_vec(),
        layer(of(Mixer::Full, Ffn::Dense), true),
        ["draft_norm", "gemm_draft_head", "draft_top_k"]
            .map(str::to_owned)
            .to_vec(),
    ]
    .concat();
    let step = [pass(&types), times(&draft, 3)].concat();
    let names = times(&step, 3);
    let detection = found(
        &names,
        &Expected {
            num_hidden_layers: Some(24),
            layer_types: &types,
        },
    );
    let roles: Vec<(Role, usize)> = detection
        .passes
        .iter()
        .map(|pass| (pass.role, pass.layers.len()))
        .collect();
    let draft = (Role::Draft, 1);
    assert_eq!(roles, [(Role::Main, 24), draft, draft, draft].repeat(3));
    assert_eq!(detection.warnings, []);
}

#[test]
fn a_configuration_of_another_model_is_a_warning_with_both_numbers() {
    for layer_type in [of(Mixer::Full, Ffn::Dense), of(Mixer::Mla, Ffn::Moe)] {
        let types = cycle(&[layer_type], 32);
        for (config, steps) in [61, 16, 64, 20, 31, 33, 8, 2]
            .into_iter()
            .flat_map(|config| [(config, 1), (config, 3)])
        {
            let names = times(&pass(&types), steps);
            let detection = found(
                &names,
                &Expected {
                    num_hidden_layers: Some(config),
                    layer_types: &[],
                },
            );
            assert_eq!(
                (detection.layers, detection.config_layers),
                (Some(32), Some(config)),
                "{steps} {detection:?}"
            );
            assert_eq!(
                detection.warnings[0],
                DetectionWarning::LayersDisagree { trace: 32, config }
            );
            assert_eq!(detection.warnings[0].code(), "layers-disagree");
            assert!(detection.confidence < 0.98);
            assert_eq!(
                detection.passes.iter().filter(|pass| pass.complete).count(),
                steps
            );
            assert!(
                detection.passes[0]
                    .layers
                    .iter()
                    .all(|layer| layer.layer_type.is_none())
            );
        }
    }
}

#[test]
fn a_stream_that_begins_and_ends_within_passes() {
    let types = cycle(&[of(Mixer::Full, Ffn::Moe)], 20);
    let one = pass(&types);
    let names = [&one[100..], &one, &one, &one[..90]].concat();
    let detection = found(
        &names,
        &Expected {
            num_hidden_layers: Some(20),
            layer_types: &types,
        },
    );
    let complete: Vec<bool> = detection.passes.iter().map(|pass| pass.complete).collect();
    assert_eq!(complete, [false, true, true, false]);
    assert!(detection.passes.iter().all(|pass| pass.role == Role::Main));
}

#[test]
fn given_starts_override_what_repeats() {
    let types = cycle(&[of(Mixer::Full, Ffn::Dense)], 12);
    let names = times(&pass(&types), 2);
    // Somebody wants layers from one attention to the next.
    let starts: Vec<usize> = (0..names.len())
        .filter(|at| names[*at].starts_with("fmha"))
        .collect();
    let kernels: Vec<Kernel<'_>> = names
        .iter()
        .map(|name| Kernel {
            name,
            start_ns: 0,
            dur_ns: 0,
        })
        .collect();
    for (config, warnings) in [(None, 0), (Some(12), 0), (Some(13), 1)] {
        let expected = Expected {
            num_hidden_layers: config,
            layer_types: &[],
        };
        let detection = detect_at(&kernels, &starts, &expected);
        assert_eq!((detection.method, detection.layers), (Method::Given, Some(12)));
        assert_eq!(detection.warnings.len(), warnings);
        let found: Vec<usize> = detection
            .passes
            .iter()
            .flat_map(|pass| &pass.layers)
            .map(|layer| layer.kernels.start)
            .collect();
        assert_eq!(found, starts);
    }
}

#[test]
fn nothing_that_repeats() {
    let names: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    for names in [&names[..], &names[..1], &[]] {
        let detection = found(
            names,
            &Expected {
                num_hidden_layers: Some(36),
                layer_types: &[],
            },
        );
        assert_eq!(
            (detection.method, detection.layers, detection.confidence),
            (Method::None, None, 0.0)
        );
        assert_eq!(detection.passes, []);
    }
}

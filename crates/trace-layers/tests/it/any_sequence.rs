//! Any sequence gives passes that lie in it, in order; a planted repeat is found through noise.

use model_config::{Ffn, LayerType, Mixer};
use proptest::prelude::*;
use trace_layers::{Detection, Expected};

use crate::generate::{found, of, pass, times};

/// Ranges follow each other, within the stream, and cover it from the first preamble to the last tail.
fn check(detection: &Detection, kernels: usize) {
    assert!((0.0..=1.0).contains(&detection.confidence), "{detection:?}");
    let mut at = 0;
    for pass in &detection.passes {
        assert_eq!(pass.preamble.start, at, "{detection:?}");
        assert!(!pass.layers.is_empty());
        at = pass.preamble.end;
        for layer in &pass.layers {
            assert_eq!(layer.kernels.start, at, "{detection:?}");
            assert!(layer.cluster < detection.clusters);
            at = layer.kernels.end;
        }
        assert_eq!(pass.tail.start, at);
        at = pass.tail.end;
    }
    assert!(
        at <= kernels && (detection.passes.is_empty() || at == kernels),
        "{detection:?}"
    );
}

fn types(layers: usize) -> Vec<LayerType> {
    vec![of(Mixer::Full, Ffn::Moe); layers]
}

proptest! {
    #[test]
    fn any_sequence(
        classes in prop::collection::vec(0_u8..6, 0..160),
        layers in prop::option::of(prop_oneof![0_usize..12, Just(usize::MAX)]),
    ) {
        // Letters, so that names differ after digits are dropped; one of them is a norm, one a GEMM.
        let names: Vec<String> = classes
            .iter()
            .map(|class| ["norm", "gemm", "c", "d", "attn", "f"][*class as usize].to_owned())
            .collect();
        let detection = found(&names, &Expected { num_hidden_layers: layers, layer_types: &[] });
        check(&detection, names.len());
    }

    #[test]
    fn any_repeated_sequence(
        layer in prop::collection::vec(0_u8..6, 1..12),
        rest in prop::collection::vec(0_u8..6, 0..12),
        times in 1_usize..9,
        layers in prop::option::of(0_usize..12),
    ) {
        let one = [rest.clone(), layer.repeat(times), rest].concat();
        let names: Vec<String> = one
            .repeat(3)
            .iter()
            .map(|class| ["norm", "gemm", "c", "d", "attn", "f"][*class as usize].to_owned())
            .collect();
        let types = types(layers.unwrap_or(0));
        let detection = found(&names, &Expected { num_hidden_layers: layers, layer_types: &types });
        check(&detection, names.len());
    }

    /// Up to one kernel in fifty is lost, doubled, or another one: in every third or fourth layer.
    #[test]
    fn a_planted_repeat_is_found(
        layers in 12_usize..40,
        steps in 1_usize..4,
        noise in prop::collection::vec((0_usize..50, 0_u8..3), 0..24),
        configured in any::<bool>(),
    ) {
        let types = types(layers);
        let clean = pass(&types);
        let mut names = times(&clean, steps);
        let mut at = 0;
        for (distance, kind) in noise {
            at += 50 + distance;
            if at + 1 >= names.len() {
                break;
            }
            match kind {
                0 => { names.remove(at); }
                1 => { names.insert(at, names[at].clone()); }
                _ => { names[at] = "something_else".to_owned(); }
            }
        }
        let expected = Expected { num_hidden_layers: configured.then_some(layers), layer_types: &[] };
        let detection = found(&names, &expected);
        check(&detection, names.len());
        prop_assert_eq!(detection.layers, Some(layers), "{:?}", detection);
        prop_assert_eq!(detection.passes.iter().filter(|pass| pass.complete).count(), steps, "{:?}", detection);
    }
}

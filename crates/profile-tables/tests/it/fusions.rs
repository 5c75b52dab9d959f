//! Fusions in the document: what the catalogue finds on a stream reaches the table of its stage.

use tempfile::TempDir;

use crate::generated::Sketch;
use crate::run::{document, run};

#[test]
fn a_split_and_a_present_fusion_are_told_apart() {
    let folder = TempDir::new().expect("a folder");
    let mut sketch = Sketch::new().head(r#""distributedInfo": {"rank": 0, "world_size": 8}, "#);
    for layer in 0..4 {
        let at = layer * 100;
        sketch = sketch
            .kernel(
                "void multimem_all_reduce_kernel<c10::BFloat16, 16>(int)",
                7,
                at,
                at + 10,
                30,
            )
            .kernel(
                "void vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(int)",
                7,
                at + 1,
                at + 40,
                10,
            );
    }
    let path = sketch.write(&folder, "a.json");
    let document = document(&[&path]);
    let rows = document["data"]["stages"][0]["fuse_table"]
        .as_array()
        .expect("rows");
    let find = |pattern: &str| {
        rows.iter().find(|row| {
            row["pattern"]
                .as_str()
                .is_some_and(|name| name.starts_with(pattern))
        })
    };
    let split = find("all-reduce + RMSNorm").expect("the all-reduce is not fused with the norm");
    assert_eq!(split["state"], "split");
    assert_eq!(split["occurrences"], 4);
    // Only the norm vanishes: four times ten microseconds.
    assert_eq!(split["related_ns"], 40_000);
    assert!(
        split["estimated_saving_ns"]
            .as_i64()
            .is_some_and(|saving| saving > 0 && saving <= 40_000)
    );
    let present = find("residual add + RMSNorm").expect("the norm adds the residual");
    assert_eq!(present["state"], "present");
    assert_eq!(present["occurrences"], 4);
    assert!(present["estimated_saving_ns"].is_null());
}

/// Four layers of an activation and a product in two kernels, each launched `apart` us after the one before.
fn split_activation(apart: u32) -> Sketch {
    let mut sketch = Sketch::new().range("user_annotation", "step[DECODE bs=4]", 0, 100_000);
    let product = "void at::native::vectorized_elementwise_kernel<4, at::native::BinaryFunctor<c10::BFloat16, c10::BFloat16, c10::BFloat16, at::native::binary_internal::MulFunctor<float>>>(int)";
    let silu = "void at::native::vectorized_elementwise_kernel<4, at::native::silu_kernel(at::TensorIteratorBase&)::{lambda()#1}>(int)";
    for (place, name) in (0..12).zip([silu, product, "nvjet_tst_64x64"].into_iter().cycle()) {
        let launched = 10 + place * apart;
        sketch = sketch.kernel(name, 7, launched, (launched + 5).max(20 + place * 11), 10);
    }
    sketch
}

#[test]
fn under_a_path_of_the_host_a_fusion_shortens_nothing() {
    let folder = TempDir::new().expect("a folder");
    let row = |path: &str| {
        let document = document(&[path]);
        let rows = document["data"]["stages"][0]["fuse_table"]
            .as_array()
            .expect("rows")
            .clone();
        let split = rows.into_iter().find(|row| row["state"] == "split");
        (split.expect("a split row"), document)
    };
    // Each kernel has ended before the next one is launched: the host is all of the path but for the last kernel.
    let waits = split_activation(100).write(&folder, "waits.json");
    let (split, found) = row(&waits);
    assert!(split["estimated_saving_ns"].as_i64() > Some(0), "{split}");
    assert_eq!(split["shortens_ns"], 0);
    let actions = found["next_actions"].to_string();
    assert!(!actions.contains("saves"), "{actions}");
    let text = run(&[&waits]).expect("a report").view().to_markdown();
    assert!(
        text.contains("| nothing |") && text.contains("The host is the limit"),
        "{text}"
    );
    // Launched ahead, the same kernels are the path.
    let (split, found) = row(&split_activation(1).write(&folder, "runs.json"));
    assert_eq!(split["shortens_ns"], split["estimated_saving_ns"]);
    let actions = found["next_actions"].to_string();
    assert!(actions.contains("saves"), "{actions}");
}

#[test]
fn what_is_fused_already_is_one_line() {
    let folder = TempDir::new().expect("a folder");
    let path = Sketch::new()
        .kernel(
            "void vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(int)",
            7,
            1,
            10,
            10,
        )
        .write(&folder, "a.json");
    let text = run(&[&path]).expect("a report").view().to_markdown();
    assert!(text.contains("\nfused already: "), "{text}");
    assert!(!text.contains("| split fusion |"), "{text}");
}

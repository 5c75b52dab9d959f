//! Fusions in the document: what the catalogue finds on a stream reaches the table of its stage.

use tempfile::TempDir;

use crate::generated::Sketch;
use crate::run::document;

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

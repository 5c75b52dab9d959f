//! Real reports: classes and edits that were the right ones, two pairs, and captures that say too little.

use serde_json::Value;

use crate::run::{also, document, edit, real, refused, run, warnings};

/// Class of the kernel that the decision is about.
fn bound(document: &Value) -> (Option<&str>, Option<&str>) {
    let kernels = document["data"]["kernels"].as_array().expect("a list");
    let focus = kernels
        .iter()
        .find(|kernel| kernel["index"] == document["data"]["focus"]);
    let focus = focus.expect("it is listed");
    (focus["bound"].as_str(), focus["sub_bound"].as_str())
}

#[test]
fn the_ladder_of_a_matrix_product() {
    for (name, id) in [
        ("01_naive", "E05"),
        ("02_coalesce_memory", "E07"),
        ("03_tiled", "E08"),
        ("04_4x_coarsen_tiled", "E08"),
        ("07_vectorize", "E06"),
    ] {
        let Some(path) = real(&format!("rtx4060_2024.1.1_sgemm2048_{name}")) else {
            return;
        };
        let document = document(&[&path]);
        assert_eq!(
            (edit(&document), bound(&document)),
            (id, (Some("memory"), Some("l1"))),
            "{name}"
        );
        // Each has a kernel before it that only warms up.
        assert_ne!(
            document["data"]["next_edit"]["kernel"],
            "warm_up_kernel(float *, int)"
        );
    }
}

fn roofline(document: &Value, name: &str) -> f64 {
    let kernels = document["data"]["kernels"].as_array().expect("a list");
    let focus = kernels
        .iter()
        .find(|kernel| kernel["index"] == document["data"]["focus"]);
    let value = focus.and_then(|kernel| kernel["roofline"][name]["value"].as_f64());
    (value.expect("a number") * 100.0).round() / 100.0
}

#[test]
fn miniweather_and_its_rooflines() {
    let Some(path) = real("v100_2022.2.0_miniweather_baseline") else {
        return;
    };
    let before = document(&[&path, "--kernel", "x_279"]);
    assert_eq!((edit(&before), bound(&before)), ("E04", (Some("compute"), None)));
    assert_eq!((roofline(&before, "flops_per_s") / 1e12 * 100.0).round(), 345.0);
    assert_eq!(
        (roofline(&before, "intensity"), roofline(&before, "ridge")),
        (8.63, 7.39)
    );
    let path = real("v100_2022.2.0_miniweather_divtomult").expect("the other side");
    let after = document(&[&path, "--kernel", "x_279"]);
    // At 80.7 % of device memory more warps would change nothing.
    assert_eq!((edit(&after), also(&after)), ("E13", vec!["E11", "E12"]));
    let path = real("rtx4060_2024.1.1_sgemm2048_07_vectorize").expect("a report");
    let sgemm = document(&[&path]);
    assert_eq!((roofline(&sgemm, "flops_per_s") / 1e12 * 100.0).round(), 730.0);
    assert_eq!(
        (roofline(&sgemm, "intensity").round(), roofline(&sgemm, "ridge")),
        (228.0, 51.6)
    );
}

#[test]
fn qknorm_before_and_after() {
    let (Some(a), Some(b)) = (
        real("b200_2025.3.1_qknorm_base_qwen4096_full"),
        real("b200_2025.3.1_qknorm_cand_qwen4096_v3_full"),
    ) else {
        return;
    };
    let base = document(&[&a]);
    assert_eq!((edit(&base), bound(&base)), ("E05b", (Some("latency"), None)));
    assert_eq!(
        (roofline(&base, "intensity"), roofline(&base, "ridge")),
        (4.15, 5.23)
    );
    assert_eq!(
        refused(&[&a, "--candidate", &b]),
        ("ambiguous-kernel".to_owned(), 3)
    );
    let pair = document(&[&a, "--candidate", &b, "--pair", "qknorm_rope_warp=2head"]);
    let first = &pair["data"]["comparison"]["pairs"][0];
    assert_eq!(
        (first["verdict"].as_str(), &first["provisional"]),
        (Some("faster"), &Value::Bool(true))
    );
    assert!((first["duration_delta_pct"].as_f64().expect("a number") + 15.07).abs() < 0.01);
    // The loads were what the edit was about.
    let bytes = first["metrics"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|moved| moved["name"] == "memory.bytes_per_sector");
    assert!(bytes.is_some_and(|moved| moved["candidate"].as_f64() > Some(31.0)));
    let source = real("b200_2025.3.1_qknorm_base_qwen4096_source").expect("a report");
    assert_eq!(
        refused(&[&a, "--candidate", &source]),
        ("set-mismatch".to_owned(), 3)
    );
}

#[test]
fn miniweather_with_controls_and_drifting_clocks() {
    let (Some(a), Some(b)) = (
        real("v100_2022.2.0_miniweather_baseline"),
        real("v100_2022.2.0_miniweather_divtomult"),
    ) else {
        return;
    };
    let document = document(&[&a, "--candidate", &b]);
    let pairs = document["data"]["comparison"]["pairs"]
        .as_array()
        .expect("a list");
    let seen: Vec<_> = pairs
        .iter()
        .map(|pair| {
            let name = pair["baseline"]["key"]
                .as_str()
                .expect("a name")
                .trim_end_matches("_gpu");
            let text = |field: &str| pair[field].as_str().expect("a word");
            (
                name,
                text("duration_verdict"),
                text("verdict"),
                pair["is_control"] == true,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("compute_tendencies_x_279", "faster", "faster", false),
            ("semi_discrete_step_232", "no_change", "no_change", true),
            ("compute_tendencies_x_309", "no_change", "no_change", true),
            // +6.8 and +12.4 % of the time at clocks a tenth slower, -3.2 and +1.7 % of the cycles.
            ("set_halo_values_x_419", "clock_drift", "no_change", true),
            ("set_halo_values_x_396", "clock_drift", "no_change", true),
        ]
    );
    assert!((pairs[0]["duration_delta_pct"].as_f64().expect("a number") + 43.75).abs() < 0.01);
}

#[test]
fn captures_that_say_too_little() {
    for name in [
        "a100_2020.3.1_extrap_s10",
        "a100_2020.3.1_extrap_s100000",
        "b200_2025.3.1_qknorm_base_qwen4096_source",
    ] {
        let Some(path) = real(name) else {
            return;
        };
        assert_eq!(refused(&[&path]), ("missing-section".to_owned(), 3), "{name}");
    }
    for (name, class) in [
        ("b200_2025.2.1_int8gemm_algo64_basic", (Some("latency"), None)),
        ("rtx3070_2022.3.0_vecadd", (Some("latency"), Some("small"))),
        ("rtx3070_2022.3.0_manual_nvtx", (Some("memory"), Some("dram"))),
    ] {
        let path = real(name).expect("a report");
        assert_eq!(run(&[&path]).expect("a page").exit().code(), 5, "{name}");
        let document = document(&[&path]);
        assert_eq!((edit(&document), bound(&document)), ("none", class), "{name}");
    }
}

#[test]
fn an_export_says_the_same_without_rules() {
    let Some(path) = real("b200_2025.3.1_qknorm_base_qwen4096_full") else {
        return;
    };
    let report = document(&[&path]);
    let csv = path
        .replace("/reports/", "/csv/")
        .replace("_full.ncu-rep", ".raw.csv");
    let export = document(&[&csv]);
    assert_eq!(bound(&export), bound(&report));
    // E05b needs an estimate, which a CSV does not hold.
    assert_eq!(edit(&export), "E12");
    assert!(warnings(&export).contains(&"rules-not-stored"));
    let pct = |document: &Value| {
        document["data"]["kernels"][0]["sol"]["sm_pct"]["value"]
            .as_f64()
            .expect("a number")
    };
    assert!((pct(&report) - pct(&export)).abs() < 0.01);
}

//! Names of kernels: safe to print, a key to match by, and what they tell.

use std::sync::LazyLock;

use contracts::text::clean;
use ncu_report::Kernel;
use regex::Regex;

/// Longest name that enters a document, in bytes.
const NAME_CAP: usize = 500;
/// Longest key: templates of CUTLASS differ far behind.
const KEY_CAP: usize = 2000;

/// Full name for a document.
pub(crate) fn name(kernel: &Kernel) -> String {
    clean(full(kernel), NAME_CAP)
}

fn full(kernel: &Kernel) -> &str {
    if kernel.demangled.is_empty() {
        &kernel.function
    } else {
        &kernel.demangled
    }
}

/// Whether a pattern finds the kernel.
pub(crate) fn matches(kernel: &Kernel, pattern: &Regex) -> bool {
    pattern.is_match(&kernel.function) || pattern.is_match(full(kernel))
}

/// Function and template arguments: no result type, no parameters, no casts of template values.
pub(crate) fn key(kernel: &Kernel) -> String {
    static CAST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\((?:unsigned |signed )?[a-z ]{3,18}\)(-?\d)").expect("the pattern is valid")
    });
    let name = clean(full(kernel), KEY_CAP)
        .replace("(anonymous namespace)", "<unnamed>")
        .replace("{anonymous}", "<unnamed>");
    let name = without_parameters(&name);
    let name = name.strip_prefix("void ").unwrap_or(name);
    CAST.replace_all(name, "$1").into_owned()
}

/// Cuts at the parenthesis that opens the parameters: the first one outside of template arguments.
fn without_parameters(name: &str) -> &str {
    let mut depth = 0_u32;
    for (at, c) in name.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            '(' if depth == 0 && at > 0 => return name[..at].trim_end(),
            _ => {}
        }
    }
    name
}

/// A key for a view: without the namespace that has no name, and with its middle left out, for both ends tell.
pub(crate) fn short(key: &str, cap: usize) -> String {
    let key = key.strip_prefix("<unnamed>::").unwrap_or(key);
    let chars: Vec<char> = key.chars().collect();
    if chars.len() <= cap {
        return key.to_owned();
    }
    let tail = cap / 3;
    let head: String = chars[..cap - tail - 1].iter().collect();
    let tail: String = chars[chars.len() - tail..].iter().collect();
    format!("{head}…{tail}")
}

/// A kernel that exchanges data between GPUs: replayed on its own it waits for ever, and its counters are not to be trusted.
pub(crate) fn is_collective(name: &str) -> bool {
    static COLLECTIVE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i:nccl|rccl|reduce_?scatter|(?:^|[^a-z])all_?(?:reduce|gather|to_?all))|[a-z]All(?:Reduce|Gather|ToAll)")
            .expect("the pattern is valid")
    });
    COLLECTIVE.is_match(name)
}

/// A kernel that only prepares: warms up, fills, draws random numbers. `prefill` is none of them.
pub(crate) fn is_decoy(name: &str) -> bool {
    static DECOY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)warm_?up|(?:^|[^a-z])fill|random|curand|philox|distribution_elementwise|memset|poison|(?:^|[^a-z])init(?:iali[sz](?:e|ation))?(?:[^a-z]|$)",
        )
        .expect("the pattern is valid")
    });
    DECOY.is_match(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(demangled: &str) -> Kernel {
        Kernel {
            demangled: demangled.to_owned(),
            ..Kernel::default()
        }
    }

    #[test]
    fn keys_have_templates_and_no_parameters() {
        for (name, expected) in [
            (
                "void tiled_matmul<(unsigned int)32>(const float *, float *)",
                "tiled_matmul<32>",
            ),
            ("naive_matmul(const float *, int)", "naive_matmul"),
            (
                "void <unnamed>::warp<(long)128, (bool)0>(T *)",
                "<unnamed>::warp<128, 0>",
            ),
            (
                "void (anonymous namespace)::warp<f(int)>(T *)",
                "<unnamed>::warp<f(int)>",
            ),
            ("VecAdd_kernel", "VecAdd_kernel"),
            ("(", "("),
        ] {
            assert_eq!(key(&named(name)), expected);
        }
    }

    #[test]
    fn names_are_safe_to_print() {
        let name = name(&named("evil\u{1b}[2J\u{202e}<x>\n(int)"));
        assert_eq!(name, "evil <x> (int)");
        assert!(super::name(&named(&"x".repeat(10_000))).len() < 600);
    }

    #[test]
    fn short_names_keep_both_ends() {
        assert_eq!(short("<unnamed>::warp<128>", 20), "warp<128>");
        assert_eq!(short("compute_tendencies_x_279_gpu", 20), "compute_tende…79_gpu");
        assert_eq!(short("ééééé", 4), "éé…é");
    }

    #[test]
    fn what_names_tell() {
        for name in [
            "ncclDevKernel_AllReduce_Sum_bf16_RING_LL",
            "cross_device_reduce_scatter_1stage",
        ] {
            assert!(is_collective(name), "{name}");
        }
        for name in [
            "warm_up_kernel",
            "FillFunctor",
            "init_array",
            "distribution_elementwise_grid_stride_kernel",
        ] {
            assert!(is_decoy(name), "{name}");
        }
        for name in [
            "BatchPrefillWithRaggedKV",
            "flash_prefill",
            "layer_norm_infer",
            "gemm",
            "initial_scan",
        ] {
            assert!(!is_decoy(name) && !is_collective(name), "{name}");
        }
        for name in [
            "ncclDevKernel_AllReduce_Sum_f32",
            "cross_device_all_reduce",
            "oneShotAllReduceKernel",
            "allreduce_fusion_kernel",
        ] {
            assert!(is_collective(name), "{name}");
        }
        for name in ["small_reduce_kernel", "overall_gather", "tall_to_all_gemm"] {
            assert!(!is_collective(name), "{name}");
        }
    }
}

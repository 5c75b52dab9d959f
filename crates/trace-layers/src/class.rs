//! Kernel names as small numbers: one class for all tile variants of a kernel.

use std::ops::Range;

use rustc_hash::FxHashMap;

/// What a kernel does, as far as finding layers needs it. Tables take families from `torch-trace`, not from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Norm,
    Gemm,
    Attention,
    Other,
}

/// A sequence of kernels: for each its class, and for each class its kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sequence {
    /// Class of each kernel, in start order.
    pub(crate) classes: Vec<u32>,
    /// Kind of each class.
    pub(crate) kinds: Vec<Kind>,
}

impl Sequence {
    /// Interns the names. Each distinct name is looked at once.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Sequence {
        let mut by_name: FxHashMap<&str, u32> = FxHashMap::default();
        let mut by_key: FxHashMap<String, u32> = FxHashMap::default();
        let mut sequence = Sequence::default();
        for name in names {
            let class = *by_name.entry(name).or_insert_with(|| {
                let next = by_key.len() as u32;
                *by_key.entry(key(name)).or_insert_with(|| {
                    sequence.kinds.push(kind(name));
                    next
                })
            });
            sequence.classes.push(class);
        }
        sequence
    }

    /// The same classes on a part of the kernels.
    pub(crate) fn part(&self, kernels: Range<usize>) -> Sequence {
        Sequence {
            classes: self.classes[kernels].to_vec(),
            kinds: self.kinds.clone(),
        }
    }

    /// Number of classes.
    pub(crate) fn class_count(&self) -> usize {
        self.kinds.len()
    }

    /// Kind of a class.
    pub(crate) fn kind(&self, class: u32) -> Kind {
        self.kinds[class as usize]
    }

    /// Whether two classes differ but do the same work: two norms, two GEMMs, two attentions.
    pub(crate) fn kin(&self, a: u32, b: u32) -> bool {
        let kind = self.kind(a);
        kind != Kind::Other && kind == self.kind(b)
    }
}

/// A layer, or a group of layers, that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// Its kernels.
    pub(crate) kernels: Vec<u32>,
    /// For each class, whether it is one of them.
    ours: Vec<bool>,
}

impl Template {
    pub(crate) fn new(sequence: &Sequence, kernels: Vec<u32>) -> Template {
        let mut ours = vec![false; sequence.class_count()];
        for class in &kernels {
            ours[*class as usize] = true;
        }
        Template { kernels, ours }
    }

    /// Its length, in kernels.
    pub(crate) fn period(&self) -> usize {
        self.kernels.len()
    }

    /// How many of these kernels are none of its own.
    pub(crate) fn foreign(&self, classes: &[u32]) -> usize {
        classes
            .iter()
            .filter(|class| !self.ours[**class as usize])
            .count()
    }
}

/// Longest part of a name that is looked at.
const MAX_NAME: usize = 4096;

/// The name without its digits, which hold tile sizes and element widths. Template arguments stay: the functor of an
/// element-wise kernel stands in them.
fn key(name: &str) -> String {
    name.chars()
        .take(MAX_NAME)
        .filter(|c| !c.is_ascii_digit())
        .collect()
}

/// The first kind whose words are in the name.
fn kind(name: &str) -> Kind {
    const NORM: [&str; 2] = ["norm", "rsqrt"];
    const ATTENTION: [&str; 8] = [
        "attention",
        "attn",
        "fmha",
        "flash_fwd",
        "flashfwd",
        "mla_",
        "pagedkv",
        "sdpa",
    ];
    const GEMM: [&str; 7] = ["gemm", "nvjet", "cijk_", "matmul", "xmma", "cublas", "bmm_"];
    let name: String = name
        .chars()
        .take(MAX_NAME)
        .collect::<String>()
        .to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&NORM) && !name.contains("renorm") {
        Kind::Norm
    } else if has(&ATTENTION) {
        Kind::Attention
    } else if has(&GEMM) {
        Kind::Gemm
    } else {
        Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tile_variants_share_a_class_and_functors_do_not() {
        let names = [
            "Cijk_Alik_Bljk_BBS_MT256x32x64_MI16x16x1",
            "Cijk_Alik_Bljk_BBS_MT128x256x64_MI16x16x1",
            "elementwise_kernel<128, 4, AddFunctor<float>>",
            "elementwise_kernel<128, 4, MulFunctor<float>>",
        ];
        let sequence = Sequence::new(names.into_iter());
        assert_eq!(sequence.classes, [0, 0, 1, 2]);
        assert_eq!(sequence.kind(0), Kind::Gemm);
        assert!(!sequence.kin(1, 2));
    }

    #[test]
    fn kinds_come_from_words() {
        assert_eq!(kind("vllm::fused_add_rms_norm_kernel<c10::BFloat16>"), Kind::Norm);
        assert_eq!(kind("moe::dev::routing::routingRenormalize::kernel"), Kind::Other);
        assert_eq!(kind("fmhaSm100aKernel_QkvBfloat16"), Kind::Attention);
        assert_eq!(kind("nvjet_tst_64x8_64x16_4x1"), Kind::Gemm);
    }
}

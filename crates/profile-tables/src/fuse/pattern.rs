//! One row of the catalogue.

use serde::Deserialize;
use torch_trace::family::Family;
use torch_trace::name_pattern::{NamePattern, Part, Words, fits};

/// A kind of kernel: a family, words of its name, or both.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// The family it must be of; any where absent.
    #[serde(default)]
    pub family: Option<Family>,
    /// Where the words are looked for: the function, or its template arguments, too.
    #[serde(default, rename = "in")]
    part: Part,
    /// Each must match.
    #[serde(default)]
    all: Vec<NamePattern>,
    /// One must match; empty asks for nothing.
    #[serde(default)]
    any: Vec<NamePattern>,
    /// None may match.
    #[serde(default)]
    not: Vec<NamePattern>,
}

impl Kernel {
    /// Whether the words of a name fit; the family is not looked at.
    pub(super) fn fits(&self, words: &Words) -> bool {
        fits(words, self.part, &self.all, &self.any, &self.not)
    }

    /// Whether it asks for something at all.
    pub(super) fn is_specific(&self) -> bool {
        self.family.is_some() || !self.all.is_empty() || !self.any.is_empty()
    }
}

/// One kernel of a split sequence.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name of the kind of kernel, in the catalogue's `kernels`.
    pub is: String,
    /// Present where the fusion removes this kernel: how many of its passes over memory then no longer happen, and of
    /// how many; 0 where only the cost of a launch goes.
    #[serde(default)]
    pub saves: Option<(u32, u32)>,
    /// The sequence is found without it, too.
    #[serde(default)]
    pub optional: bool,
}

/// Number formats that a fusion may be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dtype {
    /// bfloat16.
    Bf16,
    /// IEEE half precision.
    F16,
    /// 8-bit floats (e4m3, e5m2), with scales of any granularity.
    Fp8,
    /// 4-bit floats (NVFP4, MXFP4).
    Fp4,
}

/// When a fusion can run. Empty or absent asks for nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// One of these must be in use.
    pub dtype: Vec<Dtype>,
    /// Ranks at least, of tensor parallelism.
    pub min_tp: Option<u32>,
    /// Architectures by their beginning: `sm90`, `sm10`, `gfx`.
    pub gpu_arch: Vec<String>,
}

/// Where the fusion was read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `owner/name` on GitHub.
    pub repo: String,
    /// File in it.
    pub path: String,
    /// Commit or release tag of the version that was read.
    pub at: String,
}

/// A known fusion.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Name for tables.
    pub name: String,
    /// Kernels that stand one after another on a stream where the fusion is missing.
    pub split: Vec<Step>,
    /// Kinds of kernels that may stand between them.
    #[serde(default)]
    pub skip: Vec<String>,
    /// The fused kernel, where it has a name of its own.
    #[serde(default)]
    pub fused: Option<Kernel>,
    /// Names of fused kernels.
    #[serde(default)]
    pub present: Vec<String>,
    /// Engines that have it.
    pub engines: Vec<String>,
    /// When it can run.
    #[serde(default)]
    pub conditions: Conditions,
    /// Where it was read.
    pub source: Source,
    /// Whether that file was opened and says so.
    pub verified: bool,
    /// What the fusion does, in one line.
    pub rationale: String,
    /// Sequences of kernel names that are this pattern, split.
    pub matches: Vec<Vec<String>>,
    /// Sequences that look like it and are not.
    pub near_misses: Vec<Vec<String>>,
}

/// Architecture of a GPU by its name in a trace, as the catalogue's conditions spell it.
pub fn gpu_arch(gpu: &str) -> Option<&'static str> {
    const ARCHITECTURES: [(&str, &str); 18] = [
        ("V100", "sm70"),
        ("A100", "sm80"),
        ("A800", "sm80"),
        ("L40", "sm89"),
        ("4090", "sm89"),
        ("H100", "sm90"),
        ("H200", "sm90"),
        ("H800", "sm90"),
        ("H20", "sm90"),
        ("GH200", "sm90"),
        ("B300", "sm103"),
        ("B200", "sm100"),
        ("B100", "sm100"),
        ("MI2", "gfx90a"),
        ("MI30", "gfx942"),
        ("MI32", "gfx942"),
        ("MI35", "gfx950"),
        ("PRO 6000", "sm120"),
    ];
    ARCHITECTURES
        .iter()
        .find(|(mark, _)| gpu.contains(mark))
        .map(|(_, arch)| *arch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_of_real_traces_have_an_architecture() {
        for (gpu, arch) in [
            ("NVIDIA B200", Some("sm100")),
            ("NVIDIA GB300", Some("sm103")),
            ("NVIDIA H100 80GB HBM3", Some("sm90")),
            ("NVIDIA A100-SXM4-80GB", Some("sm80")),
            ("AMD Instinct MI300X", Some("gfx942")),
            ("AMD Instinct MI210", Some("gfx90a")),
            ("", None),
        ] {
            assert_eq!(gpu_arch(gpu), arch, "{gpu}");
        }
    }
}

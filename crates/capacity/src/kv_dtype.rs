//! Types of kept keys and values.

use model_config::ModelConfig;

/// How an element of a key or a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvDtype {
    /// Four bytes.
    Fp32,
    /// Two bytes: bfloat16 or float16.
    Bf16,
    /// One byte, one scale for a whole layer, which is not counted.
    Fp8,
    /// One byte, and a four-byte scale for each head of each token.
    Int8,
    /// Half a byte, and a one-byte scale for each 16 elements.
    Nvfp4,
}

impl KvDtype {
    /// All of them.
    pub const ALL: [KvDtype; 5] = [
        KvDtype::Fp32,
        KvDtype::Bf16,
        KvDtype::Fp8,
        KvDtype::Int8,
        KvDtype::Nvfp4,
    ];

    /// As documents print it.
    pub fn name(self) -> &'static str {
        match self {
            KvDtype::Fp32 => "fp32",
            KvDtype::Bf16 => "bf16",
            KvDtype::Fp8 => "fp8",
            KvDtype::Int8 => "int8",
            KvDtype::Nvfp4 => "nvfp4",
        }
    }

    /// From a name as engines, checkpoints and PyTorch write it; `None` for `auto` and what is not known.
    pub fn parse(name: &str) -> Option<KvDtype> {
        let name = name.trim().to_ascii_lowercase();
        Some(match name.strip_prefix("torch.").unwrap_or(&name) {
            "float32" | "fp32" | "float" => KvDtype::Fp32,
            "bfloat16" | "bf16" | "float16" | "fp16" | "half" => KvDtype::Bf16,
            "int8" | "int8_per_token_head" => KvDtype::Int8,
            "nvfp4" | "fp4" | "fp4_e2m1" | "float4_e2m1fn_x2" => KvDtype::Nvfp4,
            fp8 if fp8.starts_with("fp8") || fp8.starts_with("float8") => KvDtype::Fp8,
            _ => return None,
        })
    }

    /// Bytes of one element, without scales.
    pub fn element_bytes(self) -> f64 {
        match self {
            KvDtype::Fp32 => 4.0,
            KvDtype::Bf16 => 2.0,
            KvDtype::Fp8 | KvDtype::Int8 => 1.0,
            KvDtype::Nvfp4 => 0.5,
        }
    }

    /// Bytes of one element of what a model keeps in its own type; two where that is not known.
    pub(crate) fn of_model_bytes(config: &ModelConfig) -> f64 {
        let named = config.weights.dtype.as_deref().and_then(KvDtype::parse);
        named.unwrap_or(KvDtype::Bf16).element_bytes()
    }

    /// Bytes of a key or a value of that many elements, scales included.
    pub fn vector_bytes(self, elements: u64) -> f64 {
        let elements = elements as f64;
        let scales = match self {
            KvDtype::Int8 => 4.0,
            KvDtype::Nvfp4 => (elements / 16.0).ceil(),
            KvDtype::Fp32 | KvDtype::Bf16 | KvDtype::Fp8 => 0.0,
        };
        (elements * self.element_bytes()).ceil() + scales
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_counted() {
        let bytes = KvDtype::ALL.map(|dtype| dtype.vector_bytes(128));
        assert_eq!(bytes, [512.0, 256.0, 128.0, 132.0, 72.0]);
    }

    #[test]
    fn names_are_those_of_engines_and_of_ours() {
        for dtype in KvDtype::ALL {
            assert_eq!(KvDtype::parse(dtype.name()), Some(dtype));
        }
        assert_eq!(KvDtype::parse("torch.float8_e4m3fn"), Some(KvDtype::Fp8));
        assert_eq!(KvDtype::parse("fp8_ds_mla"), Some(KvDtype::Fp8));
        assert_eq!((KvDtype::parse("auto"), KvDtype::parse("")), (None, None));
    }
}

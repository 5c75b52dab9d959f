//! What a report does not say and the caller does.

use crate::error::DigestError;

/// Types that kernels compute in, by the names that people use.
const DTYPES: [&str; 27] = [
    "fp64", "f64", "float64", "double", "fp32", "f32", "float32", "float", "tf32", "fp16", "f16", "float16",
    "half", "bf16", "bfloat16", "fp8", "e4m3", "e5m2", "fp6", "fp4", "nvfp4", "mxfp4", "mxfp8", "int8",
    "int4", "int32", "int64",
];

/// `--declare`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    /// Type that the kernel has to compute in, in lower case.
    pub(crate) dtype: Option<String>,
    /// Operation, in lower case.
    pub(crate) op: Option<String>,
    /// Problem, the same on both sides of a comparison.
    pub(crate) shape: Option<String>,
}

impl Declared {
    /// Reads `NAME=VALUE` words.
    pub(crate) fn read(words: &[String]) -> Result<Declared, DigestError> {
        let mut declared = Declared::default();
        for word in words {
            let bad = || DigestError::Declare(word.clone());
            let (name, value) = word.split_once('=').ok_or_else(bad)?;
            let value = value.trim().to_lowercase();
            if value.is_empty() {
                return Err(bad());
            }
            let field = match name.trim() {
                "dtype" if !DTYPES.contains(&value.as_str()) => return Err(bad()),
                "dtype" => &mut declared.dtype,
                "op" => &mut declared.op,
                "shape" => &mut declared.shape,
                _ => return Err(bad()),
            };
            *field = Some(value);
        }
        Ok(declared)
    }

    pub(crate) fn is_fp64(&self) -> bool {
        matches!(self.dtype.as_deref(), Some("fp64" | "f64" | "float64" | "double"))
    }

    pub(crate) fn is_matmul(&self) -> bool {
        matches!(
            self.op.as_deref(),
            Some("matmul" | "gemm" | "bmm" | "linear" | "conv" | "attention")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let declared = Declared::read(&words(&["dtype=BF16", "op=matmul"])).unwrap();
        assert!(declared.is_matmul() && !declared.is_fp64());
        assert!(Declared::read(&words(&["dtype=double"])).unwrap().is_fp64());
        for bad in ["dtype", "dtype=", "dtype=banana", "colour=red", "="] {
            assert!(Declared::read(&words(&[bad])).is_err(), "{bad}");
        }
    }
}

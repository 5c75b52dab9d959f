//! Mangled C++ names (`_ZN5aiter24add_rmsnorm_quant_kernel…`): HIP traces have many.
//!
//! The identifiers are enough to tell what a kernel is, and they stand in a mangled name with their length in front.
//! Integers and half-width floats among the template arguments tell two of them apart and are kept, too; the rest is
//! stepped over, so this is no demangler.

use super::Anatomy;

/// Longest identifier that is believed; a length above it is a misread number.
const IDENTIFIER_CAP: usize = 512;

/// Anatomy of a mangled name, `None` where `name` is none.
pub(super) fn anatomy(name: &str) -> Option<Anatomy> {
    let body = name.strip_prefix("_Z")?;
    let mut scanner = Scanner { rest: body };
    let mut path: Vec<&str> = Vec::new();
    scanner.skip_all(&['N', 'L', 'K']);
    while let Some(identifier) = scanner.identifier() {
        if !identifier.starts_with("_GLOBAL__N_") {
            path.push(identifier);
        }
        scanner.skip_all(&['L']);
    }
    if path.is_empty() {
        return None;
    }
    // Only template arguments (`I…`) follow that are worth reading; without them the rest is the parameter list.
    let mut arguments: Vec<&str> = Vec::new();
    if scanner.rest.starts_with('I') {
        while !scanner.rest.is_empty() {
            arguments.extend(scanner.identifier().or_else(|| scanner.step()));
        }
    }
    Some(Anatomy {
        path: path.join("::"),
        arguments: arguments.join(", "),
    })
}

struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn skip_all(&mut self, marks: &[char]) {
        self.rest = self.rest.trim_start_matches(marks);
    }

    /// `5aiter`: a length and as many identifier characters.
    fn identifier(&mut self) -> Option<&'a str> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let length: usize = self.rest[..digits].parse().ok()?;
        let text = self.rest.get(digits..digits + length.min(IDENTIFIER_CAP))?;
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if length > IDENTIFIER_CAP || !starts || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            return None;
        }
        self.rest = &self.rest[digits + length..];
        Some(text)
    }

    /// Past one thing that is no identifier, so that its digits are not taken for a length. Returns it where it is a
    /// value or type that [`Anatomy::arguments`] keeps.
    fn step(&mut self) -> Option<&'a str> {
        let bytes = self.rest.as_bytes();
        let digits_from = |at: usize| {
            bytes[at.min(bytes.len())..]
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count()
        };
        let length = match (bytes[0], bytes.get(1)) {
            // A literal, `Li256E`, `Lb1E`, `Ln5E`; of an enumeration (`LN…E3E`) only the mark, its name is an identifier.
            (b'L', Some(kind)) if kind.is_ascii_lowercase() => 2 + digits_from(2),
            // The value that closes such an enumeration literal.
            (b'E', Some(b'0'..=b'9')) => 1 + digits_from(1),
            // _Float16 and friends, `DF16b`.
            (b'D', Some(b'F')) => 2 + digits_from(2),
            // Substitutions and template parameters, `S3_`, `SA_`, `T0_`.
            (b'S' | b'T', Some(next)) if next.is_ascii_digit() => 1 + digits_from(1),
            // A digit that began no identifier.
            (b'0'..=b'9', _) => digits_from(0),
            _ => self.rest.chars().next().map_or(1, char::len_utf8),
        };
        let (skipped, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        match skipped {
            "DF16" => self.rest.starts_with('b').then_some("bf16").or(Some("f16")),
            _ => skipped.strip_prefix("Li").filter(|number| !number.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(name: &str) -> (String, String) {
        let anatomy = anatomy(name).unwrap();
        (anatomy.path, anatomy.arguments)
    }

    #[test]
    fn identifiers_are_read_and_numbers_are_not() {
        assert_eq!(
            parts(
                "_ZN5aiter24add_rmsnorm_quant_kernelIDF16bDF16bLi256ELi16ELb1ELb0ELb1ELi1EEEvPT0_PT_PfS4_diiib"
            ),
            (
                "aiter::add_rmsnorm_quant_kernel".to_owned(),
                "bf16, bf16, 256, 16, 1".to_owned()
            )
        );
        assert_eq!(
            parts(
                "_ZN7sgl_hip10activation18act_and_mul_kernelI14__hip_bfloat16TnPFT_RKS3_EXadL_Z4siluIS2_ES3_S5_EEEEvPS3_PS4_i"
            ),
            (
                "sgl_hip::activation::act_and_mul_kernel".to_owned(),
                "__hip_bfloat16, silu".to_owned()
            )
        );
        assert_eq!(
            parts(
                "_ZN7ck_tile6kentryILi2ENS_7FmhaFwdINS_9PrefillQRINS_8sequenceIJLi128ELi32EEEENS_4EnumE1ELb0EEEEEEEvv"
            ),
            (
                "ck_tile::kentry".to_owned(),
                "2, FmhaFwd, PrefillQR, sequence, 128, 32, Enum".to_owned()
            )
        );
        assert_eq!(parts("_Z9my_kernelPfS_i").0, "my_kernel");
        assert_eq!(parts("_ZN12_GLOBAL__N_13fooEv").0, "foo");
    }

    #[test]
    fn what_is_not_mangled_is_left_alone() {
        for name in [
            "_Z",
            "_ZN",
            "triton_poi_fused",
            "_ZN9short",
            "_Z99999999999999999999foo",
        ] {
            assert!(anatomy(name).is_none(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(tail in "[A-Z0-9a-z_é]{0,60}") {
            let _ = anatomy(&format!("_Z{tail}"));
            let _ = anatomy(&format!("_Z3fooI{tail}"));
        }
    }
}

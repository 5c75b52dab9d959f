//! A number that is never NaN or infinite, so that no quotient can put one into a document.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// A finite number, rounded to six decimals: nanoseconds of a millisecond, and as much as any of our
/// measurements carries.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Finite(f64);

impl Finite {
    /// `None` for NaN and infinities: the caller has to say what an undefined value means.
    pub fn new(value: f64) -> Option<Finite> {
        if !value.is_finite() {
            return None;
        }
        // Beyond 2^53 / 1e6 the scaled value has no fraction left to round, and may overflow.
        let rounded = if value.abs() < 9.0e9 {
            (value * 1e6).round() / 1e6
        } else {
            value
        };
        // -0.0 would print as "-0.0".
        Some(Finite(rounded + 0.0))
    }

    /// The quotient, or `None` where it is undefined.
    pub fn ratio(numerator: f64, denominator: f64) -> Option<Finite> {
        Finite::new(numerator / denominator)
    }

    /// The value.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl From<Finite> for f64 {
    fn from(value: Finite) -> f64 {
        value.0
    }
}

impl From<u32> for Finite {
    fn from(value: u32) -> Finite {
        Finite(f64::from(value))
    }
}

impl fmt::Display for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for Finite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Finite, D::Error> {
        let value = f64::deserialize(deserializer)?;
        if value.is_finite() {
            Ok(Finite(value))
        } else {
            Err(D::Error::custom("number is not finite"))
        }
    }
}

impl JsonSchema for Finite {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Finite".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        f64::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_json_cannot_say() {
        assert_eq!(Finite::new(f64::NAN), None);
        assert_eq!(Finite::new(f64::INFINITY), None);
        assert_eq!(Finite::ratio(1.0, 0.0), None);
    }

    #[test]
    fn rounds_to_six_decimals_and_has_no_negative_zero() {
        assert_eq!(Finite::new(1.234_567_89).map(Finite::get), Some(1.234_568));
        assert_eq!(serde_json::to_string(&Finite::new(-0.000_000_01)).unwrap(), "0.0");
    }
}

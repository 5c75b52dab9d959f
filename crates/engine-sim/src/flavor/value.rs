//! Values of flags, and complaints about them in the words of Python's argparse, which both engines use.

use std::fmt::Display;

use super::flags::Flavor;
use crate::SimError;

/// Reads the values of one engine's flags.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values {
    program: &'static str,
}

impl Values {
    pub(super) fn of(flavor: Flavor) -> Values {
        Values {
            program: match flavor {
                Flavor::Sglang => "launch_server.py",
                Flavor::Vllm => "vllm serve",
            },
        }
    }

    /// A complaint of argparse.
    pub(super) fn wrong(self, message: impl Display) -> SimError {
        SimError::EngineUsage {
            line: format!("{}: error: {message}", self.program),
        }
    }

    /// A complaint about the value of one flag.
    pub(super) fn bad(self, flag: &str, message: impl Display) -> SimError {
        self.wrong(format_args!("argument {flag}: {message}"))
    }

    /// A whole number of at least `least`.
    pub(super) fn whole(
        self,
        flag: &str,
        text: Option<&String>,
        least: i64,
    ) -> Result<Option<i64>, SimError> {
        let Some(text) = text else { return Ok(None) };
        let value: i64 = text
            .trim()
            .parse()
            .map_err(|_| self.bad(flag, format_args!("invalid int value: '{text}'")))?;
        // Far beyond anything that is simulated, and far from overflowing a sum.
        if value < least || value > 1 << 40 {
            return Err(self.bad(flag, format_args!("expected at least {least}, got {value}")));
        }
        Ok(Some(value))
    }

    /// A finite number.
    pub(super) fn number(self, flag: &str, text: Option<&String>) -> Result<Option<f64>, SimError> {
        let Some(text) = text else { return Ok(None) };
        match text.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(value)),
            _ => Err(self.bad(flag, format_args!("invalid float value: '{text}'"))),
        }
    }

    /// One of a few words.
    pub(super) fn choice<'a>(
        self,
        flag: &str,
        text: Option<&'a String>,
        choices: &[&str],
    ) -> Result<Option<&'a str>, SimError> {
        let Some(text) = text else { return Ok(None) };
        if choices.contains(&text.as_str()) {
            return Ok(Some(text));
        }
        let quoted: Vec<String> = choices.iter().map(|choice| format!("'{choice}'")).collect();
        let list = quoted.join(", ");
        Err(self.bad(
            flag,
            format_args!("invalid choice: '{text}' (choose from {list})"),
        ))
    }
}

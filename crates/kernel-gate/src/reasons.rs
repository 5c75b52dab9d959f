//! Reasons, as they are found.

use contracts::kernel_gate::verdict::{Effect, Reason};

/// Most rows that one reason names.
const MOST_ROWS: usize = 20;

/// All reasons.
#[derive(Debug, Default)]
pub(crate) struct Reasons(pub(crate) Vec<Reason>);

impl Reasons {
    /// A reason about the whole.
    pub(crate) fn add(&mut self, effect: Effect, code: &str, message: impl Into<String>) {
        self.0.push(Reason {
            code: code.to_owned(),
            effect,
            message: message.into(),
            rows: Vec::new(),
        });
    }

    /// A reason about rows; none where there are no rows. `message` goes on from "N rows".
    pub(crate) fn rows(&mut self, effect: Effect, code: &str, rows: &[&str], message: impl AsRef<str>) {
        self.0.extend(about(effect, code, rows, message.as_ref()));
    }

    /// The same before all others of its effect.
    pub(crate) fn lead(&mut self, effect: Effect, code: &str, rows: &[&str], message: &str) {
        self.0.splice(0..0, about(effect, code, rows, message));
    }
    /// Whether any reason has this effect.
    pub(crate) fn any(&self, effect: Effect) -> bool {
        self.0.iter().any(|reason| reason.effect == effect)
    }

    /// The gravest first; within one effect as they were found.
    pub(crate) fn sorted(mut self) -> Vec<Reason> {
        self.0.sort_by_key(|reason| reason.effect);
        self.0
    }
}

fn about(effect: Effect, code: &str, rows: &[&str], message: &str) -> Option<Reason> {
    let count = match rows.len() {
        0 => return None,
        1 => "1 row".to_owned(),
        many => format!("{many} rows"),
    };
    Some(Reason {
        code: code.to_owned(),
        effect,
        message: format!("{count}: {message}"),
        rows: rows.iter().take(MOST_ROWS).map(|row| (*row).to_owned()).collect(),
    })
}

//! One configuration while it is read: its lists fitted to its layers, and what they gave cause to warn of.

use serde_json::{Map, Value};

use crate::json;
use crate::warning::ConfigWarning;

/// The object of the language model, its layer count, and the warnings so far.
pub(crate) struct Reader<'a> {
    /// The object that names the layers.
    pub(crate) object: &'a Map<String, Value>,
    /// Layers without those of multi-token prediction.
    pub(crate) layers: usize,
    /// Layers of multi-token prediction, for which a list may have entries at its end.
    pub(crate) mtp: usize,
    /// What was not used or not understood.
    pub(crate) warnings: Vec<ConfigWarning>,
}

impl<'a> Reader<'a> {
    /// The model's type, or an empty text.
    pub(crate) fn model_type(&self) -> &'a str {
        self.object
            .get("model_type")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The first of the keys that has a whole number.
    pub(crate) fn number(&self, keys: &[&str]) -> Option<u64> {
        json::number(self.object, keys)
    }

    /// A whole number above zero, as an interval has to be.
    pub(crate) fn interval(&self, key: &str) -> Option<usize> {
        usize::try_from(self.number(&[key])?)
            .ok()
            .filter(|interval| *interval > 0)
    }

    /// The entries of a list for the layers; entries for multi-token prediction at its end are dropped.
    pub(crate) fn per_layer(&mut self, key: &'static str) -> Option<&'a [Value]> {
        let entries = json::list(self.object, key)?;
        self.fit(key, entries.len()).then(|| &entries[..self.layers])
    }

    /// Whether a list of this length can be used, which its first entries are. Warns of a length that nothing explains.
    pub(crate) fn fit(&mut self, key: &'static str, got: usize) -> bool {
        let used = got >= self.layers;
        if got != self.layers && got != self.layers + self.mtp {
            self.warnings.push(ConfigWarning::ListLength {
                key,
                got,
                layers: self.layers,
                used,
            });
        }
        used
    }

    /// Whether each layer's number, counted from `first`, is in the list.
    pub(crate) fn membership(&self, numbers: &[u64], first: u64) -> Vec<bool> {
        (0..self.layers as u64)
            .map(|layer| numbers.contains(&(layer + first)))
            .collect()
    }

    /// Notes a type that is not known, once for each value.
    pub(crate) fn unknown(&mut self, key: &'static str, value: &str) {
        let value = json::clean(value);
        for warning in &mut self.warnings {
            if let ConfigWarning::UnknownType {
                key: other,
                value: same,
                layers,
            } = warning
                && *other == key
                && *same == value
            {
                *layers += 1;
                return;
            }
        }
        self.warnings.push(ConfigWarning::UnknownType {
            key,
            value,
            layers: 1,
        });
    }
}

//! The columns that every page has: which kernel a row is about. They are found by name; versions order them differently.

use std::collections::HashMap;

use csv::ByteRecord;

use crate::error::ReadError;
use crate::limits::Budget;
use crate::model::Kernel;
use crate::text::{NAME_CAP, TEXT_CAP, bounded};

/// Columns without which a table is none of `ncu`'s.
const REQUIRED: [&str; 7] = [
    "ID",
    "Process ID",
    "Process Name",
    "Host Name",
    "Kernel Name",
    "Context",
    "Stream",
];

/// Columns of a launch that only some versions print.
const OPTIONAL: [&str; 5] = ["Block Size", "Grid Size", "Device", "CC", "Kernel Time"];

/// The header of a table.
#[derive(Debug)]
pub(super) struct Columns {
    names: Vec<String>,
    /// Where each is; of a name that repeats the first one counts.
    places: HashMap<String, usize>,
}

impl Columns {
    /// Whether a line has all names that a header needs: cheap, so that a reader is made for few lines that are none.
    pub(super) fn are_named_in(line: &[u8]) -> bool {
        let has = |name: &&str| line.windows(name.len()).any(|part| part == name.as_bytes());
        REQUIRED.iter().all(has)
    }

    /// The header, if it is one of `ncu`'s.
    pub(super) fn of(header: &ByteRecord) -> Option<Self> {
        let names: Vec<String> = header.iter().map(|name| bounded(name, NAME_CAP)).collect();
        let places = names.iter().cloned().zip(0..names.len()).rev().collect();
        let columns = Self { names, places };
        REQUIRED
            .iter()
            .all(|name| columns.place(name).is_some())
            .then_some(columns)
    }

    /// Counts the names as what is kept, in the list and with their places.
    pub(super) fn keep(&self, budget: &mut Budget) -> Result<(), ReadError> {
        self.names
            .iter()
            .try_for_each(|name| budget.keep::<[String; 2]>(2 * name.len()))
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Columns that are metrics, on a page that has one for each: their places and names.
    pub(super) fn metrics(&self) -> impl Iterator<Item = (usize, &str)> {
        let names = self
            .names
            .iter()
            .enumerate()
            .map(|(place, name)| (place, name.as_str()));
        names.filter(|(_, name)| !REQUIRED.contains(name) && !OPTIONAL.contains(name) && !name.is_empty())
    }

    /// The cell of a column, as text; empty where there is none.
    pub(super) fn text(&self, row: &ByteRecord, name: &str) -> String {
        let cell = self.place(name).and_then(|place| row.get(place));
        bounded(cell.unwrap_or_default(), TEXT_CAP)
    }

    /// What tells the kernels of a table apart: number and process. `None` where the row is no row of `ncu`'s.
    pub(super) fn key(&self, row: &ByteRecord) -> Option<(u64, u64)> {
        let id = self.text(row, "ID").parse().ok()?;
        Some((id, self.text(row, "Process ID").parse().ok()?))
    }

    /// The kernel of a row, without metrics.
    pub(super) fn kernel(&self, row: &ByteRecord, index: usize) -> Kernel {
        let demangled = self.text(row, "Kernel Name");
        Kernel {
            index,
            function: function(&demangled).to_owned(),
            grid: extent(&self.text(row, "Grid Size")),
            block: extent(&self.text(row, "Block Size")),
            context: self.text(row, "Context").parse().ok(),
            stream: self.text(row, "Stream").parse().ok(),
            demangled,
            ..Kernel::default()
        }
    }
}

/// `(256, 1, 1)`; zeros where it is something else.
fn extent(text: &str) -> [u64; 3] {
    let inner = text.trim_start_matches('(').trim_end_matches(')');
    let sizes: Option<Vec<u64>> = inner.split(',').map(|size| size.trim().parse().ok()).collect();
    sizes.and_then(|sizes| sizes.try_into().ok()).unwrap_or_default()
}

/// Name without return type, namespaces, template arguments and parameters: `gemm` of `void ns::gemm<128>(float *)`.
/// The whole name where that is not what it looks like.
fn function(demangled: &str) -> &str {
    let name = without_group(demangled.trim(), '(', ')');
    let name = without_group(name.trim_end(), '<', '>');
    let name = name.rsplit([' ', ':', '*', '&']).next().unwrap_or(name);
    if name.is_empty() { demangled } else { name }
}

/// The text before the brackets that end it.
fn without_group(text: &str, open: char, close: char) -> &str {
    if !text.ends_with(close) {
        return text;
    }
    let mut depth = 0_usize;
    for (at, character) in text.char_indices().rev() {
        if character == close {
            depth += 1;
        } else if character == open {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return &text[..at];
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_found_in_its_full_name() {
        for (demangled, expected) in [
            ("gemm", "gemm"),
            ("void gemm<128, (bool)1>(const float *, float *)", "gemm"),
            ("void <unnamed>::norm<5120, float>(<unnamed>::Params)", "norm"),
            ("void a::b<c<d>, e(*)(f)>(T1::Params)", "b"),
            ("copy[v1](Array<long long, 1>, long long)", "copy[v1]"),
            ("", ""),
            ("(((", "((("),
            (")", ")"),
        ] {
            assert_eq!(function(demangled), expected, "{demangled}");
        }
    }

    #[test]
    fn an_extent_is_three_numbers_or_nothing() {
        assert_eq!(extent("(256, 2, 1)"), [256, 2, 1]);
        assert_eq!(extent("256"), [0; 3]);
        assert_eq!(extent(""), [0; 3]);
    }
}

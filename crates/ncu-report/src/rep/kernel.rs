//! One profiled kernel: its launch, its metrics, what the rules said.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::ReadError;
use crate::limits::Budget;
use crate::model::{Kernel, Metric};
use crate::text::{NAME_CAP, TEXT_CAP};

use super::wire::{Message, Shape};
use super::{metric, rule};

/// Reads a kernel; names of metrics that are not finite are added to `non_finite`.
pub(super) fn read(
    message: Message<'_>,
    names: &[String],
    budget: &mut Budget,
    non_finite: &mut BTreeSet<String>,
) -> Result<Kernel, ReadError> {
    let mut kernel = Kernel::default();
    let mut metrics: Vec<(&str, Metric)> = Vec::new();
    for field in message.fields() {
        match field? {
            (6, Shape::Bytes(text)) => kernel.function = text.text(TEXT_CAP),
            (7, Shape::Bytes(text)) => kernel.demangled = text.text(TEXT_CAP),
            (10, Shape::Bytes(message)) => kernel.grid = extent(message)?,
            (11, Shape::Bytes(message)) => kernel.block = extent(message)?,
            (13, Shape::Bytes(message)) => {
                let read = metric::read(message, budget)?;
                let name = usize::try_from(read.name).ok().and_then(|id| names.get(id));
                let name = name.ok_or(ReadError::NameOutOfRange {
                    offset: message.offset,
                    id: read.name,
                    names: names.len(),
                })?;
                budget.keep::<(String, Metric)>(name.len() + metric::text(&read.metric.value))?;
                if read.non_finite && !non_finite.contains(name) {
                    budget.keep::<String>(name.len())?;
                    non_finite.insert(name.clone());
                }
                metrics.push((name, read.metric));
            }
            (17, Shape::Bytes(message)) => {
                let section = identifier(message)?;
                budget.keep::<String>(section.len())?;
                kernel.sections.push(section);
            }
            (19, Shape::Bytes(message)) => rule::read(message, budget, &mut kernel.rules)?,
            (22, Shape::Varint(context)) => kernel.context = Some(context),
            (23, Shape::Varint(stream)) => kernel.stream = Some(stream),
            _ => {}
        }
    }
    if kernel.demangled.is_empty() {
        kernel.demangled.clone_from(&kernel.function);
    }
    budget.keep_kernel(&kernel)?;
    // Of a name that repeats the last one stays: a map keeps what comes last.
    kernel.metrics = metrics
        .into_iter()
        .map(|(name, metric)| (name.to_owned(), metric))
        .collect::<BTreeMap<_, _>>();
    Ok(kernel)
}

/// Sizes of a grid or a block.
fn extent(message: Message<'_>) -> Result<[u64; 3], ReadError> {
    let mut extent = [0; 3];
    for field in message.fields() {
        if let (axis @ 1..=3, Shape::Varint(size)) = field? {
            extent[axis as usize - 1] = size;
        }
    }
    Ok(extent)
}

/// Identifier of a section.
fn identifier(message: Message<'_>) -> Result<String, ReadError> {
    let mut identifier = String::new();
    for field in message.fields() {
        if let (1, Shape::Bytes(text)) = field? {
            identifier = text.text(NAME_CAP);
        }
    }
    Ok(identifier)
}

//! A metric of a kernel: its value, and the instances that it is made of.

use crate::error::ReadError;
use crate::limits::Budget;
use crate::model::{Instance, Metric, Value};
use crate::text::{TEXT_CAP, bounded};

use super::wire::{Message, Shape};

/// A metric as it was read: number of its name, and whether a value was not finite.
pub(super) struct Read {
    pub(super) name: u64,
    pub(super) metric: Metric,
    pub(super) non_finite: bool,
}

/// Reads a metric.
pub(super) fn read(message: Message<'_>, budget: &mut Budget) -> Result<Read, ReadError> {
    let mut read = Read {
        // A number that is not written is 0.
        name: 0,
        metric: Metric::default(),
        non_finite: false,
    };
    for field in message.fields() {
        match field? {
            (1, Shape::Varint(name)) => read.name = name,
            (2, Shape::Bytes(message)) => read.metric.value = value(message, &mut read.non_finite)?,
            (3, Shape::Bytes(message)) => {
                let instance = instance(message, &mut read.non_finite)?;
                budget.keep::<Instance>(text(&instance.id) + text(&instance.value))?;
                read.metric.instances.push(instance);
            }
            _ => {}
        }
    }
    Ok(read)
}

fn instance(message: Message<'_>, non_finite: &mut bool) -> Result<Instance, ReadError> {
    let mut instance = Instance {
        id: None,
        value: None,
    };
    for field in message.fields() {
        match field? {
            (1, Shape::Bytes(message)) => instance.id = value(message, non_finite)?,
            (2, Shape::Bytes(message)) => instance.value = value(message, non_finite)?,
            _ => {}
        }
    }
    Ok(instance)
}

/// Reads a value; one that is not finite is none.
pub(super) fn value(message: Message<'_>, non_finite: &mut bool) -> Result<Option<Value>, ReadError> {
    // Nearly all values of a report are one real number or one small count: the shapes that a loop is too slow for.
    match *message.bytes {
        [0x19, a, b, c, d, e, f, g, h] => {
            return Ok(real(f64::from_le_bytes([a, b, c, d, e, f, g, h]), non_finite));
        }
        [0x28, number @ 0..0x80] => return Ok(Some(Value::Integer(number.into()))),
        _ => {}
    }
    let mut value = None;
    for field in message.fields() {
        value = match field? {
            (1, Shape::Bytes(text)) => Some(Value::Text(bounded(text.bytes, TEXT_CAP))),
            (2, Shape::Fixed32(bits)) => real(f32::from_bits(bits).into(), non_finite),
            (3, Shape::Fixed64(bits)) => real(f64::from_bits(bits), non_finite),
            (4 | 5, Shape::Varint(number)) => Some(Value::Integer(number)),
            _ => value,
        };
    }
    Ok(value)
}

fn real(number: f64, non_finite: &mut bool) -> Option<Value> {
    *non_finite |= !number.is_finite();
    number.is_finite().then_some(Value::Real(number))
}

/// Bytes of text in a value.
pub(super) fn text(value: &Option<Value>) -> usize {
    match value {
        Some(Value::Text(text)) => text.len(),
        _ => 0,
    }
}

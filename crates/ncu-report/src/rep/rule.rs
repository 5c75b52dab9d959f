//! A rule of Nsight Compute with its messages. Each message becomes a [`Rule`]; a rule without one had nothing to say.

use crate::error::ReadError;
use crate::limits::Budget;
use crate::model::{Rule, RuleKind, Speedup};
use crate::text::{NAME_CAP, TEXT_CAP};

use super::wire::{Message, Shape};

/// Reads a rule and adds what it said to `rules`.
pub(super) fn read(
    message: Message<'_>,
    budget: &mut Budget,
    rules: &mut Vec<Rule>,
) -> Result<(), ReadError> {
    let (mut id, mut section, mut display_name) = (String::new(), String::new(), String::new());
    for field in message.fields() {
        match field? {
            (1, Shape::Bytes(text)) => id = text.text(NAME_CAP),
            (2, Shape::Bytes(text)) => display_name = text.text(NAME_CAP),
            (4, Shape::Bytes(text)) => section = text.text(NAME_CAP),
            _ => {}
        }
    }
    // A second time, now that its section, which stands behind them, is known: nothing is kept that was not counted.
    for field in message.fields() {
        let (3, Shape::Bytes(body)) = field? else { continue };
        for field in body.fields() {
            let (1, Shape::Bytes(item)) = field? else { continue };
            let Some(mut rule) = said(item, budget)? else {
                continue;
            };
            if rule.title.is_empty() {
                rule.title.clone_from(&display_name);
            }
            rule.id.clone_from(&id);
            rule.section.clone_from(&section);
            budget.keep_rule(&rule)?;
            rules.push(rule);
        }
    }
    Ok(())
}

/// A message with what belongs to it; none where the item is a table or the like.
fn said(item: Message<'_>, budget: &mut Budget) -> Result<Option<Rule>, ReadError> {
    let mut rule = Rule::default();
    let mut has_message = false;
    for field in item.fields() {
        match field? {
            (1, Shape::Bytes(message)) => {
                has_message = true;
                for field in message.fields() {
                    match field? {
                        (1, Shape::Bytes(text)) => rule.text = text.text(TEXT_CAP),
                        (2, Shape::Varint(kind)) => rule.kind = rule_kind(kind),
                        (4, Shape::Bytes(text)) => rule.title = text.text(NAME_CAP),
                        _ => {}
                    }
                }
            }
            (8, Shape::Bytes(focus)) => {
                for field in focus.fields() {
                    if let (2, Shape::Bytes(name)) = field? {
                        let name = name.text(NAME_CAP);
                        budget.keep::<String>(name.len())?;
                        rule.focus.push(name);
                    }
                }
            }
            (10, Shape::Bytes(message)) => rule.speedup = speedup(message)?,
            _ => {}
        }
    }
    Ok(has_message.then_some(rule))
}

/// Before 2023 advice is written as a warning, too.
fn rule_kind(kind: u64) -> RuleKind {
    match kind {
        2 => RuleKind::Warning,
        3 => RuleKind::Error,
        4 => RuleKind::Optimization,
        _ => RuleKind::Info,
    }
}

fn speedup(message: Message<'_>) -> Result<Option<Speedup>, ReadError> {
    let (mut scope, mut percent) = (None, None);
    for field in message.fields() {
        match field? {
            (1, Shape::Varint(1)) => scope = Some(false),
            (1, Shape::Varint(2)) => scope = Some(true),
            (2, Shape::Fixed64(bits)) => {
                percent = Some(f64::from_bits(bits)).filter(|percent| percent.is_finite())
            }
            _ => {}
        }
    }
    Ok(scope
        .zip(percent)
        .map(|(is_global, percent)| Speedup { is_global, percent }))
}

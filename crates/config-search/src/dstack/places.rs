//! Names and places as dstack writes them: users, ports, mounts, repositories, files, tags, variables.

use serde_json::Value;

use super::forms::number_of;

pub(crate) fn unix_user(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let is_part = |part: &&str| !part.is_empty() && part.trim().parse::<i64>().map_or(true, |id| id >= 0);
    parts.len() <= 2 && parts.iter().all(is_part)
}

pub(crate) fn is_group_name(text: &str) -> bool {
    let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 40 && text.starts_with(small) && text.chars().all(|c| small(c) || c == '-')
}

fn is_port(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

pub(crate) fn service_port(value: &Value) -> bool {
    if let Some(port) = number_of(value, true) {
        return (1.0..=65535.0).contains(&port);
    }
    let mapping = value.as_str().and_then(|text| text.split_once(':'));
    mapping.is_some_and(|(from, to)| is_port(from) && is_port(to))
}

pub(crate) fn port(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_u64().is_some_and(|port| (1..=65535).contains(&port)),
        Value::Bool(is) => *is,
        Value::String(text) => match text.split_once(':') {
            Some((from, to)) => (from == "*" || is_port(from)) && is_port(to),
            None => is_port(text),
        },
        _ => false,
    }
}

pub(crate) fn mount(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let [from, to] = parts[..] else { return false };
    (!from.contains('/') || mount_path(from)) && mount_path(to)
}

pub(crate) fn mount_path(text: &str) -> bool {
    text.starts_with('/') && text.split('/').all(|part| part != "..")
}

fn is_drive(parts: &[&str]) -> bool {
    parts.len() > 1
        && parts[0].len() == 1
        && parts[0].starts_with(|c: char| c.is_ascii_alphabetic())
        && parts[1].starts_with(['\\', '/'])
}

pub(crate) fn repo(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let is_url = parts.len() > 1 && (parts[0].contains('@') || parts[1].starts_with("//"));
    let (own, rest) = if is_url || is_drive(&parts) {
        parts.split_at(2)
    } else {
        parts.split_at(1)
    };
    let is_set = own.iter().any(|part| !part.is_empty());
    is_set && rest.len() <= 1 && rest.first().is_none_or(|path| home_is_own(path))
}

pub(crate) fn home_is_own(path: &str) -> bool {
    !path.starts_with('~') || path.split('/').next() == Some("~")
}

pub(crate) fn file(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let rest = if is_drive(&parts) {
        &parts[2..]
    } else {
        &parts[1..]
    };
    let to = match rest {
        [] => text,
        [to] => to,
        _ => return false,
    };
    !is_windows(to)
}

/// A path with a drive, or of a network share.
pub(crate) fn is_windows(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(2, ':').collect();
    let share = |text: &str| {
        let rest = text.replace('\\', "/");
        rest.strip_prefix("//")
            .is_some_and(|rest| rest.split('/').filter(|part| !part.is_empty()).count() >= 2)
    };
    is_drive(&parts) || share(text)
}

pub(crate) fn reference(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    parts.len() <= 2 && parts.iter().all(|part| !part.is_empty())
}

pub(crate) fn is_tag_key(text: &str) -> bool {
    (1..=60).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

pub(crate) fn is_tag_value(text: &str) -> bool {
    text.len() <= 256
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " .:/=_-+@".contains(c))
}

pub(crate) fn env_entry(text: &str) -> bool {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !value.contains('\n')
}

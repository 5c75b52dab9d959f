//! Scalars of a dstack configuration, and text with a form of its own: durations, sizes, ports, GPUs, mounts.
//!
//! What fits is what dstack's models take (0.22.5: core/models/{duration,resources,configurations,volumes,files,unix}.py).

use std::net::IpAddr;

use serde_json::Value;

use super::facts::Facts;
use super::{network, places, sizes};

/// What a value should have been.
#[derive(Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) expects: String,
    pub(crate) example: &'static str,
}

/// Whether a value has a form; `limits` holds `min`, `above`, `max`, `shortest`, `longest` where there are any.
pub(crate) fn check(facts: &Facts, form: &str, value: &Value, limits: &Value) -> Result<(), Expected> {
    let (expects, example, fits): (&str, &'static str, bool) = match form {
        "null" => ("left out", "`null`", value.is_null()),
        "boolean" => ("true or false", "`true`", boolean_of(value).is_some()),
        "integer" => return number(value, true, limits),
        "number" => return number(value, false, limits),
        "text" => return text_within(value, limits),
        "string" => ("a name", "`name`", value.is_string()),
        "string-not-empty" => (
            "a name",
            "`name`",
            value.as_str().is_some_and(|text| !text.is_empty()),
        ),
        "string-not-blank" => ("a name", "`name`", value.is_string() && not_blank(value)),
        "text-not-blank" => ("text that is not blank", "`name`", not_blank(value)),
        "duration" => (
            "a duration",
            "`90s`, `30m`, `2h`, `1d`",
            sizes::seconds(value).is_some(),
        ),
        "duration-or-off" => (
            "a duration or `off`",
            "`90s`, `2h`, `off`",
            sizes::is_off(value) || sizes::seconds(value).is_some_and(|seconds| seconds >= 0.0),
        ),
        "idle-duration" => (
            "a duration or `off`",
            "`5m`, `3d`, `off`",
            sizes::is_off(value) || sizes::seconds(value).is_some(),
        ),
        "scaling-window" => (
            "a window that there is",
            "`30s`, `60s`, `300s`",
            sizes::seconds(value).is_some_and(|seconds| [30.0, 60.0, 300.0].contains(&seconds)),
        ),
        "probe-duration" => (
            "a duration of at least 1 s",
            "`10s`",
            sizes::seconds(value).is_some_and(|seconds| seconds >= 1.0),
        ),
        "utilization-window" => (
            "a duration of at least 5 minutes",
            "`30m`",
            sizes::seconds(value).is_some_and(|seconds| seconds >= 300.0),
        ),
        "memory" => ("a size", "`16GB`, `512MB`", sizes::gigabytes(value).is_some()),
        "memory-range" => (
            "a size or a range of sizes",
            "`16GB`, `16GB..`, `16GB..80GB`",
            sizes::memory_range(value),
        ),
        "range" => (
            "a number or a range",
            "`2`, `1..`, `0..4`",
            sizes::integer_range(value).is_some(),
        ),
        "nodes" => ("a number or a range", "`2`, `0..4`", sizes::nodes(value)),
        "cpu" => ("a number of CPUs", "`8`, `4..`, `arm:8`", sizes::cpu(value)),
        "gpu" => (
            "a GPU",
            "`1`, `H100:8`, `24GB..`, `nvidia:80GB:2`",
            sizes::gpu(facts, value),
        ),
        "capability" => ("a compute capability", "`7.5`", sizes::capability(value)),
        "architecture" => (
            "an architecture",
            "`x86`, `arm`",
            value
                .as_str()
                .is_some_and(|name| sizes::is_architecture(facts, name)),
        ),
        "vendor" => (
            "a vendor of GPUs",
            "`nvidia`, `amd`",
            value.as_str().is_some_and(|name| sizes::is_vendor(facts, name)),
        ),
        "python" => (
            "a version of Python that there is",
            "`\"3.12\"`",
            sizes::python(facts, value),
        ),
        "unix-user" => (
            "a user",
            "`ubuntu`, `1000:1000`",
            text(value).is_some_and(|text| places::unix_user(&text)),
        ),
        "shell" => (
            "a shell",
            "`sh`, `bash`, `/usr/bin/zsh`",
            text(value).is_some_and(|text| text == "sh" || text == "bash" || text.starts_with('/')),
        ),
        "cron" => (
            "a cron expression",
            "`0 8 * * mon-fri`",
            text(value).is_some_and(|text| super::cron::is_cron(&text)),
        ),
        "group-name" => (
            "a name of small letters, digits and dashes",
            "`prefill`",
            text(value).is_some_and(|text| places::is_group_name(&text)),
        ),
        "service-port" => ("a port", "`8000`, `80:8000`", places::service_port(value)),
        "port" => (
            "a port or a mapping of ports",
            "`8000`, `80:8000`, `*:8000`",
            places::port(value),
        ),
        "mount" => (
            "a mount",
            "`volume:/data`, `/host/path:/data`",
            value.as_str().is_some_and(places::mount),
        ),
        "mount-path" => (
            "an absolute path",
            "`/data`",
            text(value).is_some_and(|text| places::mount_path(&text)),
        ),
        "repo" => (
            "a repository",
            "`.`, `https://host/owner/name.git`",
            value.as_str().is_some_and(places::repo),
        ),
        "repo-path" => (
            "a path",
            "`.`, `~/code`",
            text(value).is_some_and(|text| places::home_is_own(&text)),
        ),
        "file" => (
            "a file, or two with a colon",
            "`a.txt`, `a.txt:/data/a.txt`",
            value.as_str().is_some_and(places::file),
        ),
        "unix-path" => (
            "a Unix path",
            "`/data/a.txt`",
            text(value).is_some_and(|text| !places::is_windows(&text)),
        ),
        "reference" => (
            "a name, or project/name",
            "`main/fleet`",
            text(value).is_some_and(|text| places::reference(&text)),
        ),
        "string-reference" => (
            "a name, or project/name",
            "`main/fleet`",
            value.as_str().is_some_and(places::reference),
        ),
        "tag" => (
            "a tag's value",
            "`team-a`",
            value.as_str().is_some_and(places::is_tag_value),
        ),
        "env-entry" => (
            "NAME or NAME=VALUE",
            "`HF_TOKEN`",
            text(value).is_some_and(|text| places::env_entry(&text)),
        ),
        "header-name" => (
            "the name of a header",
            "`X-Api-Key`",
            within(value, limits, |text| {
                !text.is_empty()
                    && text
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
            }),
        ),
        "url-prefix" => (
            "a path prefix",
            "`/v1/`",
            within(value, limits, |text| {
                text.starts_with('/') && !text.contains(|c: char| c.is_whitespace() || "\\{}".contains(c))
            }),
        ),
        "probe-url" => (
            "a path",
            "`/health`",
            text(value).is_some_and(|text| {
                text.starts_with('/') && text.chars().count() <= 2048 && !text.contains(char::is_control)
            }),
        ),
        "private-address" => (
            "a private IP address",
            "`10.0.0.5`",
            text(value).is_some_and(|text| text.parse::<IpAddr>().is_ok_and(network::is_private)),
        ),
        "private-network" => (
            "a private network",
            "`10.0.0.0/24`",
            text(value).is_some_and(|text| network::is_private_network(&text)),
        ),
        "dataset" => (
            "the name of a data set (leave it out for synthetic prompts)",
            "`sharegpt`",
            text(value).is_some_and(|text| !text.trim().is_empty() && text.trim() != "random"),
        ),
        "prompt" => (
            "instructions of at most 10000 letters",
            "`Prefer FP8.`",
            not_blank(value) && text(value).is_some_and(|text| text.chars().count() <= 10_000),
        ),
        other => unreachable!("facts.json names the form {other}, which a test reads"),
    };
    if fits {
        return Ok(());
    }
    Err(Expected {
        expects: expects.to_owned(),
        example,
    })
}

/// Text as dstack takes it: a number is text, true and false are not.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn not_blank(value: &Value) -> bool {
    text(value).is_some_and(|text| !text.trim().is_empty())
}

/// True or false as dstack takes it: words of YAML 1.1, one and zero.
pub(crate) fn boolean_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::Number(number) => match number.as_f64()? {
            0.0 => Some(false),
            1.0 => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_lowercase().as_str() {
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            _ => None,
        },
        _ => None,
    }
}

/// A number as dstack takes it: text that reads as one, true and false.
pub(crate) fn number_of(value: &Value, whole: bool) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::Bool(is) => f64::from(u8::from(*is)),
        Value::String(text) => {
            let text = text.trim();
            if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
                return None;
            }
            text.replace('_', "").parse().ok()?
        }
        _ => return None,
    };
    (!whole || (number.fract() == 0.0 && number.is_finite())).then_some(number)
}

pub(crate) fn integer_of(value: &Value) -> Option<i64> {
    number_of(value, true).map(|number| number as i64)
}

fn number(value: &Value, whole: bool, limits: &Value) -> Result<(), Expected> {
    let limit = |name: &str| limits.get(name).and_then(Value::as_f64);
    let fits = number_of(value, whole).is_some_and(|number| {
        limit("min").is_none_or(|min| number >= min)
            && limit("above").is_none_or(|above| number > above)
            && limit("max").is_none_or(|max| number <= max)
    });
    if fits {
        return Ok(());
    }
    let mut expects = if whole { "a whole number" } else { "a number" }.to_owned();
    for (name, word) in [("min", "from"), ("above", "above"), ("max", "to")] {
        if let Some(limit) = limit(name) {
            expects.push_str(&format!(" {word} {limit}"));
        }
    }
    Err(Expected {
        expects,
        example: "`1`",
    })
}

fn text_within(value: &Value, limits: &Value) -> Result<(), Expected> {
    if within(value, limits, |_| true) {
        return Ok(());
    }
    let limit = |name: &str| limits.get(name).and_then(Value::as_u64);
    let expects = match (limit("shortest"), limit("longest")) {
        (None, None) => "text".to_owned(),
        (shortest, longest) => format!(
            "text of {}..{} letters",
            shortest.unwrap_or(0),
            longest.map_or(String::new(), |longest| longest.to_string())
        ),
    };
    Err(Expected {
        expects,
        example: "`\"text\"`, in quotes where it reads as something else",
    })
}

fn within(value: &Value, limits: &Value, fits: impl Fn(&str) -> bool) -> bool {
    let limit = |name: &str| limits.get(name).and_then(Value::as_u64);
    text(value).is_some_and(|text| {
        let letters = text.chars().count() as u64;
        limit("shortest").is_none_or(|shortest| letters >= shortest)
            && limit("longest").is_none_or(|longest| letters <= longest)
            && fits(&text)
    })
}

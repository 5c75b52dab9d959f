//! Whether two measurements had the same launch, as far as both say.

use contracts::FieldSet;
use contracts::fields::{Source, canonical};
use serde_json::Value;

/// The first difference, in words. A declaration that one of them lacks is no difference: a benchmark of a URL and a
/// launch by argv may be the same server. A setting that the server reads back on one side only is: what is off is not
/// listed. A port is where a server listens and not how it was launched.
pub(super) fn first_difference(before: &FieldSet, now: &FieldSet) -> Option<String> {
    let comparison = before.compare(now);
    let shown = |value: &Value| contracts::text::clean(&canonical(value), 120);
    comparison
        .differing
        .into_iter()
        .find(|(field, before, now)| field != "launch.argv" || without_port(before) != without_port(now))
        .map(|(field, before, now)| format!("{field} was {} and is {}", shown(&before), shown(&now)))
        .or_else(|| {
            let both_read_back = reads_back(before) && reads_back(now);
            let field = comparison
                .unknown
                .iter()
                .find(|field| both_read_back && (is_setting(before, field) || is_setting(now, field)))?;
            let said = |set: &FieldSet| set.known(field).map_or("unset".to_owned(), shown);
            Some(format!("{field} was {} and is {}", said(before), said(now)))
        })
}

fn reads_back(set: &FieldSet) -> bool {
    set.fields.keys().any(|field| is_setting(set, field))
}

fn is_setting(set: &FieldSet, field: &str) -> bool {
    let is_observed = set
        .fields
        .get(field)
        .is_some_and(|found| found.source == Source::Observed);
    is_observed && field.starts_with("settings.")
}

fn without_port(argv: &Value) -> Vec<&str> {
    let words = argv.as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut kept = Vec::new();
    let mut is_port = false;
    for word in words {
        if !is_port && word != "--port" && !word.starts_with("--port=") {
            kept.push(word);
        }
        is_port = word == "--port";
    }
    kept
}

#[cfg(test)]
mod tests {
    use contracts::Field;
    use serde_json::json;

    use super::*;

    fn set(fields: Value) -> FieldSet {
        let fields = fields.as_object().unwrap().clone();
        FieldSet::new(
            fields
                .into_iter()
                .map(|(name, value)| (name, Field::observed(value)))
                .collect(),
        )
    }

    #[test]
    fn another_port_or_a_field_that_one_lacks_is_no_difference() {
        let before = set(json!({"launch.argv": ["s", "--port", "1", "-x"], "a": 1}));
        let now = set(json!({"launch.argv": ["s", "--port=2", "-x"], "b": 1}));
        assert_eq!(first_difference(&before, &now), None);
        let now = set(json!({"launch.argv": ["s", "--port", "1", "-y"]}));
        assert!(
            first_difference(&before, &now)
                .unwrap()
                .starts_with("launch.argv was ")
        );
        let now = set(json!({"a": 2}));
        assert_eq!(
            first_difference(&before, &now).as_deref(),
            Some("a was 1 and is 2")
        );
    }

    #[test]
    fn a_setting_that_is_no_longer_read_back_is_off() {
        let on = set(json!({"settings.model": "m", "settings.enable_prefix_caching": true}));
        let off = set(json!({"settings.model": "m"}));
        for (before, now) in [(&on, &off), (&off, &on)] {
            let said = first_difference(before, now).unwrap();
            assert!(said.starts_with("settings.enable_prefix_caching was "), "{said}");
        }
        let silent = set(json!({"engine.kind": "other"}));
        assert_eq!(
            first_difference(&on, &silent),
            None,
            "an engine that reads nothing back"
        );
    }
}

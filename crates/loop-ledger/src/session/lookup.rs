//! Whether a claimed value stands in a document: under that key, at the end of that path, or in the row of that name.

use serde_json::Value as Json;

use super::claim::{Claim, Value};

/// Fields that name the row they stand in.
const ROW_NAMES: [&str; 8] = [
    "name",
    "scenario",
    "metric",
    "kernel",
    "family",
    "function",
    "framework",
    "rule",
];
/// Other values that a refusal names.
const MOST_OTHERS: usize = 3;

/// What was found of a claim, over all documents.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Finding {
    /// Whether the value stands there.
    pub(crate) founded: bool,
    /// Values that stand under the name instead, as printed.
    pub(crate) others: Vec<String>,
}

/// Looks through one document for the claims that are not founded yet.
pub(crate) fn look(document: &Json, claims: &mut [(Claim, Finding)]) {
    walk(document, &mut vec![String::new()], claims);
}

/// `paths` are the names of the place: the path from the top, and from every named row above it.
fn walk(value: &Json, paths: &mut Vec<String>, claims: &mut [(Claim, Finding)]) {
    match value {
        Json::Object(fields) => {
            let row = ROW_NAMES
                .iter()
                .find_map(|name| fields.get(*name).and_then(Json::as_str))
                .filter(|name| !name.is_empty() && name.len() < 200);
            let depth = paths.len();
            paths.extend(row.map(str::to_owned));
            for (key, inner) in fields {
                // A row's plain values answer to the row's name, too.
                if let Some(row) = row.filter(|_| inner.is_number() || inner.is_boolean()) {
                    compare(inner, &[row.to_owned()], claims);
                }
                step(key, inner, paths, claims);
            }
            paths.truncate(depth);
        }
        Json::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                step(&index.to_string(), inner, paths, claims);
            }
        }
        plain => compare(plain, paths, claims),
    }
}

fn step(key: &str, inner: &Json, paths: &mut Vec<String>, claims: &mut [(Claim, Finding)]) {
    let lengths: Vec<usize> = paths.iter().map(String::len).collect();
    for path in paths.iter_mut() {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
    }
    walk(inner, paths, claims);
    for (path, length) in paths.iter_mut().zip(lengths) {
        path.truncate(length);
    }
}

fn compare(found: &Json, paths: &[String], claims: &mut [(Claim, Finding)]) {
    for (claim, finding) in claims.iter_mut().filter(|(_, finding)| !finding.founded) {
        let name = normal(&claim.name);
        let Some(path) = paths.iter().find(|path| ends_with(path, &name)) else {
            continue;
        };
        if is_same(found, &claim.value, path) {
            finding.founded = true;
        } else if finding.others.len() < MOST_OTHERS {
            let other = contracts::text::clean(&found.to_string(), 60);
            if !finding.others.contains(&other) {
                finding.others.push(other);
            }
        }
    }
}

/// `runs[0].x` and `runs.0.x` are one path.
fn normal(name: &str) -> String {
    name.replace('[', ".").replace(']', "")
}

/// Whole segments only: `p50` ends `tpot_ms.p50`, `50` does not.
fn ends_with(path: &str, name: &str) -> bool {
    path.strip_suffix(name)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The value within the digits that were printed, in the unit that the name carries.
fn is_same(found: &Json, claimed: &Value, path: &str) -> bool {
    match claimed {
        Value::Number { number, half, unit } => {
            let Some(found) = found.as_f64() else {
                return false;
            };
            scale(path, unit).is_some_and(|scale| {
                // A millionth of the last digit for the way decimals are kept in binary.
                (found - number * scale).abs() <= half * scale * (1.0 + 1e-6) + found.abs() * 1e-12
            })
        }
        Value::Word(word) => match found {
            Json::String(text) => text == word,
            Json::Bool(truth) => truth.to_string() == *word,
            Json::Null => word == "null",
            _ => false,
        },
    }
}

/// From the printed unit to the unit of the name; `None` when they measure different things.
fn scale(path: &str, unit: &str) -> Option<f64> {
    let seconds = |unit: &str| match unit {
        "ns" => Some(1e-9),
        "us" | "µs" | "μs" => Some(1e-6),
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        _ => None,
    };
    // The unit stands at the end of the last key that has one: `ttft_ms.p50`.
    let of_name = path
        .rsplit('.')
        .filter_map(|key| key.rsplit_once('_').map(|(_, unit)| unit))
        .find(|unit| {
            seconds(unit).is_some() || ["pct", "ratio", "tps", "rps", "bytes", "tokens"].contains(unit)
        });
    match (of_name, seconds(unit), unit) {
        (Some("ratio"), None, "%") => Some(0.01),
        (Some(_), None, "%") if of_name != Some("pct") => None,
        (Some(name), Some(printed), _) => seconds(name).map(|name| printed / name),
        _ => Some(1.0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::claim::claims;
    use super::*;

    fn document() -> Json {
        json!({"data": {
            "runs": [{"latency": {"tpot_ms": {"p50": 8.695652}, "ttft_ms": {"p50": 54.3}}, "valid": true}],
            "kernels": [
                {"name": "gemm", "family": "matmul", "calls": 40646, "share_pct": 31.25},
                {"name": "attn", "calls": 94552, "share_pct": 7.5, "time": {"mean_us": 7.5}},
            ],
            "cache_hit_ratio": 0.85,
            "sglang.gen_throughput": 729.5,
            "settings": {"attention_backend": "fa3", "enable_mixed_chunk": false, "draft": null},
        }})
    }

    fn founded(line: &str) -> bool {
        let mut all: Vec<(Claim, Finding)> = claims(line)
            .into_iter()
            .map(|claim| (claim, Finding::default()))
            .collect();
        look(&document(), &mut all);
        !all.is_empty() && all.iter().all(|(_, finding)| finding.founded)
    }

    #[test]
    fn what_stands_there_is_founded() {
        for line in [
            "tpot_ms.p50=8.70",
            "p50=8.7",
            "data.runs[0].latency.tpot_ms.p50=8.695652",
            "ttft_ms.p50: 0.0543 s",
            "sglang.gen_throughput: 729.5 tok/s",
            "`gemm`: calls=40,646 share_pct=31.3%",
            "gemm=40646",
            "attn.time.mean_us=7.5us",
            "cache_hit_ratio=85%",
            "attention_backend=fa3",
            "enable_mixed_chunk: false",
            "draft: null",
            "valid=true",
        ] {
            assert!(founded(line), "{line}");
        }
    }

    #[test]
    fn what_does_not_stand_there_is_not() {
        for line in [
            "tpot_ms.p50=8.60",
            "tpot_ms.p50=8.695653",
            "pot_ms.p50=8.70",
            "tpot_ms.p50=8.70 s",
            "cache_hit_ratio=0.85 ms",
            "`attn`: calls=40646",
            "`gemm`: calls=40,646 share_pct=7.5%",
            "calls_total=40646",
            "attention_backend=fa2",
            "valid=false",
            "nothing is claimed here",
        ] {
            assert!(!founded(line), "{line}");
        }
    }

    #[test]
    fn a_refusal_knows_what_stands_there_instead() {
        let mut all = vec![(claims("calls=1").remove(0), Finding::default())];
        look(&document(), &mut all);
        assert_eq!(all[0].1.others, ["40646", "94552"]);
    }

    proptest! {
        #[test]
        fn any_claim_on_any_document_ends(name in "[a-z._0-9\\[\\]]{1,12}", text in "[ -~]{0,40}", key in any::<String>(), number in any::<f64>()) {
            let document = json!({"name": key, &key: [number, {&key: text, "deep": {"name": text, "x": number}}]});
            let mut all: Vec<(Claim, Finding)> = claims(&format!("{name}=1 x={text}"))
                .into_iter()
                .map(|claim| (claim, Finding::default()))
                .collect();
            look(&document, &mut all);
        }
    }
}

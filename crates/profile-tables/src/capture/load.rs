//! Whether a server serves somebody else: a profiler would slow down what is being measured.

use contracts::profile_tables::capture::ServerLoad;
use contracts::serve_bench::result::EngineKind;
use engine_client::{Endpoint, Headers, get_text};
use serde_json::Value;

/// Asks `/metrics`, and SGLang's `/get_load` where metrics are switched off.
pub(super) async fn load(endpoint: &Endpoint, headers: &Headers, kind: EngineKind) -> ServerLoad {
    if let Ok(text) = get_text(endpoint, headers, "/metrics").await {
        let found = of_metrics(&text);
        if found.running.is_some() {
            return found;
        }
    }
    if kind == EngineKind::Sglang
        && let Ok(text) = get_text(endpoint, headers, "/get_load").await
        && let Some(found) = of_load(&text)
    {
        return found;
    }
    ServerLoad {
        running: None,
        waiting: None,
        source: None,
    }
}

/// What two servers of one deployment have to do; who does not say adds nothing, and is not known to be idle.
pub(super) fn together(one: ServerLoad, other: ServerLoad) -> ServerLoad {
    let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (one, other) => one.or(other),
    };
    ServerLoad {
        running: sum(one.running, other.running),
        waiting: sum(one.waiting, other.waiting),
        source: one.source.filter(|_| other.source.is_some()),
    }
}

/// Sums over all ranks and models. Exporters may write `_` where the name has `:`.
fn of_metrics(text: &str) -> ServerLoad {
    let sum = |names: [&str; 2]| {
        let values = text.lines().filter_map(|line| {
            let (name, rest) = line.split_once(['{', ' '])?;
            let (_, short) = name.split_once([':', '_'])?;
            if !names.contains(&short) {
                return None;
            }
            let value: f64 = rest.rsplit(' ').next()?.parse().ok()?;
            (value.is_finite() && value >= 0.0).then_some(value)
        });
        values.map(|value| value as u64).reduce(u64::saturating_add)
    };
    // SGLang's names, then those of vLLM and TokenSpeed.
    ServerLoad {
        running: sum(["num_running_reqs", "num_requests_running"]),
        waiting: sum(["num_queue_reqs", "num_requests_waiting"]),
        source: Some("/metrics".to_owned()),
    }
}

/// `[{"num_reqs": 3, "num_waiting_reqs": 1, …}]`, one entry a data-parallel rank; `num_reqs` counts both.
fn of_load(text: &str) -> Option<ServerLoad> {
    let value: Value = serde_json::from_str(text).ok()?;
    let ranks = value.as_array()?;
    let sum = |name: &str| {
        ranks
            .iter()
            .map(|rank| rank.get(name).and_then(Value::as_u64))
            .try_fold(0_u64, |sum, count| Some(sum.saturating_add(count?)))
    };
    let (all, waiting) = (sum("num_reqs")?, sum("num_waiting_reqs")?);
    Some(ServerLoad {
        running: Some(all.saturating_sub(waiting)),
        waiting: Some(waiting),
        source: Some("/get_load".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_names_of_all_engines_are_summed_over_their_labels() {
        for (text, running, waiting) in [
            (
                "sglang:num_running_reqs{tp=\"0\"} 2.0\nsglang:num_running_reqs{tp=\"1\"} 1.0\nsglang:num_queue_reqs 4\n",
                Some(3),
                Some(4),
            ),
            (
                "vllm:num_requests_running{engine=\"0\",model_name=\"a b\"} 0.0\nvllm:num_requests_waiting{} 7.0",
                Some(0),
                Some(7),
            ),
            ("tokenspeed_num_requests_running 1", Some(1), None),
            ("# HELP x y\nother:num_running 3", None, None),
        ] {
            let load = of_metrics(text);
            assert_eq!((load.running, load.waiting), (running, waiting), "{text}");
        }
    }

    #[test]
    fn the_load_of_sglang_counts_waiting_requests_twice() {
        let load = of_load(
            r#"[{"dp_rank": 0, "num_reqs": 5, "num_waiting_reqs": 2}, {"num_reqs": 1, "num_waiting_reqs": 0}]"#,
        );
        assert_eq!(
            load.map(|load| (load.running, load.waiting)),
            Some((Some(4), Some(2)))
        );
        assert_eq!(of_load("{}"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,200}", name in "[a-z:_{} 0-9.+-]{0,60}") {
            of_metrics(&text);
            of_metrics(&format!("vllm:num_requests_running{name}"));
            let _ = of_load(&text);
        }
    }
}

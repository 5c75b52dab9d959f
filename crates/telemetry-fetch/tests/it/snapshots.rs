//! Windows between two snapshots.

use serde_json::Value;

use crate::{document, row, run, server::metrics, warnings};

const BEFORE: &str = "\
# TYPE process_start_time_seconds gauge
process_start_time_seconds 100
# TYPE sglang:prompt_tokens_total counter
sglang:prompt_tokens_total{model_name=\"m\"} 1000
# TYPE sglang:cached_tokens_total counter
sglang:cached_tokens_total{cache_source=\"device\",model_name=\"m\"} 100
# TYPE sglang:cache_hit_rate gauge
sglang:cache_hit_rate{tp_rank=\"0\"} 0.0
# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{dp_rank=\"0\",tp_rank=\"0\"} 4
sglang:num_running_reqs{dp_rank=\"0\",tp_rank=\"1\"} 4
sglang:num_running_reqs{dp_rank=\"1\",tp_rank=\"0\"} 2
# TYPE sglang:max_total_num_tokens gauge
sglang:max_total_num_tokens{tp_rank=\"0\"} 50000
sglang:max_total_num_tokens{tp_rank=\"1\"} 49000
# TYPE sglang:time_to_first_token_seconds histogram
sglang:time_to_first_token_seconds_bucket{le=\"0.25\"} 10
sglang:time_to_first_token_seconds_bucket{le=\"0.5\"} 10
sglang:time_to_first_token_seconds_bucket{le=\"+Inf\"} 10
sglang:time_to_first_token_seconds_sum 1
sglang:time_to_first_token_seconds_count 10
";

/// The same in OpenMetrics with underscores, later.
const AFTER: &str = "\
# TYPE process_start_time_seconds gauge
process_start_time_seconds 100
# TYPE sglang:prompt_tokens counter
sglang_prompt_tokens_total{model_name=\"m\"} 2000
# TYPE sglang:cached_tokens counter
sglang_cached_tokens_total{cache_source=\"device\",model_name=\"m\"} 600
sglang_cached_tokens_total{cache_source=\"host\",model_name=\"m\"} 100
# TYPE sglang:cache_hit_rate gauge
sglang_cache_hit_rate{tp_rank=\"0\"} 0.0
# TYPE sglang:num_running_reqs gauge
sglang_num_running_reqs{dp_rank=\"0\",tp_rank=\"0\"} 6
sglang_num_running_reqs{dp_rank=\"0\",tp_rank=\"1\"} 6
sglang_num_running_reqs{dp_rank=\"1\",tp_rank=\"0\"} 4
# TYPE sglang:max_total_num_tokens gauge
sglang_max_total_num_tokens{tp_rank=\"0\"} 50000
sglang_max_total_num_tokens{tp_rank=\"1\"} 49000
# TYPE sglang:time_to_first_token_seconds histogram
sglang_time_to_first_token_seconds_bucket{le=\"0.25\"} 10
sglang_time_to_first_token_seconds_bucket{le=\"0.5\"} 110
sglang_time_to_first_token_seconds_bucket{le=\"+Inf\"} 110
sglang_time_to_first_token_seconds_sum 41
sglang_time_to_first_token_seconds_count 110
# EOF
";

/// A window between two payloads.
fn window(before: &str, after: &str) -> Value {
    document(&between(before, after))
}

fn between(before: &str, after: &str) -> cli_kit::Report {
    let url = metrics(&[before, after]);
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for name in ["before.json", "after.json"] {
        let report = run(&format!("snapshot --url {url}")).unwrap();
        document(&report);
        let path = folder.path().join(name);
        std::fs::write(&path, report.json()).unwrap();
        paths.push(path.display().to_string());
    }
    run(&format!("window --before {} --after {}", paths[0], paths[1])).unwrap()
}

#[test]
fn a_window_is_what_grew_whatever_the_names_look_like() {
    let window = window(BEFORE, AFTER);
    assert_eq!(window["data"]["engine"]["kind"], "sglang");
    assert_eq!(
        window["data"]["derived"]["prefix_hit_ratio"], 0.6,
        "600 of 1000, by counters"
    );
    assert_eq!(row(&window, "last_batch_hit_ratio")["semantics"], "last_batch");
    // Two data ranks; the second tensor rank is not counted again. Two readings make no mean of the window.
    assert_eq!(row(&window, "running_requests")["value"], 8.0);
    assert_eq!(window["data"]["derived"]["mean_running"], Value::Null);
    assert_eq!(
        window["data"]["engine"]["startup_attributes"]["kv_capacity_tokens"],
        49000.0
    );
    let ttft = row(&window, "ttft_ms");
    assert_eq!(
        (&ttft["value"], &ttft["count"]),
        (&Value::from(400.0), &Value::from(100))
    );
    let p95 = &ttft["quantiles"].as_array().unwrap()[2];
    assert_eq!(
        (&p95["q"], &p95["value"], &p95["lo"], &p95["hi"]),
        (&0.95.into(), &487.5.into(), &250.0.into(), &500.0.into())
    );
    assert_eq!(window["data"]["sources"][0]["resets"], 0);
    assert_eq!(window["data"]["sources"][0]["samples"], 29);
    assert_eq!(
        window["data"]["derived"]["preemptions"],
        Value::Null,
        "what is not exported is not 0"
    );
    assert!(warnings(&window).contains(&"gauges-few-readings"));
    assert_eq!(window["inputs"].as_array().unwrap().len(), 2);
}

/// Names as TokenSpeed f4d8ec6 registers them; no payload of a running one is at hand.
#[test]
fn tokenspeed_is_recognised_and_has_its_hits() {
    let text = |prompt: u32, hits: u32| {
        format!(
            "# TYPE tokenspeed:num_requests_running gauge\ntokenspeed:num_requests_running 2\n\
             # TYPE tokenspeed:prompt_tokens_total counter\ntokenspeed:prompt_tokens_total {prompt}\n\
             # TYPE tokenspeed:prefix_cache_hits_total counter\ntokenspeed:prefix_cache_hits_total {hits}\n\
             # TYPE tokenspeed:kv_cache_usage_perc gauge\ntokenspeed:kv_cache_usage_perc 0.5\n"
        )
    };
    let window = window(&text(1000, 100), &text(3000, 600));
    assert_eq!(window["data"]["engine"]["kind"], "tokenspeed");
    assert_eq!(window["data"]["derived"]["prefix_hit_ratio"], 0.25);
    assert_eq!(row(&window, "running_requests")["value"], 2.0);
    assert_eq!(row(&window, "kv_usage_ratio")["max"], 0.5);
}

#[test]
fn a_restart_between_two_snapshots_is_seen_by_the_birth_of_the_process() {
    let after = AFTER.replace("process_start_time_seconds 100", "process_start_time_seconds 500");
    let window = window(BEFORE, &after);
    assert_eq!(row(&window, "prompt_tokens")["value"], 2000.0);
    assert_eq!(row(&window, "ttft_ms")["count"], 110);
    assert_eq!(window["data"]["sources"][0]["resets"], 1);
    assert_eq!(window["data"]["incidents"][0]["kind"], "restart");
    assert!(warnings(&window).contains(&"engine-restarted"));
}

#[test]
fn a_percentage_is_no_ratio() {
    let gpu = "# TYPE DCGM_FI_PROF_PIPE_TENSOR_ACTIVE gauge\nDCGM_FI_PROF_PIPE_TENSOR_ACTIVE{gpu=\"0\"} 85.5\n\
               # TYPE DCGM_FI_DEV_GPU_UTIL gauge\nDCGM_FI_DEV_GPU_UTIL{gpu=\"0\"} 100\nDCGM_FI_DEV_GPU_UTIL{gpu=\"1\"} 50\n";
    let window = window(gpu, gpu);
    assert_eq!(window["data"]["sources"][0]["kind"], "dcgm");
    assert_eq!(row(&window, "gpu_tensor_active_ratio")["value"], Value::Null);
    assert!(warnings(&window).contains(&"ratio-out-of-range"));
    let rows = window["data"]["metrics"].as_array().unwrap();
    let utilised: Vec<&Value> = rows
        .iter()
        .filter(|row| row["id"] == "gpu_utilization_pct")
        .collect();
    assert_eq!(utilised.len(), 2, "one row a device");
    assert_eq!(utilised[1]["labels"]["gpu"], "1");
}

/// Where a quantile lies within a wide bucket is a guess: the view shows the bucket, and the document both.
#[test]
fn of_a_wide_bucket_the_view_shows_its_bounds_only() {
    let wide = |text: &str| text.replace("le=\"0.5\"", "le=\"1.0\"");
    let view = |before: &str, after: &str| {
        let report = between(before, after);
        (document(&report), report.view().to_markdown())
    };
    let narrow = |text: &str| text.replace("le=\"0.25\"", "le=\"0.45\"");
    let (seen, text) = view(&narrow(BEFORE), &narrow(AFTER));
    assert_eq!(row(&seen, "ttft_ms")["quantiles"][0]["hi"], 500.0);
    assert!(text.contains("475.0 [450.0, 500.0]"), "{text}");
    let (seen, text) = view(&wide(BEFORE), &wide(AFTER));
    let median = &row(&seen, "ttft_ms")["quantiles"][0];
    assert_eq!((&median["value"], &median["hi"]), (&625.0.into(), &1000.0.into()));
    assert!(
        text.contains("| 250.0..1000 |") && !text.contains("625"),
        "{text}"
    );
}

#[test]
fn summaries_are_short() {
    let url = metrics(&[BEFORE, AFTER]);
    let report = run(&format!("window --url {url} -- true")).unwrap();
    let document = document(&report);
    assert!(document["summary"].as_str().unwrap().chars().count() <= 400);
}

#[test]
fn snapshots_that_lie_far_around_what_was_asked_for_say_so() {
    let url = metrics(&[BEFORE, AFTER]);
    let folder = tempfile::tempdir().unwrap();
    let mut snapshots = Vec::new();
    for (name, pause_ms) in [("before.json", 1500), ("after.json", 0)] {
        let report = run(&format!("snapshot --url {url}")).unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, report.json()).unwrap();
        snapshots.push((path.display().to_string(), document(&report)));
        std::thread::sleep(std::time::Duration::from_millis(pause_ms));
    }
    let at = |index: usize| -> jiff::Timestamp {
        let read_at = snapshots[index].1["data"]["sources"][0]["read_at"]
            .as_str()
            .unwrap();
        read_at.parse().unwrap()
    };
    let told = |start: jiff::Timestamp, end: jiff::Timestamp| {
        let line = format!(
            "window --before {} --after {} --start {start} --end {end}",
            snapshots[0].0, snapshots[1].0
        );
        warnings(&document(&run(&line).unwrap())).contains(&"window-wider-than-asked")
    };
    let part = at(0) + jiff::SignedDuration::from_millis(200);
    assert!(told(part, part + jiff::SignedDuration::from_millis(100)));
    assert!(!told(at(0), at(1)));
}

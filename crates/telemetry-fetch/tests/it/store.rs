//! Windows of a store that answers what it is told, in the words of the Prometheus API.

use contracts::Exit;
use serde_json::{Value, json};

use crate::server::{Answer, answer};
use crate::{document, row, run, warnings};

/// 2026-11-21T23:00:00Z.
const START: i64 = 1_795_302_000;
const SPAN: &str = "--start 2026-11-21T23:00:00Z --end 2026-11-21T23:01:00Z";

fn success(result: &Value) -> Answer {
    let answer = json!({"status": "success", "data": {"resultType": "matrix", "result": result}});
    ("200 OK", answer.to_string())
}

/// A sample a reading, every second from the start on.
fn series(name: &str, labels: &Value, values: &[f64]) -> Value {
    let mut metric = labels.clone();
    metric["__name__"] = json!(name);
    let second = |index: usize| START + i64::try_from(index).unwrap();
    let values: Vec<Value> = values
        .iter()
        .enumerate()
        .map(|(index, value)| json!([second(index), value.to_string()]))
        .collect();
    json!({"metric": metric, "values": values})
}

/// Answers as a store with these series; `clock` is how a query of its time is answered.
fn store(all: Vec<Value>) -> impl Fn(&str, &str) -> Answer {
    move |request, body| {
        let of = |keep: &dyn Fn(&str) -> bool| -> Vec<&Value> {
            let is_kept = |series: &&Value| keep(series["metric"]["__name__"].as_str().unwrap());
            // A selector has the instance of its target in it.
            let is_asked = |series: &&Value| match series["metric"]["instance"].as_str() {
                Some(instance) if body.contains("instance") => body.contains(instance),
                _ => true,
            };
            all.iter().filter(is_kept).filter(is_asked).collect()
        };
        let is_process = |name: &str| name == "up" || name == "process_start_time_seconds";
        if request.starts_with("POST /api/v1/series ") {
            let metrics: Vec<&Value> = of(&|name| !is_process(name))
                .iter()
                .map(|series| &series["metric"])
                .collect();
            (
                "200 OK",
                json!({"status": "success", "data": metrics}).to_string(),
            )
        } else if body.contains("time%28%29") {
            let now = jiff::Timestamp::now().as_millisecond() as f64 / 1e3;
            success(&json!([now, now.to_string()]))
        } else if body.contains("process_start_time_seconds") {
            success(&json!(of(&is_process)))
        } else {
            success(&json!(of(&|name| !is_process(name))))
        }
    }
}

fn engine(instance: &str) -> Vec<Value> {
    let labels = json!({"job": "v", "instance": instance, "engine": "0", "model_name": "m"});
    let target = json!({"job": "v", "instance": instance});
    let bucket = |le: &str, values: &[f64]| {
        let mut labels = labels.clone();
        labels["le"] = json!(le);
        series("vllm:time_to_first_token_seconds_bucket", &labels, values)
    };
    vec![
        series(
            "process_start_time_seconds",
            &target,
            &[10.0, 10.0, 10.0, 99.0, 99.0],
        ),
        series("up", &target, &[1.0, 1.0, 1.0, 1.0, 1.0, 0.0]),
        series(
            "vllm:generation_tokens_total",
            &labels,
            &[100.0, 150.0, 200.0, 20.0, 70.0],
        ),
        series("vllm:num_requests_running", &labels, &[2.0, 2.0, 2.0, 2.0, 2.0]),
        bucket("0.25", &[10.0, 12.0, 14.0, 1.0, 2.0]),
        bucket("0.5", &[10.0, 14.0, 18.0, 2.0, 4.0]),
        bucket("+Inf", &[10.0, 14.0, 18.0, 2.0, 4.0]),
        series(
            "vllm:time_to_first_token_seconds_count",
            &labels,
            &[10.0, 14.0, 18.0, 2.0, 4.0],
        ),
        series(
            "vllm:time_to_first_token_seconds_sum",
            &labels,
            &[1.0, 2.0, 3.0, 0.5, 1.0],
        ),
        series("vllm:no_metric_of_ours", &labels, &[1.0]),
    ]
}

#[test]
fn a_window_with_a_restart() {
    let (url, asked) = answer(store(engine("a1")));
    let line = format!("window --prometheus {url}/prometheus/api/v1 {SPAN}");
    // Under a prefix nobody answers here: the URL is taken as it is.
    assert_eq!(run(&line).unwrap_err().document.code, "store-foreign");
    let line = format!(
        "window --prometheus {url}/api/v1 --label model_name=m --header X-Scope-OrgID:team --header Authorization:hunter2222 {SPAN} --format json"
    );
    let report = run(&line).unwrap();
    let document = document(&report);
    assert!(!report.json().contains("hunter2222"));
    let data = &document["data"];
    assert_eq!(data["engine"]["kind"], "vllm");
    assert_eq!(data["engine"]["model"], "m");
    // 100 before the restart, 70 after it.
    assert_eq!(row(&document, "generation_tokens")["value"], 170.0);
    let ttft = row(&document, "ttft_ms");
    assert_eq!((&ttft["count"], &ttft["value"]), (&json!(12), &json!(250.0)));
    assert_eq!(ttft["quantiles"][0]["value"], 250.0);
    assert_eq!(data["derived"]["mean_running"], 2.0);
    let source = &data["sources"][0];
    assert_eq!(
        (&source["kind"], &source["readings"], &source["resets"]),
        (&json!("prometheus"), &json!(5), &json!(1))
    );
    assert!(
        source["url"]
            .as_str()
            .unwrap()
            .ends_with(r#"{instance="a1",job="v"}"#),
        "{source}"
    );
    assert!(
        (source["coverage_pct"].as_f64().unwrap() - 100.0 * 4.0 / 60.0).abs() < 1e-5,
        "{source}"
    );
    assert!(
        source["reason"].as_str().unwrap().contains("could not scrape"),
        "{source}"
    );
    assert!(warnings(&document).contains(&"engine-restarted"));
    let asked = asked.lock().unwrap().join("\n");
    assert!(
        asked.contains("x-scope-orgid: team") && asked.contains("hunter2222"),
        "{asked}"
    );
    assert!(
        asked.contains("model_name%3D%22m%22") && asked.contains("%5B60000ms%5D"),
        "{asked}"
    );
}

#[test]
fn a_gauge_that_nobody_writes_any_more_is_said() {
    let labels = json!({"job": "v", "instance": "a1", "engine": "0", "model_name": "m"});
    let all = |usage: &[f64]| {
        vec![
            series(
                "vllm:generation_tokens_total",
                &labels,
                &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            ),
            series("vllm:kv_cache_usage_perc", &labels, usage),
        ]
    };
    for (usage, is_stale) in [([0.99; 6], true), ([0.99, 0.5, 0.99, 0.99, 0.99, 0.99], false)] {
        let (url, _) = answer(store(all(&usage)));
        let document = document(&run(&format!("window --prometheus {url}/api/v1 {SPAN}")).unwrap());
        assert_eq!(warnings(&document).contains(&"gauge-stale"), is_stale);
        assert_eq!(row(&document, "kv_usage_ratio")["stale"], is_stale);
    }
}

#[test]
fn two_engines_are_told_apart() {
    let mut all = engine("a1");
    all.extend(engine("b2"));
    let (url, _) = answer(store(all));
    let report = run(&format!("window --prometheus {url} {SPAN} --format json")).unwrap();
    let document = document(&report);
    assert_eq!(document["data"]["sources"].as_array().unwrap().len(), 2);
    let rows = document["data"]["metrics"].as_array().unwrap();
    let of: Vec<&Value> = rows
        .iter()
        .filter(|row| row["id"] == "generation_tokens")
        .collect();
    assert_eq!(of.len(), 2);
    assert_ne!(of[0]["labels"]["source"], of[1]["labels"]["source"]);
}

#[test]
fn a_store_that_has_nothing_says_why() {
    let fails = |line: &str, exit: Exit, code: &str, hint: &str| {
        let failure = run(line).unwrap_err();
        assert_eq!(
            (failure.exit, failure.document.code.as_str()),
            (exit, code),
            "{failure:?}"
        );
        let said = failure.document.hint.clone().unwrap_or_default();
        assert!(said.contains(hint), "{said}");
        failure
    };
    let (url, _) = answer(store(Vec::new()));
    let line = format!("window --prometheus {url} {SPAN}");
    assert!(
        fails(&line, Exit::Unavailable, "store-empty", "latencyOffset")
            .document
            .retryable
    );
    let (url, _) = answer(store(vec![series(
        "vllm:generation_tokens_total",
        &json!({"instance": "a"}),
        &[1.0],
    )]));
    let failure = fails(
        &format!("window --prometheus {url} {SPAN}"),
        Exit::Unavailable,
        "store-empty",
        "scrape",
    );
    assert!(failure.document.message.contains("1 reading"), "{failure:?}");
    let many = (0..20).map(|n| {
        series(
            "vllm:generation_tokens_total",
            &json!({"instance": format!("h{n}")}),
            &[1.0],
        )
    });
    let (url, _) = answer(store(many.collect()));
    fails(
        &format!("window --prometheus {url} {SPAN}"),
        Exit::Usage,
        "store-many-targets",
        "--label instance=",
    );
    for (status, body, code, hint) in [
        (
            "400 Bad Request",
            r#"{"status":"error","errorType":"bad_data","error":"hunter2222 is no range"}"#,
            "store-refused",
            "shorter",
        ),
        (
            "422 Unprocessable Entity",
            r#"{"status":"error","errorType":"422","error":"too many points"}"#,
            "store-refused",
            "--label",
        ),
        ("200 OK", "<html>Sign in</html>", "store-foreign", "base URL"),
        ("404 Not Found", "404 page not found", "store-foreign", "Mimir"),
        ("401 Unauthorized", "no org id", "unauthorized", "X-Scope-OrgID"),
    ] {
        let (url, _) = answer(move |_, _| (status, body.to_owned()));
        let line = format!("window --prometheus {url} --header Authorization:hunter2222 {SPAN}");
        let failure = fails(&line, Exit::Unavailable, code, hint);
        assert!(!format!("{failure:?}").contains("hunter2222"), "{failure:?}");
    }
    fails(
        &format!("window --prometheus h:1 --header nonsense {SPAN}"),
        Exit::Usage,
        "store-header-unreadable",
        "NAME:VALUE",
    );
    fails(
        &format!("window --prometheus h:1 --label 1=2 {SPAN}"),
        Exit::Usage,
        "store-label-unreadable",
        "job=",
    );
    let reversed = "window --prometheus h:1 --start 2026-11-21T23:01:00Z --end 2026-11-21T23:00:00Z";
    fails(reversed, Exit::Usage, "window-empty", "exchange");
}

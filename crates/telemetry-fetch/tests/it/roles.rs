//! Deployments of several engines: a router, prefill and decode servers.

use serde_json::Value;

use crate::server::{answer, metrics};
use crate::{document, run};

fn payload(prompt: u32, generated: Option<u32>, waiting: u32) -> String {
    let generated = generated.map_or(String::new(), |count| {
        format!("# TYPE sglang:generation_tokens_total counter\nsglang:generation_tokens_total {count}\n")
    });
    format!(
        "# TYPE sglang:prompt_tokens_total counter\nsglang:prompt_tokens_total {prompt}\n\
         # TYPE sglang:num_running_reqs gauge\nsglang:num_running_reqs 2\n\
         # TYPE sglang:num_queue_reqs gauge\nsglang:num_queue_reqs {waiting}\n{generated}"
    )
}

#[test]
fn roles_are_told_apart_and_not_added() {
    let prefill = metrics(&[&payload(1000, None, 7), &payload(3000, None, 7)]);
    let decode = metrics(&[&payload(1000, Some(10), 0), &payload(3000, Some(510), 0)]);
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for name in ["before.json", "after.json"] {
        let report = run(&format!("snapshot --url prefill={prefill} --url decode={decode}")).unwrap();
        assert_eq!(document(&report)["data"]["sources"][0]["role"], "prefill");
        let path = folder.path().join(name);
        std::fs::write(&path, report.json()).unwrap();
        paths.push(path.display().to_string());
    }
    let report = run(&format!("window --before {} --after {}", paths[0], paths[1])).unwrap();
    let window = document(&report);
    let data = &window["data"];
    assert_eq!(data["sources"][1]["role"], "decode");
    let prompts: Vec<&Value> = data["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["id"] == "prompt_tokens")
        .collect();
    assert_eq!(prompts.len(), 2);
    assert!(
        prompts
            .iter()
            .all(|row| row["value"] == 2000.0 && row["labels"]["role"].is_string())
    );
    // Both read the same prompts, and one of them generates.
    let derived = &data["derived"];
    assert_eq!(
        (&derived["input_tps"], &derived["mean_waiting"]),
        (&Value::Null, &Value::Null)
    );
    assert!(derived["output_tps"].as_f64().unwrap() > 0.0);
    let roles = data["roles"].as_array().unwrap();
    assert_eq!(
        (&roles[0]["role"], &roles[1]["role"]),
        (&"decode".into(), &"prefill".into())
    );
    assert!(roles[1]["derived"]["input_tps"].as_f64().unwrap() > 0.0);
    assert_eq!(roles[1]["derived"]["output_tps"], Value::Null);
    let view = report.view().to_markdown();
    assert!(view.contains("decode") && view.contains("prefill"), "{view}");
    assert!(view.contains("input_tps"), "{view}");
}

#[test]
fn two_servers_of_one_role_are_added() {
    let text = payload(1000, Some(10), 1);
    let later = payload(3000, Some(110), 1);
    let urls = [(); 2].map(|()| format!("--url decode={}", metrics(&[&text, &text, &text, &later])));
    let report = run(&format!(
        "window {} --interval 100ms -- sleep 0.8",
        urls.join(" ")
    ))
    .unwrap();
    let window = document(&report);
    assert_eq!(window["data"]["roles"].as_array().unwrap().len(), 1);
    assert_eq!(window["data"]["derived"]["mean_running"], 4.0);
    assert_eq!(window["data"]["roles"][0]["derived"], window["data"]["derived"]);
}

#[test]
fn servers_without_a_role_stand_beside_those_with_one() {
    let (plain, later) = (payload(1000, Some(10), 9), payload(3000, Some(110), 9));
    let prefill = metrics(&[&payload(1000, None, 0)]);
    // One reading finds the path, one finds out who answers, one begins the window.
    let other = metrics(&[&plain, &plain, &plain, &later]);
    let urls = format!("--url prefill={prefill} --url {other}");
    let report = run(&format!("window {urls} --interval 100ms -- sleep 1")).unwrap();
    let window = document(&report);
    let roles = window["data"]["roles"].as_array().unwrap();
    assert_eq!(
        (&roles[0]["role"], &roles[1]["role"]),
        (&Value::Null, &"prefill".into())
    );
    assert_eq!(roles[0]["derived"]["mean_waiting"], 9.0);
    // What limits is there.
    let summary = window["summary"].as_str().unwrap();
    assert!(summary.contains("(no role): Requests wait"), "{summary}");
    let view = report.view().to_markdown();
    assert!(view.contains("(no role)") && view.contains("prefill"), "{view}");
}

#[test]
fn one_simulated_engine_makes_the_window_simulated() {
    let text = payload(1000, Some(10), 0);
    let real = metrics(&[&text]);
    let (simulated, _) = answer(move |asked, _| {
        let path = asked.split(' ').nth(1).unwrap_or_default();
        match path {
            "/metrics" => ("200 OK", text.clone()),
            "/v1/models" => ("200 OK", r#"{"data":[{"id":"m","simulated":true}]}"#.to_owned()),
            _ => ("404 Not Found", "{}".to_owned()),
        }
    });
    let urls = format!("--url prefill={real} --url decode={simulated}");
    for line in [
        format!("snapshot {urls}"),
        format!("window {urls} --interval 10s -- true"),
    ] {
        assert_eq!(document(&run(&line).unwrap())["simulated"], true, "{line}");
    }
    let alone = format!("window --url {real} --interval 10s -- true");
    assert_eq!(document(&run(&alone).unwrap())["simulated"], false);
}

/// The window between two snapshots of these servers, the second of which is changed before it is read.
fn between(urls: &str, change: impl Fn(&mut Value)) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for name in ["before.json", "after.json"] {
        let mut snapshot = document(&run(&format!("snapshot {urls}")).unwrap());
        if name == "after.json" {
            change(&mut snapshot);
        }
        let path = folder.path().join(name);
        std::fs::write(&path, snapshot.to_string()).unwrap();
        paths.push(path.display().to_string());
    }
    document(&run(&format!("window --before {} --after {}", paths[0], paths[1])).unwrap())
}

#[test]
fn each_server_has_its_own_clock() {
    let text = payload(1000, Some(10), 0);
    let urls = format!(
        "--url prefill={} --url decode={}",
        metrics(&[&text]),
        metrics(&[&text])
    );
    let window = between(&urls, |snapshot| {
        for (source, least) in [(0, -100), (1, 5000)] {
            let source = &mut snapshot["data"]["sources"][source];
            source["clock_lead_min_ms"] = least.into();
            source["clock_lead_max_ms"] = (least + 200).into();
        }
    });
    assert_eq!(window["data"]["window"]["clock_skew_ms"], 5100);
    assert!(crate::warnings(&window).contains(&"clocks-differ"));
}

#[test]
fn what_the_engine_began_with_is_of_one_server() {
    let of = |tokens: u32| {
        format!(
            "sglang:max_total_num_tokens {tokens}\n{}",
            payload(1000, Some(10), 0)
        )
    };
    let urls = format!(
        "--url prefill={} --url decode={}",
        metrics(&[&of(111)]),
        metrics(&[&of(222)])
    );
    let window = between(&urls, |_| {});
    let began = &window["data"]["engine"]["startup_attributes"];
    let values: Vec<&Value> = began.as_object().unwrap().values().collect();
    assert_eq!(values, [111.0], "{began}");
}

#[test]
fn devices_of_one_snapshot_only_are_a_reason() {
    let text = payload(1000, Some(10), 0);
    let window = between(&format!("--url {}", metrics(&[&text])), |snapshot| {
        snapshot["data"]["gpu"] =
            serde_json::json!({"at": "2026-01-01T00:00:00Z", "driver_version": null, "devices": []});
    });
    assert_eq!(window["data"]["gpu"], Value::Null);
    let told = window["warnings"].as_array().unwrap().iter();
    let told: Vec<&Value> = told
        .filter(|warning| warning["code"] == "gpu-unavailable")
        .collect();
    assert!(
        told.len() == 1 && told[0]["message"].as_str().unwrap().contains("one of the two"),
        "{told:?}"
    );
}

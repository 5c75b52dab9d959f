//! Windows around a command.

use contracts::Exit;
use serde_json::Value;

use crate::server::{metrics, serve};
use crate::{document, row, run, warnings};

fn tokens(count: u32) -> String {
    format!("# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total {count}\n")
}

#[test]
fn the_command_s_end_is_in_the_document_and_the_exit_is_ours() {
    // One reading finds the path, one finds out who answers, one begins the window, one ends it.
    let (one, two) = (tokens(100), tokens(150));
    let url = metrics(&[&one, &one, &one, &two]);
    let report = run(&format!("window --url {url}/metrics --interval 10s -- false")).unwrap();
    let window = document(&report);
    assert_eq!(report.exit(), Exit::Ok);
    assert_eq!(window["data"]["command"]["argv"][0], "false");
    assert_eq!(window["data"]["command"]["exit_code"], 1);
    assert!(warnings(&window).contains(&"command-failed"));
    assert_eq!(row(&window, "generation_tokens")["value"], 50.0);
    assert_eq!(window["complete"], true);
    assert_eq!(window["data"]["engine"]["kind"], "vllm");
}

#[test]
fn a_server_that_goes_away_is_an_incident_and_no_failure() {
    let ok = ("200 OK", tokens(7));
    let url = serve(
        "/metrics",
        vec![
            ok.clone(),
            ok.clone(),
            ok,
            ("503 Service Unavailable", String::new()),
        ],
    );
    let report = run(&format!("window --url {url} --interval 10s -- true")).unwrap();
    let window = document(&report);
    let source = &window["data"]["sources"][0];
    assert_eq!(
        (&source["status"], &source["readings"]),
        (&Value::from("partial"), &Value::from(1))
    );
    assert_eq!(window["data"]["incidents"][0]["kind"], "scrape_failed");
    assert_eq!(
        row(&window, "generation_tokens")["value"],
        Value::Null,
        "one reading says nothing of a window"
    );
}

#[test]
fn tensorrt_llm_has_its_metrics_elsewhere() {
    let text = "# TYPE trtllm_generation_tokens counter\ntrtllm_generation_tokens_total 5\n";
    let url = serve("/prometheus/metrics", vec![("200 OK", text.to_owned())]);
    let report = run(&format!("snapshot --url {url}")).unwrap();
    let snapshot = document(&report);
    assert_eq!(snapshot["data"]["engine"]["kind"], "tensorrt-llm");
    assert!(
        snapshot["data"]["sources"][0]["url"]
            .as_str()
            .unwrap()
            .ends_with("/prometheus/metrics")
    );
}

#[test]
fn a_histogram_without_a_sum_has_no_mean() {
    let text = |count: u32| {
        format!(
            "# TYPE vllm:time_to_first_token_seconds histogram\n\
             vllm:time_to_first_token_seconds_bucket{{le=\"0.5\"}} {count}\n\
             vllm:time_to_first_token_seconds_bucket{{le=\"+Inf\"}} {count}\n\
             vllm:time_to_first_token_seconds_count {count}\n"
        )
    };
    let url = metrics(&[&text(1), &text(1), &text(1), &text(9)]);
    let window = document(&run(&format!("window --url {url} --interval 10s -- true")).unwrap());
    let ttft = row(&window, "ttft_ms");
    assert_eq!((&ttft["count"], &ttft["value"]), (&8.into(), &Value::Null));
    assert_eq!(ttft["quantiles"][0]["hi"], 500.0);
}

//! Servers that do not answer as they should, on loopback.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use contracts::Exit;

use crate::run::run;

const MODELS: &str = r#"{"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "sglang", "max_model_len": 4096}]}"#;

/// A server that answers each path with a status and a body, or hangs up; its URL.
fn server(answer: impl Fn(&str) -> Option<(u16, &'static str)> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            // A request without its headers read may be reset.
            lines.by_ref().find(String::is_empty);
            let path = request.split(' ').nth(1).unwrap_or_default();
            if let Some((status, body)) = answer(path) {
                let head = format!(
                    "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let _ = (&stream).write_all(format!("{head}{body}").as_bytes());
            }
        }
    });
    url
}

/// Code and hint of the failure; a server that is not as it should be is always 4.
fn fails(url: &str) -> (String, String) {
    let failure = run(&["live", "--url", url]).expect_err("no document can be made");
    assert_eq!(failure.exit, Exit::Unavailable, "{failure:?}");
    let hint = failure.document.hint.clone().expect("every failure has a hint");
    (failure.document.code.clone(), hint)
}

#[test]
fn a_server_that_refuses_or_is_another_is_named() {
    assert_eq!(fails(&server(|_| Some((401, "{}")))).0, "unauthorized");
    assert_eq!(
        fails(&server(|_| Some((200, "<html>sign in</html>")))).0,
        "not-openai"
    );
    assert_eq!(fails(&server(|_| Some((503, "loading")))).0, "not-ready");
    // It hangs up before it answers.
    assert_eq!(fails(&server(|_| None)).0, "not-openai");
}

#[test]
fn a_server_whose_memory_is_behind_a_key_is_no_server_without_metrics() {
    let open = |path: &str| (path == "/v1/models").then_some((200, MODELS));
    let (code, hint) = fails(&server(move |path| open(path).or(Some((404, "{}")))));
    assert_eq!(code, "live-says-nothing");
    assert!(hint.contains("--enable-metrics"), "{hint}");
    let (code, hint) = fails(&server(move |path| open(path).or(Some((401, "{}")))));
    assert_eq!(code, "live-says-nothing");
    assert!(hint.contains("--api-key-env"), "{hint}");
    // What is no metrics is none.
    let garbage = |path: &str| match path {
        "/v1/models" => Some((200, MODELS)),
        "/server_info" => Some((
            200,
            r#"{"internal_states": "x", "tp_size": -5, "page_size": 1e300}"#,
        )),
        _ => Some((200, "<html>sglang:max_total_num_tokens{ NaN</html>")),
    };
    assert_eq!(fails(&server(garbage)).0, "live-says-nothing");
}

#[test]
fn vllm_says_its_limit_on_requests_in_developer_mode_only() {
    const CARD: &str = r#"{"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "vllm", "max_model_len": 4096}]}"#;
    const INFO: &str = r#"{"vllm_config": {"scheduler_config": {"max_num_seqs": 8}, "cache_config": {"num_gpu_blocks_override": 1000}}}"#;
    const METRICS: &str =
        "vllm:cache_config_info{block_size=\"16\",cache_dtype=\"auto\",num_gpu_blocks=\"1000\"} 1.0\n";
    let limit = |info: Option<&'static str>| {
        let url = server(move |path| match path {
            "/v1/models" => Some((200, CARD)),
            "/metrics" => Some((200, METRICS)),
            "/server_info" => info.map_or(Some((404, "{}")), |info| Some((200, info))),
            _ => Some((404, "{}")),
        });
        crate::run::document(&["live", "--url", &url, "--lengths", "1000"])
    };
    let told = limit(Some(INFO));
    let row = &told["data"]["capacity"][0];
    assert_eq!(
        (&row["requests"], &row["binding_limit"]),
        (&8.into(), &"max_running_requests".into())
    );
    assert_eq!(crate::run::codes(&told["data"]["advice"])[0], "pool-is-capped");
    let untold = limit(None);
    assert_eq!(untold["data"]["capacity"][0]["binding_limit"], "kv_tokens");
}

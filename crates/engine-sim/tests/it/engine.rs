//! The scheduler model behind a socket: flags, refusals, logs, metrics and what is said of it all.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::client::{Got, exchange_at, post_bytes};

pub(crate) struct Engine {
    child: Child,
    address: SocketAddr,
}

impl Engine {
    pub(crate) fn start(arguments: &[&str]) -> Engine {
        let mut child = Command::new(env!("CARGO_BIN_EXE_engine-sim"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let port = ready["port"].as_u64().unwrap() as u16;
        Engine {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn get(&self, path: &str) -> Got {
        exchange_at(self.address, format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes())
    }

    pub(crate) fn ask(&self, prompt: &str, tokens: u32, stream: bool) -> Got {
        let body = json!({
            "messages": [{"role": "user", "content": prompt}], "max_tokens": tokens, "stream": stream,
            "stream_options": {"include_usage": true}, "ignore_eos": true,
        });
        exchange_at(
            self.address,
            &post_bytes("/v1/chat/completions", body.to_string().as_bytes(), ""),
        )
    }

    /// The value of a metric, its labels left aside.
    fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name}{{")))
            .unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Asks it to stop and returns its log.
    fn stop(mut self) -> String {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut log = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        log
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn sglang_serves_counts_logs_and_stops() {
    let engine = Engine::start(&["--flavor", "sglang", "--mem-fraction-static", "0.5"]);
    let got = engine.ask("a b c d", 10, true);
    assert!(got.done());
    assert_eq!(got.events().len(), 14);
    let again = engine.ask("a b c d", 5, false).json();
    assert_eq!(again["usage"]["completion_tokens"], 5);
    assert_eq!(again["usage"]["prompt_tokens_details"]["cached_tokens"], 3);
    assert_eq!(engine.metric("sglang:prompt_tokens_total"), 8.0);
    assert_eq!(engine.metric("sglang:generation_tokens_total"), 15.0);
    assert_eq!(engine.metric("sglang:cached_tokens_total"), 3.0);
    assert_eq!(engine.metric("sglang:time_to_first_token_seconds_count"), 2.0);
    assert_eq!(engine.metric("sglang:inter_token_latency_seconds_count"), 13.0);
    assert_eq!(engine.metric("sglang:num_running_reqs"), 0.0);
    let info = engine.get("/server_info").json();
    assert_eq!(
        (info["simulated"].as_bool(), info["mem_fraction_static"].as_f64()),
        (Some(true), Some(0.5))
    );
    assert!(info["internal_states"][0]["memory_usage"]["token_capacity"].as_u64() > Some(100_000));
    assert_eq!(engine.get("/flush_cache").status(), 200);
    assert_eq!(
        engine.ask("a b c d", 1, false).json()["usage"]["prompt_tokens_details"]["cached_tokens"],
        0
    );
    let log = engine.stop();
    for line in [
        "Load weight end. elapsed=",
        "KV Cache is allocated. #tokens: ",
        "max_total_num_tokens=",
        "The server is fired up and ready to roll!",
        "Prefill batch, #new-seq: 1, #new-token: 4, #cached-token: 0",
    ] {
        assert!(log.contains(line), "{line} in\n{log}");
    }
}

#[test]
fn vllm_has_other_names_for_the_same_things() {
    let engine = Engine::start(&[
        "--flavor",
        "vllm",
        "--served-model-name",
        "tiny",
        "--max-model-len",
        "64",
    ]);
    assert!(engine.ask("a b c d", 10, true).done());
    assert_eq!(engine.metric("vllm:generation_tokens_total"), 10.0);
    assert_eq!(engine.metric("vllm:kv_cache_usage_perc"), 0.0);
    assert!(
        engine
            .get("/metrics")
            .text()
            .contains("finished_reason=\"length\"} 1.0")
    );
    assert_eq!(engine.get("/version").json()["simulated"], true);
    assert_eq!(
        engine.get("/server_info").json()["vllm_config"]["max_model_len"],
        64
    );
    let models = engine.get("/v1/models").json();
    assert_eq!(
        (
            models["data"][0]["id"].as_str(),
            models["data"][0]["owned_by"].as_str()
        ),
        (Some("tiny"), Some("vllm"))
    );
    let long = engine.ask("a b c d", 61, true);
    assert_eq!(long.status(), 400);
    assert!(long.text().contains("maximum context length is 64 tokens"));
    let log = engine.stop();
    for line in [
        "Available KV cache memory: ",
        "GPU KV cache size: ",
        "Maximum concurrency for 64 tokens per request: ",
    ] {
        assert!(log.contains(line), "{line} in\n{log}");
    }
}

#[test]
fn a_client_that_leaves_is_aborted() {
    let engine = Engine::start(&["--flavor", "sglang", "--quiet"]);
    let body = json!({"messages": [{"role": "user", "content": "a"}], "max_tokens": 20_000, "stream": true});
    let mut socket = std::net::TcpStream::connect(engine.address).unwrap();
    let request = post_bytes("/v1/chat/completions", body.to_string().as_bytes(), "");
    std::io::Write::write_all(&mut socket, &request).unwrap();
    socket.read_exact(&mut [0; 400]).unwrap();
    drop(socket);
    let aborted = (0..2000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        engine.metric("sglang:num_aborted_requests_total") == 1.0
    });
    assert!(aborted);
    assert_eq!(engine.metric("sglang:num_running_reqs"), 0.0);
}

/// Runs a command line that does not start, and returns its exit code and what it said.
fn refused(line: &str) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_engine-sim"))
        .args(line.split(' '))
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn flags_of_the_other_engine_and_nonsense_are_refused_as_the_engine_does() {
    for (line, words) in [
        (
            "--flavor sglang --max-num-seqs 8",
            "launch_server.py: error: unrecognized arguments: --max-num-seqs",
        ),
        (
            "--flavor vllm --enable-mixed-chunk --page-size 2",
            "vllm serve: error: unrecognized arguments: --enable-mixed-chunk --page-size",
        ),
        (
            "--flavor sglang --num-continuous-decode-steps many",
            "argument --num-continuous-decode-steps: invalid int value: 'many'",
        ),
        (
            "--flavor sglang --num-continuous-decode-steps 0",
            "expected at least 1, got 0",
        ),
        (
            "--flavor sglang --num-continuous-decode-steps -8",
            "expected at least 1, got -8",
        ),
        (
            "--flavor sglang --schedule-policy best",
            "invalid choice: 'best' (choose from 'lpm', 'fcfs')",
        ),
        (
            "--flavor sglang --mem-fraction-static 1.5",
            "--mem-fraction-static",
        ),
        (
            "--flavor sglang --chunked-prefill-size -1 --enable-mixed-chunk",
            "enable_mixed_chunk",
        ),
        (
            "--flavor sglang --chunked-prefill-size 100 --page-size 64",
            "divisible by page_size",
        ),
        (
            "--flavor sglang --context-length 99999999",
            "greater than the derived context_length",
        ),
        (
            "--flavor vllm --max-num-batched-tokens 8 --max-num-seqs 16",
            "greater than or equal to max_num_seqs (16)",
        ),
        (
            "--flavor vllm --gpu-memory-utilization 1.2",
            "must be less than or equal to 1.0. Got 1.2",
        ),
        (
            "--flavor vllm --gpu-memory-utilization NaN",
            "invalid float value: 'NaN'",
        ),
        (
            "--flavor vllm --no-enable-chunked-prefill --max-num-batched-tokens 2048",
            "is smaller than max_model_len (32768)",
        ),
        ("--flavor vllm --block-size 17", "invalid choice: 17"),
        (
            "--flavor vllm --max-model-len 99999999",
            "greater than the derived max_model_len",
        ),
        ("--flavor vllm --model nobody/nothing", "no model nobody/nothing"),
        ("--flavor vllm --hardware abacus", "no hardware abacus"),
        ("--flavor vllm --noise-cv -1", "--noise-cv"),
    ] {
        let (code, text) = refused(line);
        assert_eq!(code, Some(2), "{line}: {text}");
        assert!(text.contains(words) && text.contains("error["), "{line}: {text}");
    }
}

#[test]
fn what_does_not_fit_into_memory_fails_at_start_as_the_engine_does() {
    for (line, words) in [
        (
            "--flavor sglang --model meta-llama/Llama-3.1-70B-Instruct",
            "CUDA out of memory",
        ),
        (
            "--flavor vllm --model meta-llama/Llama-3.1-70B-Instruct",
            "CUDA out of memory",
        ),
        (
            "--flavor sglang --model Qwen/Qwen3-32B --mem-fraction-static 0.6",
            "try to increase --mem-fraction-static",
        ),
        ("--flavor sglang --mem-fraction-static 0.99", "CUDA out of memory"),
        (
            "--flavor vllm --model Qwen/Qwen3-32B --gpu-memory-utilization 0.7",
            "No available memory for the cache blocks",
        ),
        (
            "--flavor vllm --gpu-memory-utilization 0.999",
            "less than desired GPU memory utilization",
        ),
        (
            "--flavor vllm --model meta-llama/Llama-3.1-8B-Instruct --hardware l4",
            "estimated maximum model length is",
        ),
    ] {
        let (code, text) = refused(line);
        assert_eq!(code, Some(1), "{line}: {text}");
        assert!(
            text.contains(words) && text.contains("error[out-of-memory]"),
            "{line}: {text}"
        );
    }
}

#[test]
fn a_planted_gap_has_its_size() {
    let tpot = |slowdown: &str| {
        let engine = Engine::start(&["--flavor", "sglang", "--quiet", "--slowdown", slowdown]);
        engine.ask("a b c", 40, true);
        let sum = engine.metric("sglang:inter_token_latency_seconds_sum");
        sum / engine.metric("sglang:inter_token_latency_seconds_count")
    };
    let ratio = tpot("20") / tpot("0");
    assert!((ratio - 1.2).abs() < 0.001, "{ratio}");
}

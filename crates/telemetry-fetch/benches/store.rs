//! What a window of a store costs: one hour of 50 series at one sample a second, from the socket to the document. Counts the
//! CPU time of the thread that reads and folds, not the one that plays the store. `cargo bench -p telemetry-fetch`.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;

use clap::Parser as _;

/// 2026-11-21T23:00:00Z.
const START: i64 = 1_795_302_000;
const SECONDS: i64 = 3600;
/// CPU seconds that it may cost.
const LIMIT_S: f64 = 0.2;
const WINDOW: &str = "--start 2026-11-21T23:00:00Z --end 2026-11-22T00:00:00Z";

/// Labels of the series: two counters, two gauges, and two histograms of 21 bounds, sum and count.
fn labels() -> Vec<String> {
    let of = |name: &str, le: &str| {
        format!(
            r#"{{"__name__":"vllm:{name}","engine":"0","instance":"127.0.0.1:8000","job":"vllm","model_name":"m"{le}}}"#
        )
    };
    let mut all = vec![
        of("generation_tokens_total", ""),
        of("prompt_tokens_total", ""),
        of("num_requests_running", ""),
        of("num_requests_waiting", ""),
    ];
    for name in ["time_to_first_token_seconds", "inter_token_latency_seconds"] {
        let bounds = (1..21)
            .map(|n| format!("{}", f64::from(n) / 10.0))
            .chain(["+Inf".to_owned()]);
        all.extend(bounds.map(|le| of(&format!("{name}_bucket"), &format!(r#","le":"{le}""#))));
        all.extend([of(&format!("{name}_sum"), ""), of(&format!("{name}_count"), "")]);
    }
    all
}

fn matrix(labels: &[String]) -> String {
    let mut out = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for (index, metric) in labels.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(out, r#"{comma}{{"metric":{metric},"values":["#);
        for second in 0..=SECONDS {
            let comma = if second == 0 { "" } else { "," };
            let _ = write!(out, r#"{comma}[{}.318,"{}"]"#, START + second, second * 417);
        }
        out.push_str("]}");
    }
    out.push_str("]}}");
    out
}

fn serve() -> std::io::Result<(String, usize, usize)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let labels = labels();
    let series = format!(r#"{{"status":"success","data":[{}]}}"#, labels.join(","));
    let samples = matrix(&labels);
    let told = (url, labels.len(), samples.len());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).is_ok_and(|read| read > 0) {}
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            });
            let mut form = vec![0; length.unwrap_or(0)];
            let _ = stream.read_exact(&mut form);
            let form = String::from_utf8_lossy(&form);
            let now = jiff::Timestamp::now().as_millisecond() as f64 / 1e3;
            let clock =
                format!(r#"{{"status":"success","data":{{"resultType":"scalar","result":[{now},"0"]}}}}"#);
            let body = if head.starts_with("POST /api/v1/series") {
                &series
            } else if form.contains("time%28%29") {
                &clock
            } else if form.contains("process_start_time_seconds") {
                r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#
            } else {
                &samples
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.get_mut().write_all(head.as_bytes());
            let _ = stream.get_mut().write_all(body.as_bytes());
        }
    });
    Ok(told)
}

/// CPU seconds of this thread, which also runs the tool's runtime.
fn cpu_s() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace()
        .next()?
        .parse::<f64>()
        .ok()
        .map(|ns| ns / 1e9)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `cargo test --benches` only wants to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let (url, series, bytes) = serve()?;
    let line = format!("telemetry-fetch window --prometheus {url} {WINDOW} --format json --quiet");
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let args = telemetry_fetch::cli::Args::try_parse_from(line.split_whitespace())?;
        let before = cpu_s().ok_or("no /proc/thread-self/schedstat")?;
        let report = telemetry_fetch::run(args).map_err(|failure| failure.document.message)?;
        best = best.min(cpu_s().ok_or("no /proc/thread-self/schedstat")? - before);
        let document: serde_json::Value = serde_json::from_str(report.json())?;
        if document["data"]["sources"][0]["readings"] != SECONDS + 1 {
            return Err(format!("another window: {}", document["data"]["sources"]).into());
        }
    }
    println!("one hour of {series} series at 1 s ({bytes} bytes): {best:.3} CPU-s (at most {LIMIT_S})");
    if best > LIMIT_S {
        return Err("over its limit".into());
    }
    Ok(())
}

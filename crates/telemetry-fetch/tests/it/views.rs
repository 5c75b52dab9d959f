//! Views stay within their budget, whatever was found, and what limits stands first.

use std::fmt::Write as _;
use std::path::Path;

use cli_kit::Report;

use crate::logs::{WINDOW, file};
use crate::server::metrics;
use crate::{document, run, warnings};

/// Both views, checked; the longer one's bytes.
fn sized(name: &str, report: &Report) -> usize {
    let views = [report.view().to_markdown(), report.view().to_terminal()];
    for view in &views {
        assert!(view.len() < 8192, "{name}: {} bytes", view.len());
        let limits = view.find("What limits").expect("what limits is shown");
        for later in ["Metrics of the window", "Numbers of the logs", "Sources"] {
            assert!(
                view.find(later).is_none_or(|later| limits < later),
                "{name}: {later} stands first"
            );
        }
        assert!(
            view.lines().all(|line| line.chars().count() <= 100) || view == &views[0],
            "{name}"
        );
    }
    views.iter().map(String::len).max().unwrap_or_default()
}

#[test]
fn views_of_real_engines_fit() {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        println!("views of real payloads: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
        return;
    };
    let folder = Path::new(&data).join("telemetry/prom_text");
    let mut payloads = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let report = run(&format!(
            "window --url {} --interval 10s -- true",
            metrics(&[&text])
        ))
        .unwrap();
        println!("{name}: {} bytes", sized(&name, &report));
        payloads.push(text);
    }
    assert!(payloads.len() >= 7, "{}", payloads.len());
    // All of them at once, which no deployment has.
    let urls: Vec<String> = payloads
        .iter()
        .map(|text| format!("--url {}", metrics(&[text])))
        .collect();
    let report = run(&format!(
        "window {} --interval 10s --top 500 -- true",
        urls.join(" ")
    ))
    .unwrap();
    println!("all: {} bytes", sized("all", &report));
}

#[test]
fn a_log_full_of_trouble_fits() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = String::new();
    for (index, word) in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "k", "l", "m"]
        .into_iter()
        .enumerate()
    {
        for again in ["x", "y", "z"] {
            let long = format!(
                "{word}{again} {}",
                "of a very long story that somebody told ".repeat(8)
            );
            let _ = write!(
                log,
                "[2026-01-02 10:05:{index:02} TP{index}] Falling back to eager attention backend {long}\n\
                 [2026-01-02 10:05:{index:02} TP{index}] ValueError: {long}\n\
                 [2026-01-02 10:05:{index:02} TP{index}] Decode batch, #running-req: 2, #token: 10, token usage: 0.10, cuda graph: True, gen throughput (token/s): 100.5, #queue-req: 3, \n"
            );
        }
    }
    let log = file(&folder, "engine.log", log);
    let report = run(&format!(
        "window --logs {} --log-zone UTC {WINDOW}",
        log.display()
    ))
    .unwrap();
    sized("trouble", &report);
    let all = usize::MAX;
    let line = format!(
        "window --logs {} --log-zone UTC {WINDOW} --top {all}",
        log.display()
    );
    sized("all rows", &run(&line).unwrap());
    let found = document(&report);
    assert_eq!(found["data"]["incidents"].as_array().unwrap().len(), 72);
    let told = warnings(&found);
    assert_eq!(
        told.iter().filter(|code| **code == "window-invalidated").count(),
        6
    );
    let last = found["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .rfind(|warning| warning["code"] == "window-invalidated");
    assert!(
        last.unwrap()["message"].as_str().unwrap().starts_with("31 more"),
        "{last:?}"
    );
}

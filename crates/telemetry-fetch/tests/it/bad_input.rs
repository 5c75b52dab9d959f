//! Every way to get no document has its code, its exit, and a hint.

use contracts::Exit;

use crate::run;
use crate::server::{metrics, serve};

/// Asserts a failure.
fn fails(line: &str, exit: Exit, code: &str, hint: &str) {
    let failure = run(line)
        .err()
        .unwrap_or_else(|| panic!("{line} gives a document"));
    assert_eq!(
        (failure.exit, failure.document.code.as_str()),
        (exit, code),
        "{line}: {failure:?}"
    );
    let said = failure.document.hint.unwrap_or_default();
    assert!(said.contains(hint), "{line}: the hint lacks `{hint}`: {said}");
}

#[test]
fn servers_without_metrics() {
    let missing = serve("/none", vec![("200 OK", String::new())]);
    fails(
        &format!("snapshot --url {missing}"),
        Exit::Unavailable,
        "metrics-missing",
        "--enable-metrics",
    );
    for body in [
        "<html><body>Sign in</body></html>",
        "{\"status\": 1}",
        "",
        "hello world\nis this it\n",
    ] {
        let url = serve("/metrics", vec![("200 OK", body.to_owned())]);
        fails(
            &format!("snapshot --url {url}"),
            Exit::Unavailable,
            "metrics-foreign",
            "base URL",
        );
    }
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let url = serve("/metrics", vec![(status, String::new())]);
        fails(
            &format!("snapshot --url {url}"),
            Exit::Unavailable,
            "unauthorized",
            "key",
        );
    }
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let refused = run(&format!("snapshot --url http://{closed}")).unwrap_err();
    assert_eq!(refused.exit, Exit::Unavailable);
    assert!(refused.document.retryable, "{refused:?}");
}

#[test]
fn arguments_that_mean_no_window() {
    fails(
        "window --url http://127.0.0.1:1",
        Exit::Usage,
        "window-unclear",
        "--before",
    );
    fails("window -- true", Exit::Usage, "url-missing", "--url");
    fails("snapshot", Exit::Usage, "url-missing", "--url");
    fails(
        "window --url http://127.0.0.1:1 --interval 1 -- true",
        Exit::Usage,
        "interval-unreadable",
        "1s",
    );
    fails(
        "window --url http://127.0.0.1:1 --during r.json",
        Exit::Unavailable,
        "window-no-past",
        "snapshots",
    );
    fails(
        "window --url u --start now --end then",
        Exit::Usage,
        "window-time-unreadable",
        "2026-",
    );
    fails(
        "snapshot --url http://127.0.0.1:1 --api-key-env SOTA_LOOP_NO_SUCH_KEY",
        Exit::Unavailable,
        "telemetry-key-missing",
        "export",
    );
    let url = metrics(&["vllm:x_total 1\n"]);
    fails(
        &format!("window --url {url} -- /nonexistent/program"),
        Exit::Unavailable,
        "command-not-started",
        "PATH",
    );
}

#[test]
fn snapshots_that_are_no_pair() {
    let folder = tempfile::tempdir().unwrap();
    let keep = |name: &str, url: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, run(&format!("snapshot --url {url}")).unwrap().json()).unwrap();
        path.display().to_string()
    };
    let url = metrics(&["vllm:generation_tokens_total 1\n"]);
    let (first, second) = (keep("1.json", &url), keep("2.json", &url));
    let other = keep("3.json", &metrics(&["vllm:generation_tokens_total 1\n"]));
    fails(
        &format!("window --before {first} --after {other}"),
        Exit::BadInput,
        "snapshots-differ",
        "same URLs",
    );
    fails(
        &format!("window --before {second} --after {first}"),
        Exit::BadInput,
        "snapshots-reversed",
        "exchange",
    );
    fails(
        &format!(
            "window --before {first} --after {second} --start 2020-01-01T00:00:00Z --end 2020-01-01T00:01:00Z"
        ),
        Exit::Unavailable,
        "window-not-covered",
        "snapshot before",
    );
    std::fs::write(folder.path().join("4.json"), "{}").unwrap();
    let foreign = folder.path().join("4.json").display().to_string();
    fails(
        &format!("window --before {foreign} --after {second}"),
        Exit::BadInput,
        "schema-foreign",
        "document",
    );
}

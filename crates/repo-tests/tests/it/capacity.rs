//! `capacity-plan` on simulated engines: log and server say the same, and it is what was planted.

use serde_json::Value;

use crate::documents::check;
use crate::process::{Sim, run};

fn live(flavor: &str) -> Value {
    let sim = Sim::engine(&["--flavor", flavor]);
    let ended = run("capacity-plan", ["live", "--url", &sim.url, "--lengths", "4096"]);
    assert_eq!(ended.code(), 0, "{flavor}: {ended:?}");
    let document = ended.document();
    check("capacity", &document);
    document
}

#[test]
fn a_server_says_how_many_requests_fit() {
    for flavor in ["sglang", "vllm"] {
        let document = live(flavor);
        assert_eq!(document["simulated"], true, "{flavor}");
        let data = &document["data"];
        assert_eq!(data["source"], "live");
        let tokens = data["kv"]["tokens"].as_u64().expect("the pool has tokens");
        let page = data["engine"]["page_tokens"].as_u64().unwrap_or(1);
        let row = &data["capacity"][0];
        assert_eq!(
            row["requests"],
            tokens / 4096_u64.next_multiple_of(page),
            "{flavor}: {row}"
        );
        assert_eq!(row["binding_limit"], "kv_tokens", "{flavor}");
    }
}

#[test]
fn a_server_that_says_nothing_is_told_apart_from_none() {
    let scripted = Sim::script(r#"{"identity": "sglang"}"#);
    let ended = run(
        "capacity-plan",
        ["live", "--url", &scripted.url, "--format", "json"],
    );
    assert_eq!(
        (ended.code(), &ended.document()["code"]),
        (4, &"live-says-nothing".into()),
        "{ended:?}"
    );
    let url = scripted.url.clone();
    drop(scripted);
    let ended = run("capacity-plan", ["live", "--url", &url, "--format", "json"]);
    assert_eq!(ended.code(), 4, "{ended:?}");
    assert_ne!(ended.document()["code"], "live-says-nothing");
}

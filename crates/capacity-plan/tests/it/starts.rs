//! Several starts in one log: told apart by what begins one, by memory that came back, or said to be in doubt.

use serde_json::Value;

use crate::run::{gib, of_log, warnings};

fn starts(document: &Value) -> (u64, u64) {
    let number = |value: &Value| value.as_u64().expect("a number");
    (
        number(&document["data"]["log"]["starts"]),
        number(&document["data"]["kv"]["tokens"]),
    )
}

/// An excerpt without settings, and without the line that ends a start.
fn excerpt(hour: u32, tokens: u64) -> String {
    format!(
        "[2026-05-15 {hour:02}:09:36 TP0] Load weight begin. avail mem=78.50 GB\n\
         [2026-05-15 {hour:02}:09:53 TP0] Load weight end. type=L, avail mem=63.50 GB, mem usage=15.00 GB.\n\
         [2026-05-15 {hour:02}:09:54 TP0] KV Cache is allocated. #tokens: {tokens}, K size: 20.00 GB, V size: 20.00 GB\n\
         [2026-05-15 {hour:02}:09:55 TP0] Memory pool end. avail mem=23.00 GB\n"
    )
}

#[test]
fn memory_that_came_back_is_another_start() {
    let seen = of_log(&format!("{}{}", excerpt(9, 1000), excerpt(10, 2000)), &[]);
    assert_eq!(starts(&seen), (2, 2000));
    // The parts of both are not added up.
    assert_eq!(gib(&seen["data"]["memory"][0]["weights_bytes"]), 15.0);
    assert_eq!(gib(&seen["data"]["memory"][0]["kv_bytes"]), 40.0);
    assert_eq!(warnings(&seen), ["several-starts"]);
    // A draft loads its weights into what is left, and is no second start.
    let draft = "[2026-05-15 09:09:56 TP0] Load weight begin. avail mem=23.00 GB\n\
                 [2026-05-15 09:09:57 TP0] Load weight end. type=D, avail mem=22.00 GB, mem usage=1.00 GB.\n";
    let one = of_log(&format!("{}{draft}", excerpt(9, 1000)), &[]);
    assert_eq!(starts(&one), (1, 1000));
    assert_eq!(gib(&one["data"]["memory"][0]["weights_bytes"]), 16.0);
    assert!(!warnings(&one).iter().any(|code| code.contains("starts")));
}

#[test]
fn a_pool_after_the_end_of_a_start_is_of_another() {
    let pool = |tokens: u64| {
        format!(
            "[2026-05-15 09:09:54 TP0] KV Cache is allocated. #tokens: {tokens}, K size: 1.00 GB, V size: 1.00 GB\n\
             [2026-05-15 09:09:55 TP0] max_total_num_tokens={tokens}, max_running_requests=48, context_len=8192, available_gpu_mem=9.00 GB\n"
        )
    };
    let seen = of_log(&format!("{}{}", pool(1000), pool(2000)), &[]);
    assert_eq!(starts(&seen), (2, 2000));
    assert_eq!(seen["data"]["pools"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_cannot_be_told_apart_is_said() {
    let pool = |time: &str, pid: u32| {
        format!(
            "(EngineCore_DP0 pid={pid}) INFO {time} [gpu_worker.py:2] Available KV cache memory: 20.56 GiB\n\
             (EngineCore_DP0 pid={pid}) INFO {time} [kv_cache_utils.py:3] GPU KV cache size: 149,712 tokens\n"
        )
    };
    let seen = |one: String, two: String| {
        let document = of_log(&format!("{one}{two}"), &[]);
        let doubts = document["warnings"].as_array().expect("a list").iter();
        let doubts: Vec<String> = doubts
            .filter(|warning| warning["code"] == "starts-not-told-apart")
            .map(|warning| warning["message"].to_string())
            .collect();
        doubts.concat()
    };
    let one = || pool("09-04 11:00:10", 7);
    assert_eq!(seen(one(), pool("09-04 11:00:12", 7)), "");
    assert!(
        seen(one(), pool("09-04 11:00:12", 8)).contains("line 3 a process of the engine has another pid")
    );
    assert!(seen(one(), pool("09-03 20:00:00", 7)).contains("line 3 its time goes back"));
    let ready = || {
        "[2026-05-15 09:09:53] KV Cache is allocated. #tokens: 1000, K size: 1.00 GB, V size: 1.00 GB\n\
         [2026-05-15 09:10:30] The server is fired up and ready to roll!\n"
            .to_owned()
    };
    assert!(seen(ready(), ready()).contains("line 4 it is ready for the second time"));
    // A line that begins a start explains its time.
    let settings = "[2026-05-14 09:09:22] server_args=ServerArgs(model_path='m', tp_size=1)\n";
    assert_eq!(
        seen(
            ready(),
            format!("{settings}{}", ready().replace("05-15", "05-14"))
        ),
        ""
    );
}

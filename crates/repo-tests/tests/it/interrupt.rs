//! Ctrl-C in commands that have other processes and many parts: they end soon, and say that they are not whole.

use std::process::Command;

use crate::documents::check;
use crate::process::{Running, binary};

#[test]
fn an_interrupted_selftest_says_so() {
    let running = Running::start(Command::new(binary("serve-bench")).arg("selftest"));
    // The traps alone take seconds.
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code(), 130, "{ended:?}");
    let document = ended.document();
    check("selftest", &document);
    assert_eq!(
        (&document["complete"], &document["data"]["passed"]),
        (&false.into(), &false.into())
    );
    assert!(
        document["summary"].as_str().unwrap().starts_with("interrupted"),
        "{document}"
    );
    let traps = document["data"]["traps"].as_array().unwrap();
    assert!(
        traps.iter().all(|trap| trap["passed"] == true),
        "a trap was judged by half of it: {traps:?}"
    );
}

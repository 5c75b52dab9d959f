//! Why a server did not start or did not last, from the end of its log. Pure.

use contracts::config_search::candidate::Status;

/// What became of a candidate, when it has no result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reason {
    pub(crate) status: Status,
    pub(crate) code: &'static str,
    pub(crate) text: String,
    pub(crate) hint: String,
}

/// What engines print when memory is short: PyTorch, vLLM, SGLang, TensorRT-LLM, llama.cpp, the kernel.
const MEMORY: [&str; 8] = [
    "out of memory",
    "outofmemory",
    "no available memory for the cache blocks",
    "not enough memory",
    "failed to allocate",
    "cudamalloc failed",
    "std::bad_alloc",
    "cannot allocate memory",
];
/// What parsers of arguments print: argparse, clap, getopt, llama.cpp.
const FLAGS: [&str; 7] = [
    "unrecognized arguments",
    "unrecognized option",
    "unexpected argument",
    "unknown argument",
    "invalid choice",
    "invalid argument",
    "invalid value",
];

/// Reads how a server ended and the end of its log.
pub(crate) fn of_end(code: &'static str, ending: &str, tail: &[String]) -> Reason {
    let find = |needles: &[&str]| {
        tail.iter().rev().find(|line| {
            let line = line.to_lowercase();
            needles.iter().any(|needle| line.contains(needle))
        })
    };
    if let Some(line) = find(&FLAGS) {
        return Reason {
            status: Status::Failed,
            code: "unknown-flag",
            text: said(line),
            hint: "capture `--help` of this version and name it under `help`: `config-search validate` then refuses the flag".to_owned(),
        };
    }
    let line = find(&MEMORY);
    if line.is_some() || ending.contains("signal 9") {
        return Reason {
            status: Status::Oom,
            code: "out-of-memory",
            text: line.map_or_else(|| ending.to_owned(), |line| said(line)),
            hint: "leave larger sizes out of the space, or lower the memory share".to_owned(),
        };
    }
    let last = tail.last().map_or("its log is empty", String::as_str);
    Reason {
        status: Status::Failed,
        code,
        text: format!("{ending}; its log ends: {last}"),
        hint: "read its log".to_owned(),
    }
}

/// A line, or what it says where it is the message of a JSON object that was printed over several lines.
fn said(line: &str) -> String {
    let member = line.trim().trim_end_matches(',');
    let object = format!("{{{member}}}");
    let message = serde_json::from_str::<serde_json::Value>(&object).ok();
    let message = message
        .as_ref()
        .and_then(|object| object.get("message")?.as_str());
    message.unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_says_whether_memory_or_a_flag_is_the_cause() {
        let of = |line: &str, ending: &str| {
            let reason = of_end("engine-exited", ending, &[line.to_owned(), "bye".to_owned()]);
            (reason.status, reason.code)
        };
        let out_of_memory = (Status::Oom, "out-of-memory");
        assert_eq!(
            of("torch.OutOfMemoryError: CUDA out of memory.", "exit status 1"),
            out_of_memory
        );
        assert_eq!(
            of("nothing", "signal 9 (SIGKILL; out of memory ends so)"),
            out_of_memory
        );
        assert_eq!(
            of("error: unexpected argument '--nope' found", "exit status 2"),
            (Status::Failed, "unknown-flag")
        );
        assert_eq!(of("nothing", "exit status 1"), (Status::Failed, "engine-exited"));
        let printed = of_end(
            "engine-exited",
            "exit status 1",
            &["  \"message\": \"out of memory\",".to_owned()],
        );
        assert_eq!(printed.text, "out of memory");
    }
}

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
    let text = match (telling(tail), tail.last()) {
        (Some(line), _) => format!("{ending}; its log says: {}", said(line)),
        (None, Some(last)) => format!("{ending}; its log ends: {last}"),
        // A launch that failed says so itself.
        (None, None) if ending.ends_with("its log is empty") => ending.to_owned(),
        (None, None) => format!("{ending}; its log is empty"),
    };
    Reason {
        status: Status::Failed,
        code,
        text,
        hint: "read its log".to_owned(),
    }
}

/// The line that names the cause: of Python the last exception, which ends its traceback; of others the first complaint, what
/// comes after it follows from it.
fn telling(tail: &[String]) -> Option<&String> {
    let is_exception = |line: &&String| {
        let first = line.split(':').next().unwrap_or_default();
        let is_name = !first.contains(' ') && line.contains(": ");
        is_name && (first.ends_with("Error") || first.ends_with("Exception"))
    };
    let complains = |line: &&String| {
        let line = line.to_lowercase();
        ["assert", "requires", "error", "fatal", "panicked", "exception"]
            .iter()
            .any(|word| line.contains(word))
    };
    tail.iter()
        .rev()
        .find(is_exception)
        .or_else(|| tail.iter().find(complains))
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
        let told = |lines: &[&str]| {
            let tail: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            of_end("engine-died", "signal 6", &tail).text
        };
        let assertion = "server.cpp:494: GGML_ASSERT(add_ok) failed";
        assert_eq!(
            told(&[
                "loading",
                assertion,
                "#1 ggml_abort ()",
                "[Inferior 1 (process 7) detached]"
            ]),
            format!("signal 6; its log says: {assertion}")
        );
        let raised = [
            "Traceback (most recent call last):",
            "  raise ValueError(\"no\")",
            "ValueError: heads do not divide",
            "bye",
        ];
        assert_eq!(
            told(&raised),
            "signal 6; its log says: ValueError: heads do not divide"
        );
        assert_eq!(told(&["bye"]), "signal 6; its log ends: bye");
        let printed = of_end(
            "engine-exited",
            "exit status 1",
            &["  \"message\": \"out of memory\",".to_owned()],
        );
        assert_eq!(printed.text, "out of memory");
    }
}

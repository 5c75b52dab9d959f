//! Lines in which engines say how they are doing.
//!
//! SGLang: `Decode batch, #running-req: 2, #token: 5632, token usage: 0.12, cuda graph: True, gen throughput (token/s): 95.33,
//! #queue-req: 1`, with `batch.` in older versions and `[step]` in some. vLLM: `Engine 000: Avg prompt throughput: 1.0 tokens/s,
//! …, Running: 2 reqs, Waiting: 0 reqs, GPU KV cache usage: 0.1%, Prefix cache hit rate: 0.0%`, without `Engine 000` in V0.
//! llama.cpp (build 7e4c0a9) says nothing again and again, and the times of each request that ended:
//! `slot print_timing: id  1 | task 5 | prompt eval time =     755.88 ms /    40 tokens (   18.90 ms per token, …)`, the same
//! with `eval time`, and `draft acceptance = 0.57143 (    4 accepted /     7 generated), …`. Builds of 2025 write the times as
//! lines of one message, without what stands before them here. The clock of `eval time` starts at the first token, which is
//! among its tokens; builds differ in whether their own quotient leaves it out, so it is made here.

use contracts::serve_bench::result::EngineKind;

/// A number of such a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) id: Id,
    pub(crate) value: f64,
}

/// Which number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Id {
    Running,
    Waiting,
    KvUsage,
    OutputTps,
    InputTps,
    CacheHit,
    AcceptLength,
    Graph,
    PrefillTime,
    Tpot,
    AcceptRatio,
}

impl Id {
    /// Name and unit in documents.
    pub(crate) fn name_and_unit(self) -> (&'static str, &'static str) {
        match self {
            Id::Running => ("running_requests", "requests"),
            Id::Waiting => ("waiting_requests", "requests"),
            Id::KvUsage => ("kv_usage_ratio", "ratio"),
            Id::OutputTps => ("output_tps", "tokens/s"),
            Id::InputTps => ("input_tps", "tokens/s"),
            Id::CacheHit => ("cache_hit_ratio", "ratio"),
            Id::AcceptLength => ("accept_length", "tokens"),
            Id::Graph => ("graph_ratio", "ratio"),
            Id::PrefillTime => ("prefill_time_ms", "ms"),
            Id::Tpot => ("tpot_ms", "ms"),
            Id::AcceptRatio => ("accept_ratio", "ratio"),
        }
    }
}

/// Engines whose lines are alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// SGLang, and TokenSpeed, which has its lines.
    #[default]
    Sglang,
    /// vLLM.
    Vllm,
    /// llama.cpp.
    LlamaCpp,
}

impl Family {
    /// As a reader knows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Family::Sglang => "sglang",
            Family::Vllm => "vllm",
            Family::LlamaCpp => "llama.cpp",
        }
    }

    /// Whether that engine writes such lines; `None` where nobody knows what it writes.
    pub(crate) fn is_of(self, kind: EngineKind) -> Option<bool> {
        let family = match kind {
            EngineKind::Sglang | EngineKind::Tokenspeed => Some(Family::Sglang),
            EngineKind::Vllm => Some(Family::Vllm),
            EngineKind::LlamaCpp => Some(Family::LlamaCpp),
            EngineKind::TensorrtLlm => None,
            EngineKind::Other => return None,
        };
        Some(family == Some(self))
    }
}

/// What a line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Numbers<'a> {
    /// Who writes such lines.
    pub(crate) family: Family,
    /// vLLM's number of the engine.
    pub(crate) engine: Option<&'a str>,
    pub(crate) numbers: Vec<Number>,
}

/// The numbers of a line; `None` when it is no such line.
pub(crate) fn numbers(text: &str) -> Option<Numbers<'_>> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix("Decode batch") {
        let mut found = Numbers::default();
        sglang(rest, |key, value| {
            let id = match key {
                "#running-req" => Id::Running,
                "#queue-req" => Id::Waiting,
                "token usage" | "full token usage" => Id::KvUsage,
                "gen throughput (token/s)" => Id::OutputTps,
                "accept len" => Id::AcceptLength,
                "cuda graph" => Id::Graph,
                _ => return,
            };
            found.push(id, value);
        });
        return found.some();
    }
    if let Some(rest) = text.strip_prefix("Prefill batch") {
        let (mut new, mut cached) = (None, None);
        let mut found = Numbers::default();
        sglang(rest, |key, value| match key {
            "#new-token" => new = plain(value),
            "#cached-token" => cached = plain(value),
            "#queue-req" => found.push(Id::Waiting, value),
            "input throughput (token/s)" => found.push(Id::InputTps, value),
            "token usage" | "full token usage" => found.push(Id::KvUsage, value),
            _ => {}
        });
        if let (Some(new), Some(cached)) = (new, cached)
            && new + cached > 0.0
        {
            found.numbers.push(Number {
                id: Id::CacheHit,
                value: cached / (new + cached),
            });
        }
        return found.some();
    }
    if ["slot ", "prompt eval time ", "eval time "]
        .iter()
        .any(|start| text.starts_with(start))
    {
        return llama(text);
    }
    vllm(text)
}

impl Numbers<'_> {
    fn push(&mut self, id: Id, value: &str) {
        self.add(
            id,
            match value {
                "True" => Some(1.0),
                "False" => Some(0.0),
                value => plain(value),
            },
        );
    }

    fn add(&mut self, id: Id, value: Option<f64>) {
        // A version that prints two of one kind means the first.
        if let Some(value) = value
            && self.numbers.iter().all(|number| number.id != id)
        {
            self.numbers.push(Number { id, value });
        }
    }

    fn some(self) -> Option<Self> {
        (!self.numbers.is_empty()).then_some(self)
    }
}

fn sglang<'a>(rest: &'a str, mut each: impl FnMut(&'a str, &'a str)) {
    let rest = match rest.strip_prefix(" [") {
        Some(step) => step.split_once(']').map_or("", |(_, rest)| rest),
        None => rest,
    };
    for part in rest.split([',']) {
        let part = part.trim_start_matches('.').trim();
        if let Some((key, value)) = part.rsplit_once(": ") {
            each(key, value.trim_end_matches('.'));
        }
    }
}

fn vllm(text: &str) -> Option<Numbers<'_>> {
    let (engine, rest) = match text.strip_prefix("Engine ") {
        Some(rest) => {
            let (engine, rest) = rest.split_once(": ")?;
            (Some(engine).filter(|engine| engine.len() <= 6), rest)
        }
        None => (None, text),
    };
    if !rest.starts_with("Avg prompt throughput: ") {
        return None;
    }
    let mut found = Numbers {
        family: Family::Vllm,
        engine,
        numbers: Vec::new(),
    };
    for part in rest.split(", ") {
        let Some((key, value)) = part.split_once(": ") else {
            continue;
        };
        let value = value.trim_end_matches('.');
        let (number, is_percent) = match value.strip_suffix('%') {
            Some(number) => (number, true),
            None => (value.split(' ').next().unwrap_or_default(), false),
        };
        let id = match key.trim() {
            "Avg prompt throughput" => Id::InputTps,
            "Avg generation throughput" => Id::OutputTps,
            "Running" => Id::Running,
            "Waiting" | "Pending" => Id::Waiting,
            "GPU KV cache usage" | "KV cache usage" => Id::KvUsage,
            "Prefix cache hit rate" => Id::CacheHit,
            _ => continue,
        };
        if let Some(value) = plain(number) {
            found.numbers.push(Number {
                id,
                value: if is_percent { value / 100.0 } else { value },
            });
        }
    }
    found.some()
}

fn llama(text: &str) -> Option<Numbers<'_>> {
    let said = text.rsplit(" | ").next()?.trim_start();
    let (what, rest) = said.split_once(" = ")?;
    let (value, more) = rest.trim_start().split_once(' ')?;
    let mut found = Numbers {
        family: Family::LlamaCpp,
        ..Numbers::default()
    };
    match what.trim_end() {
        "prompt eval time" if more.starts_with("ms ") => found.push(Id::PrefillTime, value),
        "eval time" if more.starts_with("ms ") => {
            let (tokens, _) = more.strip_prefix("ms /")?.split_once(" tokens")?;
            let behind_first = plain(tokens.trim_start())? - 1.0;
            let each = |ms: f64| (behind_first > 0.0).then(|| ms / behind_first);
            found.add(Id::Tpot, plain(value).and_then(each));
        }
        // `rate` in builds before 2026.
        "draft acceptance" | "draft acceptance rate" => {
            found.push(Id::AcceptRatio, value);
            if let Some((_, length)) = more.split_once("mean len = ") {
                found.push(Id::AcceptLength, length.trim());
            }
        }
        _ => {}
    }
    found.some()
}

fn plain(text: &str) -> Option<f64> {
    // `1_000`, `inf` and the like are numbers elsewhere, not here.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_plain {
        text.parse().ok().filter(|value: &f64| value.is_finite())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Vec<(Id, f64)> {
        let found = numbers(text).unwrap_or_default();
        found
            .numbers
            .iter()
            .map(|number| (number.id, number.value))
            .collect()
    }

    #[test]
    fn sglang_of_every_age() {
        let expected = vec![
            (Id::Running, 2.0),
            (Id::KvUsage, 0.12),
            (Id::Graph, 1.0),
            (Id::OutputTps, 95.33),
            (Id::Waiting, 1.0),
        ];
        for line in [
            "Decode batch, #running-req: 2, #token: 5632, token usage: 0.12, cuda graph: True, gen throughput (token/s): 95.33, #queue-req: 1, ",
            "Decode batch. #running-req: 2, #token: 5632, token usage: 0.12, cuda graph: True, gen throughput (token/s): 95.33, #queue-req: 1",
            "Decode batch [39913], #running-req: 2, #full token: 1, full token usage: 0.12, mamba num: 4, mamba usage: 0.03, cuda graph: True, gen throughput (token/s): 95.33, #queue-req: 1",
        ] {
            assert_eq!(of(line), expected, "{line}");
        }
        assert_eq!(
            of(
                "Prefill batch, #new-seq: 1, #new-token: 25, #cached-token: 75, token usage: 0.00, #running-req: 3, #queue-req: 4, "
            ),
            vec![(Id::KvUsage, 0.0), (Id::Waiting, 4.0), (Id::CacheHit, 0.75)]
        );
    }

    #[test]
    fn vllm_of_every_age() {
        let v1 = "Engine 001: Avg prompt throughput: 10.0 tokens/s, Avg generation throughput: 20.5 tokens/s, Running: 3 reqs, Waiting: 4 reqs, GPU KV cache usage: 12.5%, Prefix cache hit rate: 50.0%";
        assert_eq!(numbers(v1).and_then(|found| found.engine), Some("001"));
        let numbers = vec![
            (Id::InputTps, 10.0),
            (Id::OutputTps, 20.5),
            (Id::Running, 3.0),
            (Id::Waiting, 4.0),
            (Id::KvUsage, 0.125),
        ];
        let with_hits = numbers
            .iter()
            .copied()
            .chain([(Id::CacheHit, 0.5)])
            .collect::<Vec<_>>();
        assert_eq!(of(v1), with_hits);
        let v0 = "Avg prompt throughput: 10.0 tokens/s, Avg generation throughput: 20.5 tokens/s, Running: 3 reqs, Swapped: 0 reqs, Pending: 4 reqs, GPU KV cache usage: 12.5%, CPU KV cache usage: 0.0%.";
        assert_eq!(of(v0), numbers);
    }

    #[test]
    fn llama_cpp_times_its_requests() {
        let line = |said: &str| format!("slot print_timing: id  1 | task 5 | {said}");
        for (said, expected) in [
            (
                "prompt eval time =     755.88 ms /    40 tokens (   18.90 ms per token,    52.92 tokens per second)",
                vec![(Id::PrefillTime, 755.88)],
            ),
            (
                "       eval time =    4604.85 ms /    64 tokens (   73.09 ms per token,    13.68 tokens per second)",
                vec![(Id::Tpot, 4604.85 / 63.0)],
            ),
            // Builds of 2025 divide by the first token, too.
            (
                "       eval time =    4604.85 ms /    64 tokens (   71.95 ms per token,    13.90 tokens per second)",
                vec![(Id::Tpot, 4604.85 / 63.0)],
            ),
            ("      total time =    5360.72 ms /   104 tokens", vec![]),
            ("   graphs reused =         62", vec![]),
            (
                "draft acceptance = 0.57143 (    4 accepted /     7 generated), mean len =  2.33",
                vec![(Id::AcceptRatio, 0.57143), (Id::AcceptLength, 2.33)],
            ),
            (
                "draft acceptance rate = 0.57143 (    4 accepted /     7 generated)",
                vec![(Id::AcceptRatio, 0.57143)],
            ),
            // A request without a second token has no time per token.
            (
                "       eval time =       0.00 ms /     1 tokens (     nan ms per token,      inf tokens per second)",
                vec![],
            ),
        ] {
            assert_eq!(of(&line(said)), expected, "{said}");
            // Builds of 2025 write one message of several lines, of which only the first one says whose it is.
            assert_eq!(
                of(said),
                if said.contains("draft") { vec![] } else { expected },
                "{said}"
            );
        }
        let nothing = "eval time = 5.00 ms / 0 tokens (inf ms per token, 0.00 tokens per second)";
        assert_eq!(of(nothing), vec![]);
    }

    #[test]
    fn other_lines_have_none() {
        for text in [
            "Decode batch",
            "Prefill batch, #new-token: x",
            "Engine 000: up",
            "slot ",
            "slot release: id  1 | task 5 | stop processing: n_tokens = 103, truncated = 0",
            "slot x | eval time = 5 s",
            "batch 7",
            "",
        ] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(Decode batch|Prefill batch|Engine 0: Avg prompt throughput: |slot x \\| eval time = )?.{0,80}") {
            for number in numbers(&text).unwrap_or_default().numbers {
                prop_assert!(number.value.is_finite());
            }
        }
    }
}

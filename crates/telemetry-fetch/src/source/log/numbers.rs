//! Lines in which engines say how they are doing.
//!
//! SGLang: `Decode batch, #running-req: 2, #token: 5632, token usage: 0.12, cuda graph: True, gen throughput (token/s): 95.33,
//! #queue-req: 1`, with `batch.` in older versions and `[step]` in some. vLLM: `Engine 000: Avg prompt throughput: 1.0 tokens/s,
//! …, Running: 2 reqs, Waiting: 0 reqs, GPU KV cache usage: 0.1%, Prefix cache hit rate: 0.0%`, without `Engine 000` in V0.

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
        }
    }
}

/// What a line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Numbers<'a> {
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
    vllm(text)
}

impl Numbers<'_> {
    fn push(&mut self, id: Id, value: &str) {
        let value = match value {
            "True" => Some(1.0),
            "False" => Some(0.0),
            value => plain(value),
        };
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
    fn other_lines_have_none() {
        for text in [
            "Decode batch",
            "Prefill batch, #new-token: x",
            "Engine 000: up",
            "batch 7",
            "",
        ] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(Decode batch|Prefill batch|Engine 0: Avg prompt throughput: )?.{0,80}") {
            for number in numbers(&text).unwrap_or_default().numbers {
                prop_assert!(number.value.is_finite());
            }
        }
    }
}

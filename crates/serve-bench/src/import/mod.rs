//! Result files of other tools as results of ours. What a file does not say stays null; what its tool defines
//! otherwise is put where our definition fits, and a warning says so.

mod aiperf;
mod error;
mod foreign;
mod python_peers;
mod scan;
mod sglang;
mod vllm;

use contracts::Warning;
use contracts::serve_bench::result::{
    EngineInfo, LengthRange, LoadInfo, ResultData, TargetInfo, WorkloadInfo,
};
use contracts::serve_bench::run::Run;
use contracts::serve_bench::workload::Purpose;
use serde_json::{Map, Value};

pub use error::ImportError;
use foreign::Foreign;
pub use foreign::UNKNOWN;

/// Tools whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `vllm bench serve`.
    Vllm,
    /// `sglang.bench_serving`.
    Sglang,
    /// aiperf.
    Aiperf,
}

impl Kind {
    /// All names.
    pub const NAMES: [&str; 3] = [Kind::Vllm.name(), Kind::Sglang.name(), Kind::Aiperf.name()];

    /// The name in `imported_from`.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Vllm => "vllm bench serve",
            Kind::Sglang => "sglang.bench_serving",
            Kind::Aiperf => "aiperf",
        }
    }

    fn detect(foreign: &Foreign<'_>) -> Option<Kind> {
        if aiperf::is(foreign) {
            Some(Kind::Aiperf)
        } else if sglang::is(foreign) {
            Some(Kind::Sglang)
        } else if vllm::is(foreign) {
            Some(Kind::Vllm)
        } else {
            None
        }
    }

    /// What a reader must know of this tool's numbers.
    fn definitions(self) -> &'static str {
        match self {
            Kind::Vllm => {
                "TTFT counts from the first chunk with choices, which may carry no token; the gaps are per output \
                 event and stand in chunk_gap_ms; success needs neither finish_reason nor [DONE]; percentiles without \
                 details are interpolated"
            }
            Kind::Sglang => {
                "end-to-end latency runs to the last line of the stream; output lengths fall back to the requested \
                 ones; gaps are per token on the native endpoint (itl_ms) and per chunk elsewhere (chunk_gap_ms); \
                 percentiles without details are interpolated"
            }
            Kind::Aiperf => {
                "its inter-token latency is one value a request and stands in tpot_ms; output lengths come from the \
                 client's tokenizer unless it was told otherwise; streams that end early may count as success"
            }
        }
    }
}

/// One document of a foreign file, in our words.
struct Part {
    url: Option<String>,
    served_model: Option<String>,
    engine: EngineInfo,
    dataset: Option<String>,
    endpoint: Option<&'static str>,
    input_len: Option<LengthRange>,
    output_len: Option<LengthRange>,
    load: LoadInfo,
    num_prompts: u64,
    seed: Option<u64>,
    plan: Map<String, Value>,
    run: Run,
}

/// What an import gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The result; `aggregate` is left empty for the caller's fold.
    pub data: ResultData,
    /// The tool.
    pub kind: Kind,
    /// What could mislead.
    pub warnings: Vec<Warning>,
}

/// Reads a result file; several results of one load become its runs. Without a hint the keys say which tool wrote it.
///
/// # Errors
/// [`ImportError`], all exit 3.
pub fn import(bytes: &[u8], hint: Option<Kind>) -> Result<Imported, ImportError> {
    let documents = scan::documents(bytes)?;
    let mut parts: Vec<Part> = Vec::with_capacity(documents.len());
    let mut kind = hint;
    for (index, value) in documents.iter().enumerate() {
        let foreign = Foreign {
            document: index + 1,
            value,
        };
        if let Some(schema) = foreign.text("/schema")
            && contracts::schema::find(&schema).is_some()
        {
            return Err(ImportError::OwnDocument { schema });
        }
        let known = *match &mut kind {
            Some(known) => known,
            None => {
                kind.insert(Kind::detect(&foreign).ok_or(ImportError::UnknownFormat { document: index + 1 })?)
            }
        };
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        parts.push(match known {
            Kind::Vllm => vllm::part(number, &foreign)?,
            Kind::Sglang => sglang::part(number, &foreign)?,
            Kind::Aiperf => aiperf::part(number, &foreign)?,
        });
    }
    same_load(&parts)?;
    let kind = kind.ok_or(ImportError::Empty)?;
    let warnings = warnings(kind, &parts);
    let mut parts = parts.into_iter();
    let first = parts.next().ok_or(ImportError::Empty)?;
    let mut runs = vec![first.run];
    runs.extend(parts.map(|part| part.run));
    let data = ResultData {
        target: TargetInfo {
            url: first.url.unwrap_or_else(|| UNKNOWN.to_owned()),
            model: None,
            served_model: first.served_model,
            engine: first.engine,
        },
        workload: WorkloadInfo {
            name: format!("imported from {}", kind.name()),
            scenario: first.dataset.clone().unwrap_or_else(|| "imported".to_owned()),
            purpose: Purpose::Evidence,
            num_prompts: first.num_prompts,
            seed: first.seed,
            request_stream_sha256: UNKNOWN.to_owned(),
            dataset: first.dataset.unwrap_or_else(|| UNKNOWN.to_owned()),
            prompt_unit: "tokens".to_owned(),
            endpoint: first.endpoint.unwrap_or(UNKNOWN).to_owned(),
            input_len: first.input_len,
            output_len: first.output_len,
            prompt_check: None,
        },
        load: first.load,
        plan: Value::Object(first.plan),
        shard: None,
        imported_from: Some(kind.name().to_owned()),
        runs,
        aggregate: std::collections::BTreeMap::new(),
    };
    Ok(Imported { data, kind, warnings })
}

/// Runs of one result have one load.
fn same_load(parts: &[Part]) -> Result<(), ImportError> {
    let Some(first) = parts.first() else { return Ok(()) };
    type Shown = fn(&Part) -> String;
    let compared: [(&'static str, Shown); 8] = [
        ("mode", |part| format!("{:?}", part.load.mode)),
        ("concurrency", |part| shown(part.load.concurrency)),
        ("request_rate", |part| shown(part.load.request_rate_rps)),
        ("max_concurrency", |part| shown(part.load.max_concurrency)),
        ("num_prompts", |part| part.num_prompts.to_string()),
        ("model", |part| shown(part.served_model.as_deref())),
        ("random_input_len", |part| {
            shown(part.plan.get("random_input_len"))
        }),
        ("random_output_len", |part| {
            shown(part.plan.get("random_output_len"))
        }),
    ];
    for part in parts {
        for (key, of) in compared {
            let (first, other) = (of(first), of(part));
            if first != other {
                return Err(ImportError::SeveralLoads {
                    documents: parts.len(),
                    key,
                    first,
                    other,
                });
            }
        }
    }
    Ok(())
}

fn shown(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "not given".to_owned(), |value| value.to_string())
}

fn warnings(kind: Kind, parts: &[Part]) -> Vec<Warning> {
    let warning = |code: &str, message: String| Warning {
        code: code.to_owned(),
        message,
    };
    let mut all = vec![
        warning(
            "imported",
            format!(
                "{} reports neither its own health nor the request bytes: a verdict on it is at most provisional",
                kind.name()
            ),
        ),
        warning("foreign-definitions", kind.definitions().to_owned()),
    ];
    if parts.iter().any(|part| part.run.requests.failed > 0) {
        all.push(warning(
            "failures-not-typed",
            "the file does not say how requests failed: they stand in `failed` and in no outcome".to_owned(),
        ));
    }
    all
}

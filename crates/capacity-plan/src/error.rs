//! What can go wrong before there is a document. Fragments complete "failed to …".

use capacity::model_config::ConfigError;
use cli_kit::ToolError;
use contracts::Exit;
use contracts::text::{FOREIGN_TEXT_CAP, clean};

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CapacityError {
    /// The log cannot be read.
    #[error("read {path}: {source}")]
    LogUnreadable {
        /// File.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No line of the log speaks of memory.
    #[error(
        "find a line about memory in {path}: {lines} lines, none of SGLang, vLLM or TokenSpeed at its start"
    )]
    NothingRecognised {
        /// File.
        path: String,
        /// Its lines.
        lines: u64,
    },
    /// The server does not say it.
    #[error("find the memory of {url}: {engine} names neither tokens nor sizes of its pools there{}", refusal(*.refused))]
    SaysNothing {
        /// Engine.
        engine: &'static str,
        /// Server.
        url: String,
        /// Status with which it refused to say it, 401 or 403.
        refused: Option<u16>,
    },
    /// The variable of the key is not set.
    #[error("read the API key: the variable {0} is not set")]
    KeyMissing(String),
    /// No runtime.
    #[error("start a runtime: {0}")]
    Runtime(std::io::Error),
    /// The configuration cannot be used.
    #[error("use {path}: {source}")]
    Config {
        /// File.
        path: String,
        /// Why.
        source: ConfigError,
    },
    /// A quantization file that says nothing.
    #[error("find a quantization in {0}")]
    NoQuantization(String),
    /// A type of keys and values that is not known.
    #[error("read --kv-dtype `{}`", clean(.0, FOREIGN_TEXT_CAP))]
    KvDtype(String),
    /// A type of keys and values that a checkpoint names and nobody knows.
    #[error("find a formula for keys and values in `{}`, which {path} names", clean(.name, FOREIGN_TEXT_CAP))]
    KvDtypeOfModel {
        /// File.
        path: String,
        /// The type.
        name: String,
    },
    /// A device that is not known.
    #[error("find the device `{}`", clean(.0, FOREIGN_TEXT_CAP))]
    Gpu(String),
    /// A number that is out of range.
    #[error("take {flag} {value}: {range}")]
    OutOfRange {
        /// Flag.
        flag: &'static str,
        /// As typed.
        value: f64,
        /// What can be taken.
        range: &'static str,
    },
    /// A list of lengths without a length.
    #[error("read --lengths `{}`: numbers of 1 to 1000000000, 64 at most", clean(.0, FOREIGN_TEXT_CAP))]
    Lengths(String),
    /// A prefix that leaves a request nothing of its own.
    #[error("share {shared} first tokens between requests of {length}")]
    SharedPrefix {
        /// Tokens that all share.
        shared: u64,
        /// Shortest request.
        length: u64,
    },
    /// A result whose requests have no lengths.
    #[error("find lengths in {0}: no run of it knows its tokens")]
    NoLengths(String),
    /// No layer has a width of keys and values.
    #[error("count the keys and values of {0}: a width is missing")]
    NoKeys(String),
    /// A width is missing.
    #[error("count the weights of {0}: a width is missing")]
    NoWeights(String),
}

impl ToolError for CapacityError {
    fn code(&self) -> &'static str {
        match self {
            Self::LogUnreadable { .. } => "startup-log-unreadable",
            Self::NothingRecognised { .. } => "log-nothing-recognised",
            Self::SaysNothing { .. } => "live-says-nothing",
            Self::KeyMissing(_) => "key-missing",
            Self::Runtime(_) => "runtime-not-started",
            Self::Config { source, .. } => source.code(),
            Self::NoQuantization(_) => "quantization-not-found",
            Self::KvDtype(_) | Self::KvDtypeOfModel { .. } => "kv-dtype-unknown",
            Self::Gpu(_) => "gpu-unknown",
            Self::OutOfRange { .. } => "number-out-of-range",
            Self::Lengths(_) => "lengths-unreadable",
            Self::SharedPrefix { .. } => "shared-prefix-too-long",
            Self::NoLengths(_) => "lengths-not-found",
            Self::NoKeys(_) => "keys-not-countable",
            Self::NoWeights(_) => "weights-not-countable",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::LogUnreadable { .. } => "check the path; `-` reads stdin".to_owned(),
            Self::NothingRecognised { .. } => {
                "give the log from the start of the server, at level INFO: its first minutes say where memory goes".to_owned()
            }
            Self::SaysNothing { refused: Some(_), .. } => {
                "what says it needs a key: name its variable with --api-key-env; or give the log of its start: `capacity-plan log`".to_owned()
            }
            Self::SaysNothing { .. } => {
                "start SGLang with --enable-metrics; vLLM has its numbers in /metrics; or give the log of its start: `capacity-plan log`".to_owned()
            }
            Self::KeyMissing(variable) => format!("export {variable}, or name another one with --api-key-env"),
            Self::Runtime(_) => "the machine has no threads or files left; end other processes".to_owned(),
            Self::Config { source, .. } => source.hint(),
            Self::NoQuantization(_) => "give the hf_quant_config.json that lies beside the config.json".to_owned(),
            Self::KvDtype(_) => format!("one of {}, or a name that starts with fp8", kv_dtypes()),
            Self::KvDtypeOfModel { .. } => format!("give the nearest one with --kv-dtype: {}", kv_dtypes()),
            Self::Gpu(_) => {
                let names: Vec<&str> = capacity::GPUS.iter().map(|gpu| gpu.name).collect();
                format!("one of {}; or --gpu-memory-gib with the total that PyTorch names", names.join(", "))
            }
            Self::OutOfRange { flag, .. } => format!("give another number to {flag}"),
            Self::Lengths(_) => "`--lengths 4096,8192`, or the path of a serve-bench result".to_owned(),
            Self::SharedPrefix { .. } => {
                "a length is prompt and answer together, and at least its last token is each request's own: a shorter --shared-prefix, or longer --lengths".to_owned()
            }
            Self::NoLengths(_) => "give the lengths as numbers: `--lengths 4096,8192`".to_owned(),
            Self::NoKeys(_) => "give the whole config.json: num_attention_heads, num_key_value_heads, head_dim or their like".to_owned(),
            Self::NoWeights(_) => "give --weights-gib: the size of the weight files divided by the ranks".to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::SaysNothing { .. } | Self::Runtime(_) => Exit::Unavailable,
            Self::KeyMissing(_)
            | Self::KvDtype(_)
            | Self::Gpu(_)
            | Self::OutOfRange { .. }
            | Self::Lengths(_)
            | Self::SharedPrefix { .. } => Exit::Usage,
            Self::LogUnreadable { .. }
            | Self::NothingRecognised { .. }
            | Self::Config { .. }
            | Self::NoQuantization(_)
            | Self::KvDtypeOfModel { .. }
            | Self::NoLengths(_)
            | Self::NoKeys(_)
            | Self::NoWeights(_) => Exit::BadInput,
        }
    }
}

fn refusal(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| {
        format!(", and answers {status} where it would")
    })
}

fn kv_dtypes() -> String {
    let names = capacity::KvDtype::ALL.map(capacity::KvDtype::name);
    names.join(", ")
}

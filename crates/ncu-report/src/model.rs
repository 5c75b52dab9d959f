//! What a report holds, however it was stored. Values are in base units (bytes, ns, hz); units are not part of a report and
//! come from a table.

use std::collections::BTreeMap;

/// A report, or one CSV export of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// How it was stored.
    pub form: Form,
    /// What was said once for all kernels.
    pub session: Session,
    /// Profiled kernels in the order of the file.
    pub kernels: Vec<Kernel>,
    /// What was wrong and could be read past.
    pub warnings: Vec<Warning>,
}

/// How a report was stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// `.ncu-rep`, with the version of its header.
    #[default]
    Rep,
    /// `.ncu-repz`.
    Repz,
    /// `--page raw --csv`: metric names, scaled units.
    RawCsv,
    /// `--page details --csv`: labels, rules.
    DetailsCsv,
    /// `ncu --csv --metrics …` as it ran.
    LiveCsv,
}

/// Facts of the capture. A CSV holds few of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Session {
    /// Version of the container; 7 in every file seen.
    pub file_version: Option<u32>,
    /// `Nsight Compute Target`, such as `2025.3.1.0`, without its build.
    pub ncu_version: Option<String>,
    /// CUDA version as the report words it.
    pub cuda_version: Option<String>,
    /// Display driver.
    pub driver_version: Option<String>,
    /// Name of the GPU of the first kernel.
    pub gpu: Option<String>,
    /// Compute capability, `10.0`.
    pub cc: Option<String>,
    /// Streaming multiprocessors.
    pub sm_count: Option<u64>,
    /// Seconds since 1970.
    pub created_unix_s: Option<u64>,
    /// The whole `ncu` command line, not redacted.
    pub command_line: Option<String>,
    /// `--set`, from the command line.
    pub set: Option<String>,
    /// `--clock-control`: from the settings or the command line; its default is `base` where a command line exists without it.
    pub clock_control: Option<String>,
    /// `--cache-control`, in the same way; its default is `all`.
    pub cache_control: Option<String>,
    /// Names that say where and by whom: host, user paths, environment, program. For `--no-redact` only.
    pub private: Private,
    /// Device attributes by name, `device__attribute_…` included as written.
    pub attributes: BTreeMap<String, Value>,
}

/// What is redacted by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Private {
    /// Name of the host.
    pub host: Option<String>,
    /// Path of the program.
    pub program: Option<String>,
    /// Its folder.
    pub working_directory: Option<String>,
    /// Its environment.
    pub environment: Option<String>,
}

/// One profiled kernel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kernel {
    /// Position in the report, from 0.
    pub index: usize,
    /// Name without arguments.
    pub function: String,
    /// Full name, with template arguments; the function's where the report has no more.
    pub demangled: String,
    /// Blocks.
    pub grid: [u64; 3],
    /// Threads of a block.
    pub block: [u64; 3],
    /// Context.
    pub context: Option<u64>,
    /// Stream.
    pub stream: Option<u64>,
    /// Metrics by name. Of a name that repeats the last one counts.
    pub metrics: BTreeMap<String, Metric>,
    /// Rules that had something to say, in the order of the file.
    pub rules: Vec<Rule>,
    /// Identifiers of the sections that were collected (`SpeedOfLight`).
    pub sections: Vec<String>,
}

/// A metric's value over the kernel and its instances.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metric {
    /// `None` where only instances were stored, and where the value was not finite.
    pub value: Option<Value>,
    /// One value for each address, pipe or so.
    pub instances: Vec<Instance>,
    /// The unit that a CSV names, of the value as it stands here (unscaled).
    pub unit: Option<String>,
}

/// One part of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// What it belongs to: an address, a name.
    pub id: Option<Value>,
    /// Its value.
    pub value: Option<Value>,
}

/// A value as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(u64),
    /// A finite number.
    Real(f64),
}

impl Value {
    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Text(_) => None,
            // Counts below 2^53 are exact, and none of a profile is near it.
            Value::Integer(number) => Some(*number as f64),
            Value::Real(number) => Some(*number),
        }
    }
}

/// What a rule of Nsight Compute said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    /// `SOLBottleneck`.
    pub id: String,
    /// Section that it belongs to, by identifier.
    pub section: String,
    /// Short headline.
    pub title: String,
    /// Its text, markup included.
    pub text: String,
    /// How it was meant.
    pub kind: RuleKind,
    /// What it promises.
    pub speedup: Option<Speedup>,
    /// Metrics that it points to.
    pub focus: Vec<String>,
}

/// How a rule's message was meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RuleKind {
    /// Information.
    #[default]
    Info,
    /// Something is wrong with the capture or the launch.
    Warning,
    /// The rule could not be evaluated.
    Error,
    /// Advice.
    Optimization,
}

/// What a rule promises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speedup {
    /// Of the whole kernel (`true`), or of the unit that the rule looks at.
    pub is_global: bool,
    /// Percent of the duration.
    pub percent: f64,
}

/// A defect that could be read past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// `non-finite-metric`, `unknown-version`, …
    pub code: &'static str,
    /// What it was, cleaned.
    pub message: String,
}

impl Kernel {
    /// The number of a metric, if there is one.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.metrics.get(name)?.value.as_ref()?.number()
    }
}

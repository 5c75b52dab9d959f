//! A log to its document: read, conclude, put together.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::capacity_plan::report::{Engine, LogLines, MemoryFailure, ReportData, SCHEMA, Source};
use contracts::{Exit, Finite, Input};

use crate::advice::{Known, advice};
use crate::cli::{Args, CheckArgs, LogArgs};
use crate::error::CapacityError;
use crate::facts::Facts;
use crate::hashing::Hashing;
use crate::load::Load;
use crate::model::{Config, Formula};
use crate::startup_log::{self, StartupLog};
use crate::{
    benchmark, capacity_rows, caveats, headroom, kv, kv_dtype, memory, model, pools, render, summary,
};

pub(crate) fn log(args: &LogArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let checked = Checked::read(&args.model)?;
    let bar = cli_kit::spinner("reading the log", output);
    let (log, input) = read(&args.log)?;
    bar.finish_and_clear();
    if log.statements == 0 || log.facts.is_empty() {
        return Err(CapacityError::NothingRecognised {
            path: input.path,
            lines: log.lines,
        }
        .into());
    }
    let engine = log.facts.format.map(|format| format.engine());
    let binding = args.bind.read(engine, log.facts.is_simulated)?;
    let load = Load::read(&args.load, binding.as_ref())?;

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs.push(input);
    parts.simulated = log.facts.is_simulated;
    parts.inputs.extend(checked.inputs());
    parts.inputs.extend(load.input.clone());
    if let Some(binding) = binding {
        parts.bind(binding);
    }
    parts.warnings.extend(caveats::starts(&log));
    let lines = LogLines {
        lines: log.lines,
        statements: log.statements,
        cut_lines: log.cut_lines,
        starts: log.starts,
        last_start_line: (log.starts > 1).then_some(log.last_start_line),
    };
    Ok(conclude(
        parts,
        &log.facts,
        &checked,
        &load,
        Source::Log,
        Some(lines),
        output,
    ))
}

/// The configuration that the engine's numbers are held against.
pub(crate) struct Checked<'a> {
    args: &'a CheckArgs,
    config: Option<Config>,
    draft: Option<Config>,
    dtype: Option<capacity::KvDtype>,
}

impl<'a> Checked<'a> {
    pub(crate) fn read(args: &'a CheckArgs) -> Result<Checked<'a>, Failure> {
        Ok(Checked {
            args,
            dtype: kv_dtype::typed(args.kv_dtype.as_deref())?,
            config: args.config.as_deref().map(model::load).transpose()?,
            draft: args.draft_config.as_deref().map(model::load).transpose()?,
        })
    }

    pub(crate) fn inputs(&self) -> impl Iterator<Item = Input> {
        let files = self.config.iter().chain(&self.draft);
        files.map(|config| config.input.clone())
    }
}

/// What an engine says, to its document.
pub(crate) fn conclude(
    mut parts: DocumentParts,
    facts: &Facts,
    checked: &Checked<'_>,
    load: &Load,
    source: Source,
    log: Option<LogLines>,
    output: &OutputArgs,
) -> Report {
    let config = checked.config.as_ref();
    let parallel = model::parallel(facts, checked.args);
    let kv_dtype = kv_dtype::of_engine(facts, config, checked.dtype);
    let formula = config
        .zip(kv_dtype)
        .map(|(config, dtype)| Formula::new(config, checked.draft.as_ref(), parallel, dtype));
    let lacks_widths = formula.as_ref().is_some_and(Formula::is_empty);
    let formula = formula.filter(|_| !lacks_widths);
    let kv = kv::kv(facts, formula.as_ref());
    let memory = memory::memory(facts);
    let headroom = headroom::headroom(facts);
    let seen_dp = facts.ranks.keys().filter_map(|rank| rank.dp).max();
    let dp = facts.dp.or(seen_dp.map(|most| u64::from(most) + 1));
    let schedulers = dp.unwrap_or(1);
    let longest = config.and_then(|config| config.model.weights.max_position_embeddings);
    let limits = capacity_rows::limits(facts, &kv, longest);
    let capacity = capacity_rows::rows(&limits, kv.tokens_hold_for, load, schedulers);
    let advice = advice(&Known {
        facts,
        kv: &kv,
        capacity: &capacity,
        headroom: headroom.as_ref(),
        kv_dtype,
        limits: &limits,
        schedulers,
    });
    let unknown = config.filter(|_| kv_dtype.is_none());
    parts
        .warnings
        .extend(unknown.and_then(|config| kv_dtype::warning(facts, config)));
    parts.warnings.extend(lacks_widths.then(caveats::no_formula));
    parts.warnings.extend(caveats::warnings(
        facts,
        formula.as_ref(),
        &kv,
        &memory,
        headroom.as_ref(),
    ));
    parts
        .warnings
        .extend(config.into_iter().flat_map(Config::warnings));
    parts
        .warnings
        .extend(caveats::request_limit(facts, &limits, &capacity, schedulers));
    parts.warnings.extend(model::other_ranks(facts, checked.args));
    parts.warnings.extend(benchmark::overload(load, &capacity));
    parts.warnings.extend(benchmark::other_benchmark(load, facts));
    let is_sglang = facts.format.is_some_and(|format| !format.is_vllm());
    let names_ranks = is_sglang && facts.ranks.keys().any(|rank| rank.tp.is_some());
    let knows_tp = checked.args.tp.is_some() || facts.tp.is_some() || names_ranks || parallel.tp > 1;
    let data = ReportData {
        source,
        engine: Engine {
            kind: facts.format.map(|format| format.engine().to_owned()),
            format: facts
                .format
                .map(|format| format.name().to_owned())
                .filter(|_| log.is_some()),
            version: facts.version.clone(),
            model: facts.model.clone(),
            tp: knows_tp.then_some(parallel.tp),
            pp: checked.args.pp.or(facts.pp),
            dp,
            kv_dtype: kv_dtype.map(|dtype| dtype.name().to_owned()),
            page_tokens: facts.page,
            context_tokens: facts.context,
            max_running_requests: facts.max_running_requests,
            memory_fraction_ratio: facts.fraction.and_then(Finite::new),
        },
        kv,
        fit: None,
        capacity,
        headroom,
        advice,
        memory,
        pools: pools::rows(facts),
        failures: facts
            .failures
            .iter()
            .map(|failure| MemoryFailure {
                rank: failure.rank.name(),
                phase: failure.phase.name().to_owned(),
                line: failure.line,
                text: failure.text.clone(),
            })
            .collect(),
        log,
    };
    parts.summary = summary::summary(&data);
    let given = config.map(|config| summary::Given {
        config: &config.path,
        draft_config: checked.draft.as_ref().map(|draft| draft.path.as_str()),
        parallel,
        // The estimate refuses a prefix that leaves a request nothing of its own.
        shared: load
            .shared
            .filter(|shared| data.capacity.iter().all(|row| *shared < row.length_tokens)),
    });
    parts.next_actions = summary::next_actions(&data, given.as_ref());
    finish(parts, data, Exit::Ok, output)
}

/// Document and view.
pub(crate) fn finish(parts: DocumentParts, data: ReportData, exit: Exit, output: &OutputArgs) -> Report {
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render::report(&document, output.top);
    Report::new(&document, view, exit)
}

/// Reads a log as it comes; a log of a year is not held in memory.
fn read(path: &Path) -> Result<(StartupLog, Input), CapacityError> {
    let unreadable = |source: io::Error| CapacityError::LogUnreadable {
        path: path.display().to_string(),
        source,
    };
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(unreadable)?)
    };
    let mut hashing = Hashing::new(BufReader::with_capacity(1 << 16, source));
    let log = startup_log::read(&mut hashing).map_err(unreadable)?;
    Ok((log, hashing.input(path)))
}

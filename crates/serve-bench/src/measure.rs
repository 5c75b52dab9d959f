//! One run from load to fold, with its records on disk and its progress on stderr.

use std::sync::{Arc, Mutex, PoisonError};

use cli_kit::{DocumentParts, Failure, OutputArgs};
use contracts::serve_bench::record::{RecordHeader, RequestRecord, RunEnd, RunSide, RunStart};
use contracts::serve_bench::run::Run;
use contracts::{Exit, Warning};

use crate::fold::{FoldContext, SloRules, client_health, fold_run};
use crate::load::{Event, Level, Sink};
use crate::records::RecordsWriter;

/// Shared by the collector thread and the command.
pub(crate) type Records = Arc<Mutex<RecordsWriter>>;

/// A run and the records it was folded from.
pub(crate) struct Measured {
    pub(crate) run: Run,
    pub(crate) records: Vec<RequestRecord>,
    /// False when Ctrl-C ended it.
    pub(crate) complete: bool,
    /// When its clock started.
    pub(crate) epoch_at: jiff::Timestamp,
}

/// What a run is called, in its records and on stderr.
pub(crate) struct Name<'a> {
    pub(crate) run: u32,
    /// The side of a comparison.
    pub(crate) side: Option<RunSide>,
    pub(crate) label: &'a str,
}

/// Makes one run.
pub(crate) fn measure(
    level: &Level,
    rules: &SloRules,
    name: &Name<'_>,
    records: Option<&Records>,
    output: &OutputArgs,
) -> Result<Measured, Failure> {
    let bar = cli_kit::progress_bar(level.requests.len() as u64, name.label, output);
    let (run, side) = (name.run, name.side);
    let sink: Sink = {
        let (bar, writer) = (bar.clone(), records.cloned());
        let load = level.info.clone();
        let mut failed = 0_u64;
        Box::new(move |event| {
            let record = match event {
                Event::Started(epoch_at) => {
                    if let Some(writer) = &writer {
                        lock(writer).run_start(RunStart {
                            run,
                            side,
                            epoch_at,
                            load: Some(load.clone()),
                        });
                    }
                    return;
                }
                Event::Ended(record) => record,
            };
            if let Some(writer) = &writer {
                lock(writer).request(record);
            }
            bar.inc(1);
            if record.outcome != contracts::serve_bench::outcome::Outcome::Ok {
                failed += 1;
                bar.set_message(format!("{failed} failed"));
            }
        })
    };
    let finished = crate::load::run(level, run, sink).map_err(|error| {
        Failure::new(
            Exit::Unavailable,
            "no-runtime",
            format!("cannot start the load: {error}"),
        )
        .hint("raise the open-file limit: `ulimit -n 65536`")
    })?;
    bar.finish_and_clear();
    let client = client_health(&finished.samples, &finished.records, &level.info);
    if let Some(writer) = records {
        lock(writer).run_end(RunEnd {
            run,
            complete: finished.complete,
            client: client.clone(),
        });
    }
    let context = FoldContext {
        run,
        epoch_at: finished.epoch_at,
        load: &level.info,
        rules,
        complete: finished.complete,
    };
    let run = fold_run(&finished.records, client, &context);
    Ok(Measured {
        run,
        records: finished.records,
        complete: finished.complete,
        epoch_at: finished.epoch_at,
    })
}

pub(crate) fn lock(records: &Records) -> std::sync::MutexGuard<'_, RecordsWriter> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the records file of `--records`; `resumed` when it goes on where an earlier invocation stopped.
pub(crate) fn open_records(
    path: Option<&std::path::Path>,
    header: &RecordHeader,
    resumed: bool,
) -> Result<Option<Records>, Failure> {
    let open = if resumed {
        RecordsWriter::resume
    } else {
        RecordsWriter::create
    };
    path.map(|path| Ok(Arc::new(Mutex::new(open(path, header)?))))
        .transpose()
}

/// Lists the records file in a document, and says so when it could not be written whole.
pub(crate) fn list_records(records: Option<&Records>, parts: &mut DocumentParts) {
    if let Some(records) = records.map(lock) {
        parts.artifacts.push(records.artifact());
        let failure = records.failure();
        parts
            .warnings
            .extend(failure.map(|failure| Warning::new("records-not-written", failure)));
    }
}

/// The exit of a measurement, or that of records that could not be written whole.
pub(crate) fn exit_with(records: Option<&Records>, exit: Exit) -> Exit {
    match records.and_then(|records| lock(records).failure()) {
        Some(_) => Exit::Unavailable,
        None => exit,
    }
}

/// Rules of the command line as a usage error.
pub(crate) fn rules(slo: &[String], goodput: &[String]) -> Result<SloRules, Failure> {
    SloRules::parse(slo, goodput).map_err(|error| {
        Failure::new(Exit::Usage, "bad-rule", error.to_string()).hint("for example --slo 'p50_ttft_ms<=2000'")
    })
}

//! One run from load to fold, with its records on disk and its progress on stderr.

use std::sync::{Arc, Mutex, PoisonError};

use cli_kit::{Failure, OutputArgs};
use contracts::Exit;
use contracts::serve_bench::record::{RequestRecord, RunEnd, RunStart};
use contracts::serve_bench::run::Run;

use crate::fold::{FoldContext, SloRules, client_health, fold_run};
use crate::load::{Level, Sink};
use crate::records::RecordsWriter;

/// Shared by the collector thread and the command.
pub(crate) type Records = Arc<Mutex<RecordsWriter>>;

/// A run and the records it was folded from.
pub(crate) struct Measured {
    pub(crate) run: Run,
    pub(crate) records: Vec<RequestRecord>,
    /// False when Ctrl-C ended it.
    pub(crate) complete: bool,
}

/// Makes one run.
pub(crate) fn measure(
    level: &Level,
    rules: &SloRules,
    run: u32,
    records: Option<&Records>,
    label: &str,
    output: &OutputArgs,
) -> Result<Measured, Failure> {
    let bar = cli_kit::progress_bar(level.requests.len() as u64, label, output);
    let epoch = RunStart {
        run,
        epoch_at: jiff::Timestamp::now(),
    };
    if let Some(writer) = records {
        lock(writer).run_start(epoch);
    }
    let sink: Sink = {
        let (bar, writer) = (bar.clone(), records.cloned());
        let mut failed = 0_u64;
        Box::new(move |record| {
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
    })
}

pub(crate) fn lock(records: &Records) -> std::sync::MutexGuard<'_, RecordsWriter> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the records file of `--records`.
pub(crate) fn open_records(path: Option<&std::path::Path>) -> Result<Option<Records>, Failure> {
    path.map(|path| Ok(Arc::new(Mutex::new(RecordsWriter::create(path)?))))
        .transpose()
}

/// Rules of the command line as a usage error.
pub(crate) fn rules(slo: &[String], goodput: &[String]) -> Result<SloRules, Failure> {
    SloRules::parse(slo, goodput).map_err(|error| {
        Failure::new(Exit::Usage, "bad-rule", error.to_string()).hint("for example --slo 'p50_ttft_ms<=2000'")
    })
}

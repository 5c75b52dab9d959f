//! The trap matrix: awkward streams, each with the one honest reading of it.

mod cases;
mod judge;

use cli_kit::{Failure, OutputArgs};
use contracts::engine_sim::Script;
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::RequestRecord;
use contracts::serve_bench::run::Run;
use contracts::serve_bench::selftest::Trap;

use super::scripted::{Ask, Scripted};
use crate::fold::{FoldContext, SloRules, client_health, fold_run};
use crate::load::closed_loop_info;
use cases::{FAST, IPV6_LOOPBACK, cases};

/// What came back of a trap.
pub(super) struct Seen {
    run: Run,
    records: Vec<RequestRecord>,
}

/// One awkward stream.
struct Case {
    name: &'static str,
    expected: &'static str,
    script: Script,
    ask: Ask,
    host: &'static str,
    judge: fn(&Seen) -> (bool, String),
}

/// What became of the matrix.
pub(super) struct Matrix {
    pub(super) traps: Vec<Trap>,
    /// Traps that this machine cannot have.
    pub(super) not_run: Vec<&'static str>,
}

/// Runs the matrix, or the part of it before Ctrl-C.
pub(super) fn run_all(output: &OutputArgs) -> Result<Matrix, Failure> {
    let cases = cases();
    let bar = cli_kit::progress_bar(cases.len() as u64, "traps", output);
    let mut traps = Vec::with_capacity(cases.len());
    let mut not_run = Vec::new();
    for case in cases {
        bar.set_message(case.name);
        let seen = match run(&case.script, case.host, &case.ask) {
            Err(_) if case.host == IPV6_LOOPBACK && !has_ipv6() => {
                not_run.push(case.name);
                continue;
            }
            seen => seen?,
        };
        if cli_kit::interrupted() {
            break;
        }
        let (passed, observed) = (case.judge)(&seen);
        traps.push(Trap {
            name: case.name.to_owned(),
            expected: case.expected.to_owned(),
            observed,
            passed,
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !cli_kit::interrupted() {
        traps.push(refused_connection()?);
    }
    Ok(Matrix { traps, not_run })
}

/// Whether this system has IPv6 at all; where it has, a loopback that does not work is a failure.
fn has_ipv6() -> bool {
    std::path::Path::new("/proc/net/if_inet6").exists()
}

fn run(script: &Script, host: &str, ask: &Ask) -> Result<Seen, Failure> {
    let server = Scripted::start(script, host)?;
    let finished = server.load(ask)?;
    let info = closed_loop_info(ask.concurrency, 0);
    let client = client_health(&finished.samples, &finished.records, &info);
    let rules = SloRules::default();
    let context = FoldContext {
        run: 0,
        epoch_at: finished.epoch_at,
        load: &info,
        rules: &rules,
        complete: finished.complete,
    };
    Ok(Seen {
        run: fold_run(&finished.records, client, &context),
        records: finished.records,
    })
}

/// A server that has gone: the port was free a moment ago.
fn refused_connection() -> Result<Trap, Failure> {
    let server = Scripted::start(&Script::default(), "127.0.0.1")?;
    let level = server.level(&FAST);
    drop(server);
    let finished = crate::load::run(&level, 0, Box::new(|_| {})).map_err(|error| {
        Failure::new(
            contracts::Exit::Unavailable,
            "no-runtime",
            format!("cannot start the load: {error}"),
        )
    })?;
    let connect = finished
        .records
        .iter()
        .filter(|record| record.outcome == Outcome::Connect)
        .count();
    Ok(Trap {
        name: "connection-refused".to_owned(),
        expected: "10 connect".to_owned(),
        observed: format!("{connect} connect"),
        passed: connect == 10,
    })
}

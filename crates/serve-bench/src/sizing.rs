//! `run --url U` with no other flag: one request tells how much work fits into half a minute.

use cli_kit::{Failure, OutputArgs};
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::probe::ProbeData;

use crate::cli::{RunArgs, WorkloadSourceArgs};
use crate::fold::SloRules;
use crate::level::{Rate, level};
use crate::measure::{Name, measure};
use crate::server::Server;
use crate::source::select;

/// A size that was chosen because nothing was said.
pub(crate) struct Sized {
    pub(crate) concurrency: u32,
    /// `None` leaves the number to the flags.
    pub(crate) num_prompts: Option<u64>,
    /// For the document; `None` when nothing was chosen.
    pub(crate) why: Option<String>,
}

const DEFAULT_CONCURRENCY: u32 = 8;
/// Even a server that takes one request after the other is done by then, seconds.
const WORST_CASE_S: f64 = 40.0;
/// More prompts than this say nothing more, per slot.
const PROMPTS_PER_SLOT: u64 = 10;

/// Chooses concurrency and number of prompts, unless flags did.
pub(crate) fn size(args: &RunArgs, server: &Server, output: &OutputArgs) -> Result<Sized, Failure> {
    let wanted = slots(&server.probe);
    let said = args.workload.workload.is_some()
        || args.workload.make.num_prompts.is_some()
        || args.workload.make.dataset.is_some()
        || !args.workload.make.preset.is_empty()
        || args.load.concurrency.is_some()
        || args.load.request_rate.is_some();
    if said {
        // Fewer prompts than slots could never fill them.
        let prompts = args
            .workload
            .make
            .num_prompts
            .and_then(|prompts| u32::try_from(prompts).ok());
        return Ok(Sized {
            concurrency: wanted.min(prompts.unwrap_or(wanted)).max(1),
            num_prompts: None,
            why: None,
        });
    }
    let alone_s = one_request(args, server, output)?;
    let worst_case = (WORST_CASE_S / alone_s).floor() as u64;
    let num_prompts = worst_case.clamp(4, PROMPTS_PER_SLOT * u64::from(wanted));
    let concurrency = wanted
        .min(u32::try_from(num_prompts / 2).unwrap_or(wanted))
        .max(1);
    Ok(Sized {
        concurrency,
        num_prompts: Some(num_prompts),
        why: Some(format!(
            "one request alone took {alone_s:.3} s; {num_prompts} prompts at concurrency {concurrency} end within a minute"
        )),
    })
}

/// Requests that the server takes at once, where it says so.
fn slots(probe: &ProbeData) -> u32 {
    ["total_slots", "max_running_requests", "max_num_seqs"]
        .iter()
        .find_map(|setting| probe.settings.get(*setting)?.as_u64())
        .and_then(|slots| u32::try_from(slots).ok())
        .map_or(DEFAULT_CONCURRENCY, |slots| slots.clamp(1, DEFAULT_CONCURRENCY))
}

/// Seconds of one request of the workload that will be sent, alone on the server.
fn one_request(args: &RunArgs, server: &Server, output: &OutputArgs) -> Result<f64, Failure> {
    let mut source = WorkloadSourceArgs {
        ..args.workload.clone()
    };
    source.make.num_prompts = Some(1);
    // Another seed: the prompt must not be in the cache when the measured ones come.
    source.make.seed = source.make.seed.wrapping_add(0x5eed);
    let mut selected = select(&source, server, 0, None)?;
    let level = level(
        server,
        &mut selected,
        Rate::Concurrency(1),
        &args.load.shape,
        0,
        args.server.request.timeout.min(WORST_CASE_S),
    )?;
    let name = Name {
        run: 0,
        side: None,
        label: "sizing",
    };
    let measured = measure(&level, &SloRules::default(), &name, None, output)?;
    let record = measured.records.first();
    let seconds = record
        .filter(|record| record.outcome == Outcome::Ok)
        .map(|record| record.ended_ms.get() / 1e3);
    // A failing request is not our business here: the run will say what is wrong, with its outcome.
    Ok(seconds.unwrap_or(WORST_CASE_S).max(1e-3))
}

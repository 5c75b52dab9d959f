//! How well a run knows its own percentile, from the records of its requests.

use std::path::{Path, PathBuf};

use contracts::Finite;
use contracts::gap_decide::decision::RunPercentile;
use contracts::metric::Metric;
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::{Phase, RecordLine, RequestRecord, RunStart};
use contracts::serve_bench::run::Run;

use crate::evidence::{Matchup, Part};

/// Largest records file that is read.
const RECORDS_CAP: u64 = 512 << 20;

/// Most stretches of time that are drawn.
const MOST_BLOCKS: usize = 20;

/// Fewest requests of a stretch: enough neighbours to carry a batch.
const BLOCK_LENGTH: usize = 5;

/// Draws.
const DRAWS: usize = 1000;

/// The first request of a run starts with its window; clocks are read twice, and documents hold milliseconds.
const SAME_START_MS: f64 = 50.0;

/// One run of a records file.
struct Recorded {
    epoch_at: jiff::Timestamp,
    requests: Vec<RequestRecord>,
}

/// Percentiles of every run of a comparison with their intervals; empty for other metrics or without records.
pub(crate) fn percentiles(matchup: &Matchup, metric: &Metric) -> Vec<RunPercentile> {
    let (Some(percentile), Some((_, field))) = (metric.percentile(), metric.latency()) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = matchup
        .sides()
        .iter()
        .flat_map(|side| &side.parts)
        .flat_map(records_files)
        .collect();
    files.sort();
    files.dedup();
    let recorded: Vec<Recorded> = files.iter().flat_map(|file| read(file)).collect();
    let bounds = |side: &str, run: &Run| {
        let mut values = latencies(find(&recorded, run)?, field);
        let blocks = (values.len() / BLOCK_LENGTH).min(MOST_BLOCKS);
        let (low, high) =
            stats::block_bootstrap::percentile_interval(&values, percentile, 0.95, blocks, DRAWS, 1)?;
        let requests = values.len() as u64;
        stats::percentile::sort(&mut values);
        Some(RunPercentile {
            side: side.to_owned(),
            run: run.run,
            requests,
            value: Finite::new(stats::percentile::nearest_rank(&values, percentile)?)?,
            ci_low: Finite::new(low)?,
            ci_high: Finite::new(high)?,
        })
    };
    let sides = matchup.sides();
    sides
        .iter()
        .flat_map(|side| side.runs.iter().filter_map(|run| bounds(&side.name, run)))
        .collect()
}

/// Where the records are: as the document says, or beside the document when both were moved.
fn records_files(part: &Part) -> Vec<PathBuf> {
    let beside = |file: &Path| Some(Path::new(&part.path).parent()?.join(file.file_name()?));
    part.records
        .iter()
        .map(PathBuf::from)
        .filter_map(|file| {
            if file.is_file() {
                Some(file)
            } else {
                beside(&file).filter(|file| file.is_file())
            }
        })
        .collect()
}

/// The runs of a records file; lines that do not read are passed over.
fn read(file: &Path) -> Vec<Recorded> {
    let Ok(bytes) = cli_kit::read_bounded(file, RECORDS_CAP) else {
        return Vec::new();
    };
    let mut runs: Vec<Recorded> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        match serde_json::from_slice::<RecordLine>(line) {
            Ok(RecordLine::RunStart(RunStart { epoch_at, .. })) => runs.push(Recorded {
                epoch_at,
                requests: Vec::new(),
            }),
            Ok(RecordLine::Request(request)) => {
                let counts = request.phase == Phase::Measured && request.outcome == Outcome::Ok;
                if let Some(run) = runs.last_mut().filter(|_| counts) {
                    run.requests.push(*request);
                }
            }
            _ => {}
        }
    }
    for run in &mut runs {
        // Lines are written as requests end; blocks are stretches of their starts.
        run.requests
            .sort_by(|a, b| a.start_ms.get().total_cmp(&b.start_ms.get()));
    }
    runs
}

/// The records of a run: both sides of a comparison write into one file, so the time tells them apart.
fn find<'a>(recorded: &'a [Recorded], run: &Run) -> Option<&'a [RequestRecord]> {
    let start = run.windows.full.as_ref()?.start_at;
    let distance = |one: &Recorded| {
        let first = one.requests.first()?.start_ms.get();
        Some((start.duration_since(one.epoch_at).as_secs_f64() * 1e3 - first).abs())
    };
    let (closest, one) = recorded
        .iter()
        .filter_map(|one| Some((distance(one)?, one)))
        .min_by(|a, b| a.0.total_cmp(&b.0))?;
    (closest <= SAME_START_MS).then_some(&one.requests[..])
}

fn latencies(requests: &[RequestRecord], field: &str) -> Vec<f64> {
    let value = |request: &RequestRecord| match field {
        "ttft_ms" => request.ttft_ms,
        "tpot_ms" => request.tpot_ms,
        "e2e_latency_ms" => request.e2e_latency_ms,
        "send_delay_ms" => request.send_delay_ms,
        // Pooled over tokens, not over requests.
        _ => None,
    };
    requests.iter().filter_map(value).map(Finite::get).collect()
}

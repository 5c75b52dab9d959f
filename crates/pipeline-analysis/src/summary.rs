//! One or two sentences to act on.

use std::collections::BTreeMap;

use contracts::pipeline_analysis::report::{Outside, Pass, ReportData};

/// From this share of idle time on, it is what to look at first, percent.
pub(crate) const MUCH_IDLE_PCT: f64 = 30.0;

/// What was found, and what takes the time of the shown pass.
pub(crate) fn summary(data: &ReportData) -> String {
    let Some((layers, pass)) = found(data) else {
        return format!(
            "No layers were found: nothing repeats among {} kernels of stream {}; {} step(s) of the engine are listed.",
            data.detection.stream_kernels,
            data.detection.stream,
            data.passes.len()
        );
    };
    let detection = &data.detection;
    let whole = data.passes.iter().filter(|pass| pass.layers == detection.layers);
    let (whole, all) = (whole.count(), data.passes.len());
    let plural = if whole == 1 { "" } else { "es" };
    let others = match all - whole {
        0 => String::new(),
        more => format!(" and {more} of fewer layers"),
    };
    let mut text = format!(
        "{layers} layers in {whole} pass{plural}{others} ({}, confidence {:.2}).",
        detection.method,
        detection.confidence.get()
    );
    let shown = if whole > 1 && data.shown_pass == data.steady_pass {
        "Steady pass"
    } else {
        "Pass"
    };
    text.push_str(&format!(" {shown} {}{}", pass.index, load(pass)));
    match (pass.wall_ns, idle_pct(pass), bottleneck(data)) {
        (Some(wall_ns), Some(idle), Some((family, share))) => text.push_str(&format!(
            ": {:.3} ms, {idle:.0} % idle; {family} takes {share:.0} % of the busy time of its layers.",
            wall_ns as f64 / 1e6
        )),
        _ => text.push_str(": names only, the trace holds no times."),
    }
    if let Some(between) = between_pct(data).filter(|pct| *pct >= MUCH_IDLE_PCT) {
        text.push_str(&format!(" {between:.0} % of the time lies between passes."));
    }
    if let Some(before) = data.outside.filter(|outside| most_is_before(outside, data)) {
        text.push_str(&format!(
            " {:.3} ms of the trace lie before the first pass.",
            before.before_ns as f64 / 1e6
        ));
    }
    if let Some(rank) = slowest_rank(data) {
        text.push_str(&rank);
    }
    if let Some(layer) = outlier(data) {
        text.push_str(&layer);
    }
    if let [first, second, ..] = by_share(data).as_slice() {
        text.push_str(&format!(
            " {} kinds of layers: {} {:.0} %, {} {:.0} %.",
            data.clusters.len(),
            first.0,
            first.1,
            second.0,
            second.1
        ));
    }
    text
}

/// Layers of the shown pass, and the pass.
pub(crate) fn found(data: &ReportData) -> Option<(usize, &Pass)> {
    let pass = data.passes.get(usize::try_from(data.shown_pass?).ok()?)?;
    Some((data.layers.as_ref()?.len(), pass))
}

/// The slowest of several ranks against the fastest.
fn slowest_rank(data: &ReportData) -> Option<String> {
    let walls = || data.ranks.iter().filter_map(|row| Some((row.wall_ns?, row)));
    let (slow_ns, slow) = walls().max_by_key(|(wall_ns, row)| (*wall_ns, row.shown))?;
    let (fast_ns, _) = walls().min_by_key(|(wall_ns, _)| *wall_ns)?;
    let differ = 0 < fast_ns && fast_ns < slow_ns;
    let rank = slow.rank.filter(|_| differ)?;
    Some(format!(
        " Rank {rank} is the slowest of {}, {:.1} % over the fastest.",
        data.ranks.len(),
        100.0 * (slow_ns as f64 / fast_ns as f64 - 1.0)
    ))
}

/// The slowest of the layers that are far from the others of their kind.
fn outlier(data: &ReportData) -> Option<String> {
    let outliers = || data.layers.iter().flatten().filter(|layer| layer.outlier);
    let layer = outliers().max_by_key(|layer| (layer.wall_ns, std::cmp::Reverse(layer.index)))?;
    let others = match outliers().count() - 1 {
        0 => String::new(),
        more => format!("; {more} more stand(s) out"),
    };
    Some(format!(
        " Layer {} takes {:.3} ms, {}{others}.",
        layer.index,
        layer.wall_ns? as f64 / 1e6,
        layer.note.as_ref()?
    ))
}

/// ` (decode, batch 32)`, as far as it is known.
fn load(pass: &Pass) -> String {
    let mut words: Vec<String> = pass.kind.iter().map(|kind| kind.name().to_owned()).collect();
    words.extend(pass.batch.map(|batch| format!("batch {batch}")));
    words.extend(
        pass.tokens
            .filter(|tokens| Some(*tokens) != pass.batch)
            .map(|tokens| format!("{tokens} tokens")),
    );
    if words.is_empty() {
        String::new()
    } else {
        format!(" ({})", words.join(", "))
    }
}

pub(crate) fn idle_pct(pass: &Pass) -> Option<f64> {
    let (idle, wall) = (pass.idle_ns?, pass.wall_ns?);
    (wall > 0).then(|| 100.0 * idle as f64 / wall as f64)
}

/// Share of the time from the first pass to the last that lies between them, percent.
pub(crate) fn between_pct(data: &ReportData) -> Option<f64> {
    let (first, last) = (data.passes.first()?, data.passes.last()?);
    let span = last.end_ns?.checked_sub(first.start_ns?)?;
    let within: i64 = data
        .passes
        .iter()
        .filter_map(|pass| pass.wall_ns)
        .fold(0, i64::saturating_add);
    (span > 0 && data.passes.len() > 1).then(|| 100.0 * (span - within).max(0) as f64 / span as f64)
}

/// Whether more of the trace lies before its passes than in them and between them.
fn most_is_before(outside: &Outside, data: &ReportData) -> bool {
    let last = data.passes.iter().filter_map(|pass| pass.end_ns).max();
    last.is_some_and(|last| outside.before_ns > last.saturating_sub(outside.before_ns))
}

/// The family with the most busy time over all layers, and its share of it, percent.
fn bottleneck(data: &ReportData) -> Option<(String, f64)> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (family, ns) in data
        .layers
        .iter()
        .flatten()
        .filter_map(|layer| layer.families.as_ref())
        .flatten()
    {
        let family = family.strip_suffix("_ns").unwrap_or(family);
        let sum = sums.entry(family).or_default();
        *sum = sum.saturating_add(*ns);
    }
    let total: i64 = sums.values().fold(0, |sum: i64, ns| sum.saturating_add(*ns));
    let (family, ns) = sums
        .into_iter()
        .max_by_key(|(family, ns)| (*ns, std::cmp::Reverse(*family)))?;
    (total > 0).then(|| (family.to_owned(), 100.0 * ns as f64 / total as f64))
}

/// Types of the clusters with their share of the busy time, the largest first.
fn by_share(data: &ReportData) -> Vec<(&str, f64)> {
    let mut shares: Vec<(&str, f64)> = data
        .clusters
        .iter()
        .filter_map(|cluster| Some((cluster.layer_type.as_str(), cluster.share_pct?.get())))
        .collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    shares
}

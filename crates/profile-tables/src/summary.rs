//! One or two sentences to act on: what takes the time, and why the device waits.

use contracts::profile_tables::report::{CriticalKind, Stage};
use torch_trace::short;

/// From this share of idle time on, it is what to look at first, percent.
const MUCH_IDLE_PCT: f64 = 30.0;

/// The summary of all stages, which are those of `ranks` ranks together.
pub(crate) fn summary(stages: &[Stage], ranks: usize) -> String {
    let mut longest: Vec<&Stage> = stages.iter().collect();
    longest.sort_by_key(|stage| -stage.span_ns);
    let Some(first) = longest.first() else {
        return "No work was found.".to_owned();
    };
    let others = match longest.len() {
        1 => String::new(),
        more => format!(" {} more stage(s) below.", more - 1),
    };
    let together = match ranks {
        0 | 1 => String::new(),
        more => format!("Sums over {more} ranks, not wall time. "),
    };
    format!("{together}{}{others}", of_stage(first))
}

fn of_stage(stage: &Stage) -> String {
    let ms = |ns: i64| format!("{:.3}", ns as f64 / 1e6);
    let idle_pct = 100.0 * stage.idle_ns as f64 / stage.span_ns.max(1) as f64;
    let mut text = format!(
        "{}: {} ms busy of {} ms ({:.0} % idle); {}.",
        stage.stage,
        ms(stage.gpu_busy_ns),
        ms(stage.span_ns),
        idle_pct,
        families(stage)
    );
    if idle_pct >= MUCH_IDLE_PCT
        && let Some(cause) = stage.idle.first()
    {
        let at = cause
            .python_location
            .as_ref()
            .map(|location| format!(" around {location}"))
            .unwrap_or_default();
        text.push_str(&format!(" The device mostly waits: {}{at}.", cause.cause.words()));
        if let Some(gap) = one_gap(stage) {
            text.push_str(&gap);
        } else if let Some(lever) = cause.levers.first() {
            text.push_str(&format!(" To try: {} ({}).", lever.change, lever.why));
        }
    }
    text
}

/// A single wait that is most of the idle time: where a recording begins, for example, and no pattern of the steps.
fn one_gap(stage: &Stage) -> Option<String> {
    let longest = stage.critical_path.as_ref()?.longest.first()?;
    let is_most = longest.kind != CriticalKind::Kernel && longest.ns * 2 > stage.idle_ns;
    is_most.then(|| {
        format!(
            " One wait of {:.3} ms is most of it{}: does it come again in every step?",
            longest.ns as f64 / 1e6,
            longest
                .kernel
                .as_ref()
                .map(|kernel| format!(", before {}", short(kernel)))
                .unwrap_or_default()
        )
    })
}

/// The three families with the largest share.
fn families(stage: &Stage) -> String {
    let mut shares: Vec<(&str, f64)> = Vec::new();
    for row in &stage.kernel_table {
        let share = row.share_pct.map_or(0.0, |share| share.get());
        match shares.iter_mut().find(|(family, _)| *family == row.family) {
            Some((_, sum)) => *sum += share,
            None => shares.push((&row.family, share)),
        }
    }
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let named: Vec<String> = shares
        .iter()
        .take(3)
        .map(|(family, share)| format!("{family} {share:.1} %"))
        .collect();
    named.join(", ")
}

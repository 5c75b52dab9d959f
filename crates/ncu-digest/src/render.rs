//! The document as a page: verdict and next edit first, then evidence, then kernels. Nothing is computed here.

use cli_kit::{Align, Table, View};
use contracts::Document;
use contracts::ncu_digest::Counter;
use contracts::ncu_digest::comparison::{Comparison, Pair};
use contracts::ncu_digest::kernel::Kernel;
use contracts::ncu_digest::report::{Capture, NextEdit, ReportData};
use contracts::text::clean;

use crate::names::short;
use crate::summary::{class, word};
use crate::written::{duration, plain};

/// Rows of each table, so that a page has 8 KB at most.
const ROWS: usize = 10;

pub(crate) fn report(document: &Document<ReportData>, top: usize) -> View {
    let data = &document.data;
    let top = top.min(ROWS);
    let mut view = View::new().heading("Kernel digest").head(document);
    if let Some(edit) = &data.next_edit {
        view = next_edit(view, edit);
    }
    if let Some(comparison) = &data.comparison {
        view = compared(view, comparison, top);
    }
    // Beside a comparison a table of all kernels would say most of it again.
    if data.comparison.is_none() {
        view = view
            .heading("Kernels")
            .table(kernels(&data.kernels, data.kernels_left_out, top));
        let focus = data.kernels.iter().find(|kernel| kernel.index == data.focus);
        if let Some(kernel) = focus {
            let title = format!("Kernel {}: `{}`", kernel.index, short(&kernel.key, 60));
            view = view.heading(title).table(numbers(kernel));
        }
    }
    view.list(capture(&data.report)).next(document)
}

fn next_edit(view: View, edit: &NextEdit) -> View {
    let mut lines = vec![format!("{}: {}", edit.id, edit.edit)];
    lines.extend(edit.symptom.iter().map(|symptom| format!("because {symptom}")));
    lines.extend(
        edit.also
            .iter()
            .take(3)
            .map(|hit| format!("also {}: {}", hit.id, hit.symptom)),
    );
    let view = view.heading("Next edit").list(lines);
    if edit.evidence.is_empty() {
        return view;
    }
    let mut table = Table::new(&[
        ("evidence", Align::Left),
        ("value", Align::Right),
        ("from", Align::Left),
    ]);
    for evidence in edit.evidence.iter().take(5) {
        table.row(vec![
            evidence.name.clone(),
            plain(evidence.value.get()),
            clean(&evidence.metric, 52),
        ]);
    }
    view.table(table)
}

fn compared(view: View, comparison: &Comparison, top: usize) -> View {
    let mut table = Table::new(&[
        ("kernel", Align::Left),
        ("base", Align::Right),
        ("cand", Align::Right),
        ("time %", Align::Right),
        ("cycles %", Align::Right),
        ("noise %", Align::Right),
        ("verdict", Align::Left),
    ]);
    for pair in &comparison.pairs {
        table.row(row(pair));
    }
    let mut view = view.heading("Baseline and candidate").table(table.top(top));
    let first = comparison.pairs.first().map_or(&[][..], |pair| &pair.metrics[..]);
    if !first.is_empty() {
        let mut table = Table::new(&[
            ("moved", Align::Left),
            ("base", Align::Right),
            ("cand", Align::Right),
            ("by", Align::Right),
        ]);
        for delta in first {
            let by = match (delta.delta_points, delta.delta_pct) {
                (Some(points), _) => format!("{:+.1} points", points.get()),
                (None, Some(pct)) => format!("{:+.1} %", pct.get()),
                (None, None) => "-".to_owned(),
            };
            table.row(vec![
                delta.name.clone(),
                plain(delta.baseline.get()),
                plain(delta.candidate.get()),
                by,
            ]);
        }
        view = view.table(table.top(8));
    }
    let unmatched = comparison.unmatched.iter().take(3);
    let unmatched = unmatched.map(|one| format!("{} `{}`: {}", one.side, short(&one.key, 50), one.why));
    let provisional = comparison.pairs.iter().any(|pair| pair.provisional);
    if provisional {
        view = view.text("* provisional: one launch a side, clocks that drifted, another release of ncu, or a setting that is not known. Capture five launches.");
    }
    view.list(unmatched.collect())
        .text("Times under the profiler promote nothing: clocks are held and caches are flushed.")
}

fn row(pair: &Pair) -> Vec<String> {
    let signed = |pct: Option<contracts::Finite>| pct.map_or_else(dash, |pct| format!("{:+.1}", pct.get()));
    let mut verdict = word(pair.verdict).to_owned();
    if pair.is_control {
        verdict.push_str(", control");
    }
    if pair.provisional {
        verdict.push('*');
    }
    vec![
        short(&pair.candidate.key, 22),
        duration(pair.baseline.duration_ns.value.get()),
        duration(pair.candidate.duration_ns.value.get()),
        signed(pair.duration_delta_pct),
        signed(pair.cycles_delta_pct),
        pair.noise_pct
            .map_or_else(dash, |pct| format!("{:.1}", pct.get())),
        verdict,
    ]
}

fn capture(capture: &Capture) -> Vec<String> {
    let mut words: Vec<String> = capture.gpu.iter().cloned().collect();
    words.extend(capture.cc.as_ref().map(|cc| format!("cc {cc}")));
    words.extend(
        capture
            .ncu_version
            .as_ref()
            .map(|version| format!("ncu {version}")),
    );
    words.extend(capture.set.as_ref().map(|set| format!("set {set}")));
    words.extend(
        capture
            .clock_control
            .as_ref()
            .map(|clock| format!("clock control {clock}")),
    );
    words.extend(
        capture
            .passes
            .as_ref()
            .map(|passes| format!("{} passes", plain(passes.value.get()))),
    );
    let mut lines: Vec<String> = (!words.is_empty())
        .then(|| words.join(" · "))
        .into_iter()
        .collect();
    let private = [
        ("host", &capture.host),
        ("command", &capture.command_line),
        ("program", &capture.program),
        ("folder", &capture.working_directory),
        ("environment", &capture.environment),
    ];
    let shown = private.into_iter().filter(|_| !capture.redacted);
    lines.extend(shown.filter_map(|(name, text)| Some(format!("{name}: {}", clean(text.as_ref()?, 300)))));
    lines
}

fn kernels(kernels: &[Kernel], left_out: u64, top: usize) -> Table {
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("kernel", Align::Left),
        ("time", Align::Right),
        ("bound", Align::Left),
        ("SM %", Align::Right),
        ("mem %", Align::Right),
        ("DRAM %", Align::Right),
        ("occ %", Align::Right),
        ("waves", Align::Right),
    ]);
    let pct = |counter: &Option<Counter>| value(counter.as_ref(), 1);
    for kernel in kernels {
        table.row(vec![
            kernel.index.to_string(),
            short(&kernel.key, 24),
            kernel
                .duration_ns
                .as_ref()
                .map_or_else(dash, |time| duration(time.value.get())),
            kernel
                .bound
                .map_or_else(dash, |bound| class(bound, kernel.sub_bound)),
            pct(&kernel.sol.sm_pct),
            pct(&kernel.sol.mem_pct),
            pct(&kernel.sol.dram_pct),
            pct(&kernel.occupancy.achieved_pct),
            value(kernel.launch.waves.as_ref(), 2),
        ]);
    }
    let mut table = table.top(top);
    table.omitted += left_out as usize;
    table
}

/// The numbers of one kernel, two to a row.
fn numbers(kernel: &Kernel) -> Table {
    let mut cells: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, counter: Option<&Counter>| {
        if let Some(counter) = counter {
            cells.push((name.to_owned(), plain(counter.value.get())));
        }
    };
    add("cycles", kernel.cycles.as_ref());
    add("registers", kernel.registers.as_ref());
    add("shared memory, bytes", kernel.shared_bytes.as_ref());
    add("L1, %", kernel.sol.l1_pct.as_ref());
    add("L2, %", kernel.sol.l2_pct.as_ref());
    add("tensor pipe, %", kernel.tensor_pct.as_ref());
    add("FMA pipe, %", kernel.fma_pct.as_ref());
    add("FP64 pipe, %", kernel.fp64_pct.as_ref());
    add(
        "theoretical occupancy, %",
        kernel.occupancy.theoretical_pct.as_ref(),
    );
    add("eligible warps", kernel.scheduler.eligible_warps.as_ref());
    add("no eligible warp, %", kernel.scheduler.no_eligible_pct.as_ref());
    add("sectors of a load", kernel.memory.sectors_per_request.as_ref());
    add("bytes of a sector", kernel.memory.bytes_per_sector.as_ref());
    add("bank conflicts, %", kernel.memory.bank_conflict_pct.as_ref());
    add("L1 hits, %", kernel.memory.l1_hit_pct.as_ref());
    add("L2 hits, %", kernel.memory.l2_hit_pct.as_ref());
    add("spill requests", kernel.memory.spill_requests.as_ref());
    add("empty part of the waves, %", kernel.launch.tail_pct.as_ref());
    if let Some(clock) = &kernel.sm_clock_hz {
        cells.push((
            "SM clock, GHz".to_owned(),
            format!("{:.3}", clock.value.get() / 1e9),
        ));
    }
    if let Some(roofline) = &kernel.roofline {
        cells.push((
            format!("{} TFLOP/s", roofline.precision),
            format!("{:.3}", roofline.flops_per_s.value.get() / 1e12),
        ));
        let pair = roofline.intensity.as_ref().zip(roofline.ridge.as_ref());
        cells.extend(pair.map(|(intensity, ridge)| {
            let text = format!("{} of {}", plain(intensity.value.get()), plain(ridge.value.get()));
            ("FLOP/byte of the ridge's".to_owned(), text)
        }));
    }
    if !kernel.occupancy.limiter.is_empty() {
        cells.push((
            "occupancy limited by".to_owned(),
            kernel.occupancy.limiter.join(", "),
        ));
    }
    for stall in &kernel.top_stalls {
        cells.push((
            format!("stall {}, %", stall.reason),
            plain(stall.share_pct.value.get()),
        ));
    }
    let mut table = Table::new(&[
        ("number", Align::Left),
        ("value", Align::Right),
        ("number ", Align::Left),
        ("value ", Align::Right),
    ]);
    let rows = cells.len().div_ceil(2);
    for at in 0..rows {
        let (name, value) = cells[at].clone();
        let (other, second) = cells.get(at + rows).cloned().unwrap_or_default();
        table.row(vec![name, value, other, second]);
    }
    table
}

fn value(counter: Option<&Counter>, digits: usize) -> String {
    counter.map_or_else(dash, |counter| format!("{:.digits$}", counter.value.get()))
}

fn dash() -> String {
    "-".to_owned()
}

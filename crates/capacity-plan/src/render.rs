//! The document as tables. Nothing is computed here that the document does not hold.

use capacity::GIB;
use cli_kit::{Align, Table, View};
use contracts::Document;
use contracts::capacity_plan::report::{Advice, BindingLimit, Capacity, Memory, ReportData, Source};

use crate::bytes::grouped;

/// The whole view: what limits first, what to change, where the memory went.
pub(crate) fn report(document: &Document<ReportData>, top: usize) -> View {
    let data = &document.data;
    let mut view = View::new().heading("Capacity").head(document).list(engine(data));
    if !data.capacity.is_empty() {
        view = view.table(capacity(&data.capacity).top(top));
    }
    if !data.advice.is_empty() {
        view = view
            .heading("To change")
            .list(data.advice.iter().take(top).map(advice).collect());
    }
    if !data.failures.is_empty() {
        let lines = data.failures.iter().take(top.min(5));
        let lines =
            lines.map(|failure| format!("line {}, {}: {}", failure.line, failure.phase, failure.text));
        view = view.heading("Errors").list(lines.collect());
    }
    if !data.memory.is_empty() {
        view = view
            .heading("Memory of each rank, GiB")
            .table(memory(&data.memory, data.source).top(top));
    }
    view.next(document)
}

fn engine(data: &ReportData) -> Vec<String> {
    let engine = &data.engine;
    let mut words: Vec<String> = engine.kind.iter().cloned().collect();
    words.extend(engine.model.clone());
    words.extend(engine.tp.map(|tp| format!("tp {tp}")));
    words.extend(engine.pp.filter(|pp| *pp > 1).map(|pp| format!("pp {pp}")));
    words.extend(engine.dp.filter(|dp| *dp > 1).map(|dp| format!("dp {dp}")));
    words.extend(
        engine
            .memory_fraction_ratio
            .map(|ratio| format!("memory fraction {ratio}")),
    );
    let mut lines: Vec<String> = (!words.is_empty())
        .then(|| words.join(" · "))
        .into_iter()
        .collect();
    let kv = &data.kv;
    let mut words: Vec<String> = kv.attention.iter().cloned().collect();
    words.extend(engine.kv_dtype.clone());
    let each = |name: &str, bytes: Option<contracts::Finite>| {
        bytes.map(|bytes| format!("{name} {:.1} bytes", bytes.get()))
    };
    words.extend(each("a token by the engine", kv.bytes_per_token_log));
    words.extend(each("by the formula", kv.bytes_per_token_formula));
    words.extend(
        kv.difference_pct
            .map(|pct| format!("difference {:+.3} %", pct.get())),
    );
    let state = kv.state_bytes_log.or(kv.state_bytes_formula);
    words.extend(state.map(|bytes| format!("state of a request {:.1} MiB", bytes.get() / 1_048_576.0)));
    words.extend(each(
        "draft's token",
        kv.draft_bytes_per_token_log.or(kv.draft_bytes_per_token_formula),
    ));
    if !words.is_empty() {
        lines.push(format!("keys and values: {}", words.join(" · ")));
    }
    lines
}

fn capacity(rows: &[Capacity]) -> Table {
    let shares = rows.iter().any(|row| row.shared_tokens.is_some());
    let mut columns = vec![
        ("tokens", Align::Right),
        ("of", Align::Left),
        ("requests", Align::Right),
        ("limit", Align::Left),
    ];
    if shares {
        columns.extend([
            ("shared prefix", Align::Right),
            ("requests with it", Align::Right),
            ("limit then", Align::Left),
        ]);
    }
    let mut table = Table::new(&columns);
    let number = |number: Option<u64>| number.map_or_else(dash, grouped);
    let limit = |limit: Option<BindingLimit>| limit.map_or_else(dash, |limit| limit.name().to_owned());
    for row in rows {
        let mut cells = vec![
            grouped(row.length_tokens),
            row.of.clone(),
            number(row.requests),
            limit(row.binding_limit),
        ];
        if shares {
            cells.extend([
                number(row.shared_tokens),
                number(row.requests_shared),
                limit(row.binding_limit_shared),
            ]);
        }
        table.row(cells);
    }
    table
}

fn advice(advice: &Advice) -> String {
    let mut text = format!("{}: {}", advice.code, advice.why);
    if !advice.flags.is_empty() {
        text.push_str(&format!(" → {}", cli_kit::shell_words(&advice.flags)));
    }
    if let Some(tokens) = advice.pool_tokens {
        let sign = if tokens < 0 { "-" } else { "+" };
        text.push_str(&format!(" ({sign}{} tokens)", grouped(tokens.unsigned_abs())));
    }
    text
}

/// Parts that no row has are left out, and what is other of an estimate: it is nothing.
fn memory(rows: &[Memory], source: Source) -> Table {
    type Part = fn(&Memory) -> Option<i64>;
    let parts: [(&str, Part); 8] = [
        ("total", |row| row.total_bytes.map(u64::cast_signed)),
        ("weights", |row| row.weights_bytes.map(u64::cast_signed)),
        ("KV", |row| row.kv_bytes.map(u64::cast_signed)),
        ("state", |row| row.state_bytes.map(u64::cast_signed)),
        ("graphs", |row| row.graph_bytes.map(u64::cast_signed)),
        ("activations", |row| row.activation_bytes.map(u64::cast_signed)),
        ("other", |row| row.other_bytes),
        ("free", |row| row.free_bytes.map(u64::cast_signed)),
    ];
    let shown: Vec<_> = parts
        .into_iter()
        .filter(|(_, part)| rows.iter().any(|row| part(row).is_some()))
        .filter(|(name, _)| *name != "other" || source != Source::Estimate)
        .collect();
    let columns = shown.iter().map(|(name, _)| (*name, Align::Right));
    let columns: Vec<_> = [("rank", Align::Left)].into_iter().chain(columns).collect();
    let mut table = Table::new(&columns);
    for row in rows {
        let cells = shown
            .iter()
            // Plus 0: what rounds to nothing has no sign.
            .map(|(_, part)| {
                part(row).map_or_else(dash, |bytes| {
                    format!("{:.2}", (bytes as f64 / GIB * 100.0).round() / 100.0 + 0.0)
                })
            });
        table.row(
            [row.rank.clone().unwrap_or_else(dash)]
                .into_iter()
                .chain(cells)
                .collect(),
        );
    }
    table
}

fn dash() -> String {
    "-".to_owned()
}

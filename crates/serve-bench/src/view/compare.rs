//! The view of `serve-bench.compare/1`.

use cli_kit::{Align, Table, View};
use contracts::metric::Metric;
use contracts::serve_bench::compare::{CompareData, Order};
use contracts::{Document, Finite};

use super::{load_words, number};

pub(crate) fn compare(document: &Document<CompareData>, top: usize) -> View {
    let data = &document.data;
    let metric = Metric::parse("output_tps").expect("a known metric");
    let mut table = Table::new(&[
        ("block", Align::Right),
        ("order", Align::Left),
        (&format!("A {} tok/s", data.a.name), Align::Right),
        (&format!("B {} tok/s", data.b.name), Align::Right),
        ("A/B", Align::Right),
        ("valid", Align::Left),
    ]);
    for block in &data.blocks {
        let (a, b) = (metric.value(&block.a), metric.value(&block.b));
        let ratio = a.zip(b).and_then(|(a, b)| Finite::ratio(a.get(), b.get()));
        table.row(vec![
            block.block.to_string(),
            match block.order {
                Order::Ab => "A B",
                Order::Ba => "B A",
            }
            .to_owned(),
            number(a),
            number(b),
            ratio.map_or("-".to_owned(), |ratio| format!("{:.4}", ratio.get())),
            if block.a.valid && block.b.valid {
                "yes"
            } else {
                "NO"
            }
            .to_owned(),
        ]);
    }
    View::new()
        .heading(format!(
            "{} against {}: {} at {}",
            data.a.name,
            data.b.name,
            data.workload.scenario,
            load_words(&data.load)
        ))
        .head(document)
        .table(table.top(top))
        .next(document)
}

//! The study as Markdown.

use std::fmt::{self, Write as _};

use gap_decide::campaign::Rates;

use crate::study::{Block, CAMPAIGNS, CANDIDATES, Cell, RULES, SELECTIONS, SelectionCell, Study};
use crate::targets;

const INTRO: &str = "\
# How often `gap-decide` is wrong

Written by one command; nothing in it is typed by hand:

```sh
cargo run --release -p gap-decide --example calibration -- examples/real-engine/output > crates/gap-decide/CALIBRATION.md
```

A campaign measures interleaved pairs of two engines, takes every look, and stops at the first verdict. The study
knows the true effect, so it can count what went wrong. Threshold and margin are 1 %, confidence is 95 %, campaigns
may go on to 120 pairs; positive effects mean that ours is better.

Noise of a run: log-normal with the given coefficient of variation, 30 % of its variance a launch that is fast or slow
as a whole; the machine drifts by 3 % over the campaign and walks randomly (a fifth of the run noise per run); pairs
are interleaved A B B A and every pair is a launch of each side. \"Outliers\": one run in twenty, of either side, is 10 to
30 % slower. \"One run each\" is the usual rule: run each engine once, more than 1 % is a gap.
";

/// The whole page.
pub(crate) fn markdown(study: &Study) -> String {
    let mut out = String::from(INTRO);
    write(&mut out, study).expect("writing to a string cannot fail");
    out
}

fn write(out: &mut String, study: &Study) -> fmt::Result {
    writeln!(out, "\n## What was promised\n")?;
    writeln!(
        out,
        "Worst cell of each kind, {CAMPAIGNS} campaigns a cell (a rate of 5 % is known to ±0.3 points).\n"
    )?;
    writeln!(out, "| promise | required | measured | |\n|---|---:|---:|---|")?;
    for target in targets::all(study) {
        let mark = match (target.required, target.reached) {
            ("reported", _) => "",
            (_, true) => "reached",
            (_, false) => "**not reached**",
        };
        writeln!(
            out,
            "| {} | {} | {} | {mark} |",
            target.promise, target.required, target.measured
        )?;
    }
    looks(out, study)?;
    writeln!(out, "\n## Wrong verdicts\n")?;
    writeln!(
        out,
        "At effect 0 and at ±1 % (on the threshold) neither \"ahead\" nor \"behind\" is true. All numbers are percent.\n"
    )?;
    wrong(out, &study.modelled)?;
    writeln!(out, "\n## What is found, and what it costs\n")?;
    writeln!(
        out,
        "The oracle knows the variance and the effect in advance and needs no looks: the smallest fixed number of pairs with\nwhich a 95 % z-interval gives the right verdict nine times in ten. It may use a single pair; we never decide below 8.\n\"Pairs\" is the mean, undecided campaigns counted with all their 120; a ratio below 1 means that campaigns gave up where the\noracle would have gone on.\n"
    )?;
    found(out, &study.modelled)?;
    standing(out, study)?;
    writeln!(out, "\n## Best of {CANDIDATES} candidates without a gain\n")?;
    writeln!(
        out,
        "Each candidate is screened with 8 pairs, the one that looks best is judged ({SELECTIONS} campaigns a row, outliers on).\nPairs that chose a winner never count in its verdict (`--chosen-by`); the second column shows what happens when they do.\n\"One run each\" takes the best of {CANDIDATES} single runs and believes it.\n"
    )?;
    selections(out, &study.selections)?;
    real(out, study)
}

fn looks(out: &mut String, study: &Study) -> fmt::Result {
    writeln!(out, "\n## The looks\n")?;
    writeln!(
        out,
        "Two-sided error of the interval at each look, alone and of all looks so far; the interval drops this many Walsh\naverages at each end. The promise is that all looks together hold the truth 95 times in 100, whatever rule one stops\nby; an interval at the end of a campaign that stopped on a verdict is therefore right more often than that.\n"
    )?;
    writeln!(
        out,
        "| pairs | error of this look % | of all looks so far % | dropped at each end | of |\n|---:|---:|---:|---:|---:|"
    )?;
    for look in study.design.looks() {
        writeln!(
            out,
            "| {} | {:.3} | {:.3} | {} | {} |",
            look.pairs,
            100.0 * look.nominal_alpha,
            100.0 * look.spent_alpha,
            look.critical
                .map_or_else(|| "-".to_owned(), |critical| critical.to_string()),
            look.pairs * (look.pairs + 1) / 2
        )?;
    }
    Ok(())
}

fn wrong(out: &mut String, blocks: &[Block]) -> fmt::Result {
    writeln!(
        out,
        "| noise | effect % | ahead | behind | tied | undecided | interval right at every look | at the end | one run each: ahead or behind |"
    )?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for (block, cell) in cells(blocks, |cell| cell.effect.abs() < 0.02) {
        let rates = &cell.rates;
        let open = rates.campaigns - rates.ahead - rates.behind - rates.tied;
        writeln!(
            out,
            "| {} | {:+.0} | {} | {} | {} | {} | {} | {} | {} |",
            block.name,
            100.0 * cell.effect,
            pct(rates, rates.ahead),
            pct(rates, rates.behind),
            pct(rates, rates.tied),
            pct(rates, open),
            pct(rates, rates.covered_at_all_looks),
            pct(rates, rates.covered_at_end),
            pct(rates, rates.naive_decided()),
        )?;
    }
    Ok(())
}

fn found(out: &mut String, blocks: &[Block]) -> fmt::Result {
    writeln!(
        out,
        "| noise | effect % | right verdict within 56 pairs % | within 120 % | wrong tied % | pairs | p90 | oracle | ratio | one run each: right % |"
    )?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for (block, cell) in cells(blocks, |cell| cell.oracle.is_some()) {
        let rates = &cell.rates;
        let tie = cell.effect == 0.0;
        let naive_right = match cell.effect {
            effect if effect > 0.0 => rates.naive_ahead,
            effect if effect < 0.0 => rates.naive_behind,
            _ => rates.campaigns - rates.naive_decided(),
        };
        let wrong_tied = if tie {
            "-".to_owned()
        } else {
            pct(rates, rates.tied)
        };
        let naive = pct(rates, naive_right);
        let oracle = cell.oracle.unwrap_or(f64::NAN);
        writeln!(
            out,
            "| {} | {:+.0} | {} | {} | {wrong_tied} | {:.1} | {} | {oracle:.0} | {:.2} | {naive} |",
            block.name,
            100.0 * cell.effect,
            pct(rates, cell.right_by_56),
            pct(rates, cell.right()),
            rates.mean_pairs(),
            rates.percentile_pairs(90.0),
            rates.mean_pairs() / oracle,
        )?;
    }
    Ok(())
}

fn standing(out: &mut String, study: &Study) -> fmt::Result {
    writeln!(out, "\n## Two servers that stay up\n")?;
    writeln!(
        out,
        "The same noise at effect 0, but each side is launched once for the whole campaign: whether a launch was fast or slow\nthen looks like the engine. No statistic can tell them apart, so `gap-decide` warns (`one-launch`), and\n`serve-bench compare --swap` makes every pair a launch of its own.\n"
    )?;
    writeln!(out, "| noise | ahead or behind % | tied % |\n|---|---:|---:|")?;
    for (cv, rates) in &study.standing {
        writeln!(
            out,
            "| cv {:.1} % | {} | {} |",
            100.0 * cv,
            pct(rates, rates.ahead + rates.behind),
            pct(rates, rates.tied)
        )?;
    }
    Ok(())
}

fn selections(out: &mut String, selections: &[SelectionCell]) -> fmt::Result {
    writeln!(
        out,
        "| noise | effect of every candidate % | ahead or behind, fresh pairs % | same, screening pairs reused % | one run each: winner \"ahead\" % |"
    )?;
    writeln!(out, "|---|---:|---:|---:|---:|")?;
    for cell in selections {
        let decided = |rates: &Rates| pct(rates, rates.ahead + rates.behind);
        writeln!(
            out,
            "| {} | {:+.0} | {} | {} | {:.1} |",
            cell.name,
            100.0 * cell.effect,
            decided(&cell.fresh),
            decided(&cell.reused),
            100.0 * cell.naive_best
        )?;
    }
    Ok(())
}

fn real(out: &mut String, study: &Study) -> fmt::Result {
    writeln!(out, "\n## Resampled real repeats\n")?;
    if study.measured.is_empty() {
        return writeln!(out, "No comparison documents were given.");
    }
    writeln!(
        out,
        "Pairs of the real engine, their centre taken out, drawn with replacement and with a coin for the sign.\n\n| comparison | pairs | cv of its runs % | pairs that differ by more than 1 % |\n|---|---:|---:|---:|"
    )?;
    for (block, summary) in &study.measured {
        writeln!(
            out,
            "| {} | {} | {} | {:.0} % |",
            block.name,
            summary.pairs,
            summary
                .cv_pct
                .map_or_else(|| "-".to_owned(), |cv| format!("{cv:.2}")),
            100.0 * summary.naive_share
        )?;
    }
    let blocks: Vec<&Block> = study.measured.iter().map(|(block, _)| block).collect();
    writeln!(out)?;
    for (title, table) in [
        (
            "Wrong verdicts",
            wrong as fn(&mut String, &[Block]) -> fmt::Result,
        ),
        ("What is found", found),
    ] {
        writeln!(out, "### {title}\n")?;
        for (index, block) in blocks.iter().enumerate() {
            let mut text = String::new();
            table(&mut text, std::slice::from_ref(block))?;
            // One header for all.
            out.push_str(if index == 0 { &text } else { body(&text) });
        }
        writeln!(out)?;
    }
    Ok(())
}

/// A table without its two header lines.
fn body(table: &str) -> &str {
    table.splitn(3, '\n').nth(2).unwrap_or_default()
}

fn cells(blocks: &[Block], wanted: fn(&Cell) -> bool) -> impl Iterator<Item = (&Block, &Cell)> {
    blocks.iter().flat_map(move |block| {
        block
            .cells
            .iter()
            .filter(move |cell| wanted(cell))
            .map(move |cell| (block, cell))
    })
}

fn pct(rates: &Rates, count: usize) -> String {
    format!("{:.1}", 100.0 * rates.share(count))
}

/// The rules are the tool's defaults; the page says 1 % and 95 % in words.
const _: () = assert!(RULES.max_pairs == 120);

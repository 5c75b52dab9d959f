//! Every row of the catalogue finds what it says it finds, and leaves what it says it leaves.

use std::collections::{BTreeMap, BTreeSet};

use profile_tables::fuse::{Catalogue, Context, Dtype, Pattern, State, find};

use super::stream;

/// Rows that must be backed by a source that was opened.
const VERIFIED_MIN: usize = 45;

fn context(pattern: &Pattern) -> Context<'_> {
    Context {
        world_size: Some(pattern.conditions.min_tp.unwrap_or(1).max(8)),
        dtypes: if pattern.conditions.dtype.is_empty() {
            None
        } else {
            Some(&pattern.conditions.dtype)
        },
        engine: pattern.engines.first().map(String::as_str),
        gpu_arch: pattern.conditions.gpu_arch.first().map(String::as_str),
    }
}

#[test]
fn every_row_finds_its_sequences_and_leaves_its_near_misses() {
    let catalogue = Catalogue::builtin();
    let mut wrong = Vec::new();
    for (index, pattern) in catalogue.patterns.iter().enumerate() {
        assert!(
            !pattern.matches.is_empty() && !pattern.near_misses.is_empty(),
            "{}",
            pattern.name
        );
        for names in &pattern.matches {
            let finding = &find(catalogue, &stream(names, 10_000), &context(pattern))[index];
            if finding.state != State::Split || finding.occurrences != 1 {
                let by = finding.covered_by.map(|by| catalogue.patterns[by].name.as_str());
                wrong.push(format!(
                    "`{}` does not find {names:?}: {finding:?}, covered by {by:?}",
                    pattern.name
                ));
                continue;
            }
            let removed = pattern.split.iter().filter(|step| step.saves.is_some()).count();
            assert!(
                finding.related_ns > 0 && finding.related_ns <= 10_000 * removed as i64,
                "{}",
                pattern.name
            );
            assert!(
                (0..=finding.related_ns).contains(&finding.estimated_saving_ns),
                "{}",
                pattern.name
            );
        }
        for names in &pattern.near_misses {
            let finding = &find(catalogue, &stream(names, 10_000), &context(pattern))[index];
            if finding.state == State::Split {
                wrong.push(format!("`{}` finds its near miss {names:?}", pattern.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_row_knows_its_fused_kernels_and_no_split_one() {
    let catalogue = Catalogue::builtin();
    let mut wrong = Vec::new();
    for (index, pattern) in catalogue.patterns.iter().enumerate() {
        assert_eq!(
            pattern.fused.is_some(),
            !pattern.present.is_empty(),
            "{}",
            pattern.name
        );
        for name in &pattern.present {
            let finding = &find(catalogue, &stream(&[name], 10_000), &context(pattern))[index];
            if (finding.state, finding.related_ns) != (State::Present, 0) {
                wrong.push(format!(
                    "`{}` does not know `{name}`: {:?}",
                    pattern.name, finding.state
                ));
            }
        }
        for names in pattern.matches.iter().flatten() {
            let finding = &find(catalogue, &stream(&[names], 10_000), &context(pattern))[index];
            if finding.state != State::Absent {
                wrong.push(format!("`{}` takes `{names}` for fused", pattern.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn enough_rows_have_a_source_that_was_opened() {
    let verified = Catalogue::builtin()
        .patterns
        .iter()
        .filter(|pattern| pattern.verified)
        .count();
    assert!(verified >= VERIFIED_MIN, "{verified}");
}

#[test]
fn rows_are_distinct_and_complete() {
    let catalogue = Catalogue::builtin();
    let mut names = BTreeSet::new();
    let mut sequences: BTreeMap<String, &str> = BTreeMap::new();
    let mut engines = BTreeSet::new();
    for pattern in &catalogue.patterns {
        assert!(names.insert(&pattern.name), "{} stands twice", pattern.name);
        let steps: Vec<&str> = pattern
            .split
            .iter()
            .filter(|step| !step.optional)
            .map(|step| step.is.as_str())
            .collect();
        let key = format!("{steps:?} {:?}", pattern.conditions.gpu_arch);
        if let Some(other) = sequences.insert(key, &pattern.name) {
            panic!("`{}` and `{other}` look for the same", pattern.name);
        }
        let at = &pattern.source.at;
        let is_commit = at.len() == 40 && at.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_commit || at.starts_with('v'), "{}: `{at}`", pattern.name);
        assert!(
            pattern.source.repo.split('/').count() == 2 && pattern.source.path.contains('.'),
            "{}",
            pattern.name
        );
        assert!(pattern.rationale.len() > 20, "{}", pattern.name);
        engines.extend(pattern.engines.iter().map(String::as_str));
    }
    let known = ["flashinfer", "sglang", "tensorrt-llm", "tokenspeed", "vllm"];
    assert_eq!(engines.into_iter().collect::<Vec<_>>(), known);
}

#[test]
fn every_kind_of_kernel_is_used() {
    let catalogue = Catalogue::builtin();
    let used: BTreeSet<&String> = catalogue
        .patterns
        .iter()
        .flat_map(|pattern| pattern.split.iter().map(|step| &step.is).chain(&pattern.skip))
        .collect();
    let unused: Vec<&String> = catalogue
        .kernels
        .keys()
        .filter(|kernel| !used.contains(kernel))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn a_catalogue_with_a_mistake_is_refused() {
    let row = |split: &str| {
        format!(
            "kernels: {{a: {{family: norm}}, b: {{family: gemm}}}}\npatterns:\n  - {{name: x, split: {split}, engines: [vllm], source: {{repo: a/b, path: c.py, at: v1}}, verified: true, rationale: r, matches: [], near_misses: []}}\n"
        )
    };
    assert!(Catalogue::parse(&row("[{is: a}, {is: b, saves: [1, 2]}]")).is_ok());
    for (split, what) in [
        ("[{is: a}, {is: c, saves: [1, 2]}]", "`c`"),
        ("[{is: a}, {is: b}]", "removes no kernel"),
        ("[{is: a, saves: [1, 2]}]", "two kernels"),
        ("[{is: a}, {is: b, saves: [3, 2]}]", "more than there is"),
    ] {
        let error = Catalogue::parse(&row(split)).expect_err(split).to_string();
        assert!(error.contains(what), "{error}");
    }
    assert!(Catalogue::parse("kernels: 3").is_err());
}

#[test]
fn conditions_rule_out_and_unknown_does_not() {
    let catalogue = Catalogue::builtin();
    let at = |name: &str| catalogue.patterns.iter().position(|pattern| pattern.name == name);
    let index = at("RMSNorm + FP8 quantisation, static scale").expect("the row exists");
    let nodes = stream(&catalogue.patterns[index].matches[0], 10_000);
    let state = |context: &Context<'_>| find(catalogue, &nodes, context)[index].state;
    assert_eq!(state(&Context::default()), State::Split);
    let bf16 = Context {
        dtypes: Some(&[Dtype::Bf16]),
        ..Context::default()
    };
    assert_eq!(state(&bf16), State::Absent);
}

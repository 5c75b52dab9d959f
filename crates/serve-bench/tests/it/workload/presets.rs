//! Presets, and the scenarios of a workload by name.

use cli_kit::ToolError as _;
use contracts::Exit;
use contracts::serve_bench::workload::Purpose;
use serve_bench::workload::preset::{NAMES, Preset};
use serve_bench::workload::{Dataset, RandomPlan, ScenarioPlan};

use super::{common, plan, prompt, random, words};

#[test]
fn every_preset_makes_what_it_says() {
    for name in NAMES {
        let preset = Preset::find(name, 3).unwrap();
        let mut plan = preset.plan(None);
        for scenario in &mut plan.scenarios {
            scenario.num_prompts = scenario.num_prompts.map(|count| count.min(4));
        }
        let workload = words(&plan);
        for info in &workload.header.scenarios {
            let load = preset.load(&info.scenario).unwrap();
            assert_ne!(load.concurrency.is_some(), load.arrival.is_some(), "{name}");
            assert!(
                contracts::metric::Metric::parse(load.metric).is_ok(),
                "{}",
                load.metric
            );
        }
        let diagnostic = ["prefill", "decode", "prefix-repeat", "mixed"].contains(&name);
        assert!(
            workload
                .header
                .scenarios
                .iter()
                .all(|info| (info.purpose == Purpose::Diagnostic) == diagnostic),
            "{name}"
        );
    }
    let chat = Preset::find("chat", 0).unwrap();
    assert_eq!(chat.scenarios[0].plan.num_prompts, Some(80));
    let c = Preset::find("inferencebench-c", 0).unwrap();
    assert_eq!(c.scenarios.len(), 3);
    let error = Preset::find("chats", 0).unwrap_err();
    assert_eq!((error.code(), error.exit()), ("preset-unknown", Exit::Usage));
    assert!(error.to_string().contains("chat, summarization"), "{error}");
}

#[test]
fn warm_prefixes_are_all_seen_during_the_warm_up() {
    let preset = Preset::find("prefix-repeat", 3).unwrap();
    let mut plan = preset.plan(None);
    // Beginnings and groups do not hang on the length: a tenth of the text shows them.
    for scenario in &mut plan.scenarios {
        let Dataset::Random(random) = &mut scenario.dataset else {
            panic!("a preset is random")
        };
        random.prefix_len /= 10;
        for shape in &mut random.shapes {
            shape.input_len /= 10;
        }
    }
    let workload = words(&plan);
    let (_, warm) = workload.scenario(Some("prefix-warm")).unwrap();
    let warmup = preset.load("prefix-warm").unwrap().warmup_requests as usize;
    let seen: std::collections::BTreeSet<_> = warm[..warmup].iter().map(|r| r.prefix_group).collect();
    assert!(warm.iter().all(|request| seen.contains(&request.prefix_group)));
    let (_, cold) = workload.scenario(Some("prefix-cold")).unwrap();
    assert!(
        cold.windows(2)
            .all(|pair| common(prompt(pair[0]), prompt(pair[1])) == 0)
    );
}

#[test]
fn a_scenario_is_chosen_by_name_or_is_the_only_one() {
    let one = words(&random(2, RandomPlan::fixed(3, 1)));
    assert_eq!(one.scenario(None).unwrap().1.len(), 2);
    let scenario = |name| ScenarioPlan::random(name, 1, 2, RandomPlan::fixed(3, 1));
    let two = words(&plan(vec![scenario("chat"), scenario("sum")]));
    let error = two.scenario(None).unwrap_err();
    assert_eq!((error.code(), error.exit()), ("scenario-not-chosen", Exit::Usage));
    assert!(error.to_string().contains("chat, sum"), "{error}");
    let error = two.scenario(Some("x")).unwrap_err();
    assert_eq!((error.code(), error.exit()), ("scenario-unknown", Exit::Usage));
    let (info, requests) = two.scenario(Some("sum")).unwrap();
    assert_eq!(info.scenario, "sum");
    assert!(requests.iter().all(|request| request.scenario == "sum"));
}

//! What is said to a runtime so that it runs the loop: one template a runtime, filled from one target. Pure.

pub(crate) mod private;
mod template;
mod values;

pub(crate) use values::{Values, budget, scenario};

use crate::cli::Runtime;

/// What all runtimes are told: contract, order, endings, tricks, resume.
const RULES: &str = include_str!("../../../../prompts/templates/rules.md");

/// The template of a runtime.
const fn template_of(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Redeploy => include_str!("../../../../prompts/templates/redeploy.md"),
        Runtime::Humanize => include_str!("../../../../prompts/templates/humanize.md"),
        Runtime::CodexGoal => include_str!("../../../../prompts/templates/codex-goal.md"),
        Runtime::ClaudeGoal => include_str!("../../../../prompts/templates/claude-goal.md"),
    }
}

/// The prompt of a runtime.
pub(crate) fn render(runtime: Runtime, values: &Values) -> String {
    let known = "every placeholder of a shipped template has a value";
    let rules = template::fill(RULES, |name| values.get(name)).expect(known);
    template::fill(template_of(runtime), |name| match name {
        "rules" => Some(rules.trim_end()),
        name => values.get(name),
    })
    .expect(known)
}

#[cfg(test)]
mod tests {
    use contracts::target::{Campaign, Excluded, Target};
    use proptest::prelude::*;

    use super::*;

    /// Goal modes refuse or cut what is longer.
    const PROMPT_CAP: usize = 4000;
    const ALL: [Runtime; 4] = [
        Runtime::Redeploy,
        Runtime::Humanize,
        Runtime::CodexGoal,
        Runtime::ClaudeGoal,
    ];

    /// A target whose every text is longer than any prompt could hold.
    fn overlong(word: &str) -> Target {
        let long = vec![word.repeat(60); 60];
        let mut target = Target {
            slo: long.clone(),
            ..Target::default()
        };
        target.model.id = Some(long.join(" "));
        target.model.revision = target.model.id.clone();
        target.model.precision = target.model.id.clone();
        target.hardware.class = target.model.id.clone();
        target.campaign = Some(Campaign {
            framework: long.join(" "),
            comparison: long.clone(),
            excluded: vec![Excluded {
                framework: long.join(" "),
                why: long.join(" "),
            }],
            focus: long.clone(),
            metric: target.model.id.clone(),
            initial_deployment: long.clone(),
            push_remotes: long,
            ..Campaign::default()
        });
        target
    }

    #[test]
    fn every_prompt_is_short_enough_whatever_the_target_says() {
        for word in ["x", "word ", "ü "] {
            let values = Values::new(&overlong(word), None, std::path::Path::new(&"r".repeat(900)));
            for runtime in ALL {
                let chars = render(runtime, &values).chars().count();
                assert!(chars < PROMPT_CAP, "{}: {chars}", runtime.name());
            }
        }
    }

    #[test]
    fn every_prompt_says_what_it_has_to() {
        let values = Values::new(&Target::default(), None, std::path::Path::new("runs/a"));
        for runtime in ALL {
            let prompt = render(runtime, &values);
            for phase in contracts::loop_ledger::Phase::ALL {
                let gate = match phase {
                    contracts::loop_ledger::Phase::Done => "`loop-ledger done`".to_owned(),
                    phase => format!("`loop-ledger may {}`", phase.name()),
                };
                assert!(prompt.contains(&gate), "{}: {gate}", runtime.name());
            }
            for said in [
                "loop-ledger done",
                "loop-ledger status --brief",
                "Budget:",
                "Never:",
                "STOP",
                &format!("loop-ledger preflight --runtime {}", runtime.name()),
            ] {
                assert!(prompt.contains(said), "{}: {said}", runtime.name());
            }
            assert_eq!(private::find(&prompt), None, "{}", runtime.name());
            assert_eq!(
                prompt.starts_with("/goal "),
                matches!(runtime, Runtime::CodexGoal | Runtime::ClaudeGoal)
            );
        }
    }

    proptest! {
        #[test]
        fn no_target_puts_a_place_into_a_prompt(text in ".{0,300}", root in "(/[a-z./]{0,40}|[a-z/]{0,40})") {
            let mut target = overlong("w");
            target.model.id = Some(text.clone());
            let campaign = target.campaign.get_or_insert_default();
            campaign.focus = vec![text.clone()];
            campaign.initial_deployment = text.split(' ').map(str::to_owned).collect();
            let values = Values::new(&target, None, std::path::Path::new(&root));
            let prompt = render(Runtime::Redeploy, &values);
            prop_assert!(prompt.chars().count() < PROMPT_CAP);
            prop_assert_eq!(private::find(&prompt), None);
        }
    }
}

//! Texts for Humanize/RLCR, rendered from the ledger: a draft and a plan for its set-up, a contract and a summary for
//! every round. Pure.
//!
//! Humanize 1.16.0 keeps ten lines of `## Goal…` and twenty-five of `## Acceptance Criteria` in its tracker
//! (setup-rlcr-loop.sh:60-83); what stands below them is never judged. The plan therefore has one line a criterion.

mod contract;
mod criteria;
mod draft;
mod plan;
mod summary;

pub(crate) use contract::contract;
pub(crate) use draft::draft;
pub(crate) use plan::plan;
pub(crate) use summary::summary;

use contracts::loop_ledger::entry::Entry;

use crate::state::State;

/// Longest piece of typed text in a line.
const LINE_CAP: usize = 240;

/// A piece of text that somebody typed, fit for one line of Markdown.
fn line(text: &str) -> String {
    contracts::text::clean(text, LINE_CAP)
}

/// What this campaign wants, in a line.
fn goal(state: &State<'_>) -> String {
    let target = &state.lock.target;
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    line(&format!(
        "{} serves {} ({}) on {} x {} at the level of the fastest of {}.",
        state.campaign.framework,
        or_unknown(&target.model.id),
        or_unknown(&target.model.precision),
        target.hardware.gpu_count.unwrap_or(0),
        or_unknown(&target.hardware.class),
        state.campaign.comparison.join(", ")
    ))
}

/// Number of the round that the texts are about, from 0 as Humanize counts: rounds that ended before it.
fn round_of(state: &State<'_>) -> u32 {
    let judged = state.rounds();
    // A summary of a round that has ended is about that round, a contract about the one that comes.
    match state.open_attempt() {
        Some(open) => open.begin.round.saturating_sub(1),
        None => judged,
    }
}

/// The entries since the attempt before the latest one ended: what the current round did.
fn of_round<'a>(state: &State<'a>) -> &'a [Entry] {
    let ended: Vec<u64> = state
        .attempts
        .iter()
        .filter_map(|attempt| attempt.end.map(|(_, seq)| seq))
        .collect();
    let before = match (state.open_attempt(), ended.as_slice()) {
        (Some(_), [.., last]) => Some(*last),
        (Some(_), []) | (None, [] | [_]) => None,
        (None, [.., before, _]) => Some(*before),
    };
    let first = before
        .and_then(|seq| usize::try_from(seq).ok())
        .map_or(0, |seq| seq + 1);
    state.entries.get(first..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use contracts::Finite;
    use contracts::gap_decide::decision::{Decision, Verdict};
    use contracts::loop_ledger::Phase;
    use contracts::loop_ledger::entry::{Actor, GENESIS, SCHEMA};
    use contracts::loop_ledger::event::{
        AttemptBegin, AttemptEnd, ChangeKind, Charge, Cleanup, Event, Init, Outcome, Patch,
    };
    use contracts::loop_ledger::facts::{DecisionFacts, DecisionRow, Facts};
    use contracts::loop_ledger::lock::{self, Budget, TargetLock};
    use contracts::target::{Campaign, Target};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn lock(text: &str) -> TargetLock {
        let mut target = Target::default();
        target.model.id = Some(text.to_owned());
        target.campaign = Some(Campaign {
            framework: text.to_owned(),
            comparison: vec![text.to_owned(), "vllm".to_owned()],
            focus: vec![text.to_owned()],
            ..Campaign::default()
        });
        TargetLock {
            schema: lock::SCHEMA.to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            target,
            target_sha256: String::new(),
            scenarios: Vec::new(),
            workloads: Vec::new(),
            contract: contracts::FieldSet::none(),
        }
    }

    fn entries(events: Vec<(Option<&str>, Event)>) -> Vec<Entry> {
        let init = Event::Init(Init {
            lock_sha256: String::new(),
            budget: Budget::default(),
            supersedes: None,
        });
        std::iter::once((None, init))
            .chain(events)
            .enumerate()
            .map(|(seq, (attempt, event))| Entry {
                schema: SCHEMA.to_owned(),
                seq: seq as u64,
                prev: GENESIS.to_owned(),
                written_at: Timestamp::UNIX_EPOCH,
                actor: Actor {
                    runtime: "human".to_owned(),
                    session: None,
                },
                attempt: attempt.map(str::to_owned),
                event,
                evidence: Vec::new(),
                hash: format!("sha256:{seq}"),
            })
            .collect()
    }

    fn begin(round: u32, text: &str) -> Event {
        Event::AttemptBegin(AttemptBegin {
            round,
            hypothesis: text.to_owned(),
            change: format!("{text} {round}"),
            kind: ChangeKind::Flags,
            predicted_pct: Finite::new(3.0),
            subject: None,
            parent_subject: None,
            charge: Charge::default(),
        })
    }

    fn end(learned: &str) -> Event {
        Event::AttemptEnd(AttemptEnd {
            outcome: Outcome::Reverted,
            learned: learned.to_owned(),
            improvement_pct: Finite::new(-0.4),
            cleanup: Cleanup::default(),
            wall_s: Finite::from(9),
        })
    }

    fn patch() -> Event {
        Event::Patch(Patch {
            diff_sha256: "sha256:0011223344".to_owned(),
            base_commit: None,
            changed_files: vec!["scheduler.py".to_owned()],
            lines_added: 3,
            lines_removed: 1,
            provenance: Vec::new(),
            tests: vec!["GSM8K 0.91".to_owned()],
        })
    }

    fn decision() -> Event {
        let row = DecisionRow {
            scenario: "chat".to_owned(),
            other: "theirs".to_owned(),
            other_framework: "vllm".to_owned(),
            ours_value: Finite::new(96.0),
            other_value: Finite::new(100.0),
            effect_pct: Finite::new(-4.0),
            ci_low_pct: Finite::new(-5.0),
            ci_high_pct: Finite::new(-3.0),
            pairs: 8,
            verdict: Verdict::Behind,
        };
        Event::Evidence(Facts {
            phase: Phase::Decide,
            schema: "gap-decide.decision/1".to_owned(),
            sha256: "sha256:aabbccddeeff".to_owned(),
            summary: "behind".to_owned(),
            simulated: true,
            contract: None,
            environment: None,
            inputs: Vec::new(),
            sides: Vec::new(),
            scenario: None,
            measured_at: None,
            decision: Some(DecisionFacts {
                decision: Decision::Profile,
                metric: "output_tps".to_owned(),
                effect_pct: Finite::new(-4.0),
                ci_low_pct: Finite::new(-5.0),
                ci_high_pct: Finite::new(-3.0),
                rows: vec![row],
            }),
            family_shares: Vec::new(),
        })
    }

    #[test]
    fn the_numbers_of_a_summary_name_the_document_they_come_from() {
        let lock = lock("sglang");
        let entries = entries(vec![(None, decision())]);
        let state = State::at(&lock, &entries, false, Timestamp::UNIX_EPOCH);
        let text = summary(&state, "sha256:1", None);
        assert!(
            text.contains("- chat against theirs on output_tps: -4.00 % [-5.00, -3.00], 8 pairs, behind (sha256:aabbccdd)\n"),
            "{text}"
        );
        assert!(
            text.contains("sha256:aabbccdd is simulated: no claim about a real engine"),
            "{text}"
        );
        assert!(
            text.contains("- has to exit 0: `loop-ledger verify --anchor sha256:1`\n"),
            "{text}"
        );
    }

    /// Lines of a section, as Humanize's setup reads it: from its heading to the next.
    fn section<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
        text.lines()
            .skip_while(|line| *line != heading)
            .skip(1)
            .take_while(|line| !line.starts_with("## "))
            .collect()
    }

    #[test]
    fn nothing_of_the_plan_is_cut_by_the_tracker() {
        let lock = lock("sglang");
        let entries = entries(Vec::new());
        let state = State::at(&lock, &entries, false, Timestamp::UNIX_EPOCH);
        let plan = plan(&state, std::path::Path::new("runs/a"));
        assert!(section(&plan, "## Goal Description").len() <= 9);
        let criteria = section(&plan, "## Acceptance Criteria");
        assert!(criteria.len() <= 24, "{}", criteria.len());
        let named: Vec<&&str> = criteria.iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(named.len(), criteria::ALL.len());
        for line in named {
            assert!(
                line.starts_with("- AC-") && line.contains("`loop-ledger ") && line.contains(" exits 0"),
                "{line}"
            );
        }
        for row in section(&plan, "## Task Breakdown")
            .iter()
            .filter(|line| line.starts_with('|'))
            .skip(2)
        {
            assert!(
                row.ends_with("| coding |") || row.ends_with("| analyze |"),
                "{row}"
            );
        }
        let low = plan.to_lowercase();
        for word in ["branch", "checkout", "git switch", "worktree"] {
            assert!(!low.contains(word), "{word}");
        }
        assert!(plan.contains("`loop-ledger verify && loop-ledger status`"));
        assert!(plan.contains("A round is one optimisation attempt"));
        assert!(plan.contains("The artifact root is `runs/a`"));
    }

    #[test]
    fn contract_is_of_the_open_attempt_and_summary_of_the_one_that_ended() {
        let lock = lock("sglang");
        let mut events = vec![
            (Some("a-0001"), begin(1, "chunked prefill")),
            (Some("a-0001"), end("prefill was not the limit")),
            (Some("a-0002"), begin(2, "larger graphs")),
        ];
        let open = entries(events.clone());
        let state = State::at(&lock, &open, false, Timestamp::UNIX_EPOCH);
        let text = contract(&state, "sha256:3", None);
        assert!(text.starts_with("# Round 1 Contract\n"), "{text}");
        assert!(
            text.contains(
                "attempt a-0002, flags: larger graphs 2. Hypothesis: larger graphs. Predicted: +3.00 %."
            ),
            "{text}"
        );
        assert!(text.contains("- Target ACs: AC-9, AC-1\n"), "{text}");
        assert!(text.contains("- Ledger-Head: sha256:3\n"), "{text}");
        assert!(!text.contains("chunked"), "{text}");

        events.push((Some("a-0002"), patch()));
        events.push((Some("a-0002"), end("graphs cost memory")));
        let ended = entries(events);
        let state = State::at(&lock, &ended, false, Timestamp::UNIX_EPOCH);
        let text = summary(&state, "sha256:5", None);
        assert!(text.starts_with("# Round 1 Summary\n"), "{text}");
        assert!(text.contains("It was reverted, -0.40 %"), "{text}");
        assert!(text.contains("- scheduler.py (diff sha256:00112233)"), "{text}");
        assert!(
            text.contains("- Notes: entry 5 of the ledger: graphs cost memory\n"),
            "{text}"
        );
        assert!(text.contains("Ledger-Head: sha256:5\n"), "{text}");
        assert!(
            !text.contains("chunked"),
            "the round before is another file: {text}"
        );
        assert_eq!(
            section(&text, "## BitLesson Delta")[1..4]
                .iter()
                .map(|line| line.split(':').next())
                .collect::<Vec<_>>(),
            [Some("- Action"), Some("- Lesson ID(s)"), Some("- Notes")]
        );
        assert!(!text.contains('['), "an unfilled part of a template: {text}");
    }

    #[test]
    fn before_any_attempt_the_next_phase_is_the_objective() {
        let lock = lock("sglang");
        let entries = entries(Vec::new());
        let state = State::at(&lock, &entries, false, Timestamp::UNIX_EPOCH);
        let text = contract(&state, "sha256:0", Some(7));
        assert!(text.starts_with("# Round 7 Contract\n"), "{text}");
        assert!(text.contains("notes on what others changed"), "{text}");
        let text = summary(&state, "sha256:0", None);
        assert!(
            text.starts_with("# Round 0 Summary\n") && text.contains("entry 0: the campaign began"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn typed_text_never_breaks_the_form(text in "(.|\\n){0,200}") {
            let lock = lock(&text);
            let entries = entries(vec![
                (Some("a-0001"), begin(1, &text)),
                (Some("a-0001"), end(&text)),
                (Some("a-0002"), begin(2, &text)),
            ]);
            let state = State::at(&lock, &entries, false, Timestamp::UNIX_EPOCH);
            let plan = plan(&state, std::path::Path::new("runs/a"));
            prop_assert!(section(&plan, "## Goal Description").len() <= 9);
            prop_assert_eq!(plan.lines().filter(|line| line.starts_with("- AC-")).count(), criteria::ALL.len());
            let contract = contract(&state, "sha256:3", None);
            prop_assert_eq!(contract.lines().count(), 8);
            let summary = summary(&state, "sha256:3", None);
            prop_assert_eq!(summary.lines().filter(|line| line.starts_with("## ")).count(), 5);
            let draft = draft(&state);
            prop_assert_eq!(draft.lines().filter(|line| line.starts_with("- AC-")).count(), criteria::ALL.len());
        }
    }
}

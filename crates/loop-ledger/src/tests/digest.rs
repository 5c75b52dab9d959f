//! `digest`: short, whatever happened.

use contracts::loop_ledger::event::{ChangeKind, Outcome};

use super::campaign::Campaign;
use crate::digest::{MOST, lines};
use crate::render::source;

/// The lines at the time of the last entry.
fn digest(campaign: &Campaign, since: &str) -> Vec<String> {
    let ledger = crate::ledger::Ledger::read(&campaign.root).unwrap();
    lines(&source::state(&ledger), since.parse().unwrap())
}

#[test]
fn the_morning_after() {
    let campaign = Campaign::ended().write();
    insta::assert_snapshot!(digest(&campaign, "2026-11-22T01:00:00Z").join("\n"));
}

#[test]
fn what_was_before_is_left_out() {
    let campaign = Campaign::ended().write();
    let late = digest(&campaign, "2026-11-22T05:30:00Z").join("\n");
    assert!(late.contains("a-0004 kept"), "{late}");
    assert!(!late.contains("a-0001"), "{late}");
}

#[test]
fn many_attempts_fit_into_twenty_lines_with_an_alarm() {
    let mut campaign = Campaign::ended();
    campaign.entries.pop();
    for _ in 0..60 {
        campaign.begin(ChangeKind::Flags, &"a very long change ".repeat(30), None, None);
        campaign.end(Outcome::Failed, "does not start", None);
    }
    let campaign = campaign.write();
    std::fs::write(campaign.path("STOP"), "").unwrap();
    let lines = digest(&campaign, "2026-11-22T01:00:00Z");
    assert_eq!(lines.len(), MOST, "{lines:#?}");
    assert!(lines.iter().all(|line| line.chars().count() <= 201));
    assert!(
        lines.iter().any(|line| line.starts_with("ALARM a STOP file")),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("the budget is spent: wall_s")),
        "{lines:#?}"
    );
    assert!(
        lines.iter().any(|line| line.contains("earlier attempts")),
        "{lines:#?}"
    );
}

#[test]
fn the_command_takes_times_and_ages() {
    let campaign = Campaign::ended().write();
    for since in ["2026-11-22T01:00:00Z", "12h", "30m", "2d"] {
        let document = campaign.document(&["digest", "--since", since]);
        assert!(document["data"]["lines"].as_array().unwrap().len() <= MOST);
    }
    let (code, exit, _) = campaign.refused(&["digest", "--since", "yesterday"]);
    assert_eq!((code.as_str(), exit), ("since", 2));
}

//! `render`: names, contents, and that the same ledger gives the same bytes.

use super::campaign::Campaign;
use super::story::HOSTILE;

/// Every file that the loops of this field expect, whatever the campaign has come to.
const ALWAYS: [&str; 20] = [
    "manifest.md",
    "manifest.json",
    "help/README.md",
    "history/model-pr-history-notes.md",
    "benchmark/candidates.jsonl",
    "benchmark/summary.md",
    "benchmark/winning-commands.md",
    "analysis/root-cause.md",
    "analysis/layer-pipeline.md",
    "analysis/fairness-diagnostics.md",
    "humanize/model-loop-checkpoint.md",
    "humanize/attempt-ledger.md",
    "humanize/optimization-ledger.md",
    "humanize/source-idea-ledger.md",
    "humanize/lineage.jsonl",
    "profiles/README.md",
    "humanize/profile-digests/README.md",
    "kernel/ncu-digests/README.md",
    "patches/README.md",
    "manifest.json",
];

fn rendered(campaign: &Campaign) -> Vec<String> {
    let document = campaign.document(&["render"]);
    document["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|artifact| {
            let path = std::path::Path::new(artifact["path"].as_str().unwrap());
            let below = path.strip_prefix(campaign.root.path()).expect("below the root");
            below.display().to_string()
        })
        .collect()
}

#[test]
fn every_name_is_there_from_the_first_entry_on_and_ends_with_the_head() {
    for campaign in [Campaign::begun(), Campaign::behind(), Campaign::ended()] {
        let campaign = campaign.write();
        let files = rendered(&campaign);
        for name in ALWAYS {
            assert!(files.iter().any(|file| file == name), "{name} is missing");
        }
        let head = &campaign.entries.last().unwrap().hash;
        for file in files.iter().filter(|file| file.ends_with(".md")) {
            assert!(
                campaign.read(file).ends_with(&format!("\nLedger-Head: {head}\n")),
                "{file}"
            );
        }
    }
}

#[test]
fn rendering_again_changes_nothing() {
    let campaign = Campaign::ended().write();
    let first = rendered(&campaign);
    let bytes: Vec<String> = first.iter().map(|file| campaign.read(file)).collect();
    let document = campaign.document(&["render"]);
    assert!(
        document["summary"]
            .as_str()
            .unwrap()
            .contains(", 0 of them changed"),
        "{document}"
    );
    let again: Vec<String> = first.iter().map(|file| campaign.read(file)).collect();
    assert_eq!(bytes, again);
}

#[test]
fn the_same_ledger_in_another_place_gives_the_same_files() {
    let (one, other) = (Campaign::ended().write(), Campaign::ended().write());
    let files = rendered(&one);
    assert_eq!(files, rendered(&other));
    for file in files {
        assert_eq!(one.read(&file), other.read(&file), "{file}");
    }
}

#[test]
fn the_files_of_a_whole_campaign() {
    let campaign = Campaign::ended().write();
    let mut all = String::new();
    for file in rendered(&campaign) {
        // Its hashes of all the other files would change with every one of them.
        if file != "manifest.json" {
            all.push_str(&format!("=== {file}\n{}", campaign.read(&file)));
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_blocker_shows_where_its_phase_would_stand() {
    let campaign = Campaign::ended().write();
    rendered(&campaign);
    for file in [
        "profiles/README.md",
        "humanize/profile-digests/README.md",
        "analysis/layer-pipeline.md",
        "manifest.md",
        "humanize/model-loop-checkpoint.md",
    ] {
        assert!(campaign.read(file).contains("- downgraded: "), "{file}");
    }
}

#[test]
fn only_what_was_kept_with_an_improvement_is_an_optimization() {
    let campaign = Campaign::ended().write();
    rendered(&campaign);
    let kept = campaign.read("humanize/optimization-ledger.md");
    assert!(kept.contains("a-0001") && kept.contains("a-0004"), "{kept}");
    assert!(!kept.contains("a-0002") && !kept.contains("a-0003"), "{kept}");
}

#[test]
fn what_was_typed_is_no_markup() {
    let campaign = Campaign::ended().write();
    for file in rendered(&campaign) {
        let text = campaign.read(&file);
        if !file.ends_with(".md") {
            continue;
        }
        assert!(!text.contains(" <script>"), "{file}");
        // A bar in a cell would be another cell.
        let mut rows = text.lines().filter(|line| line.starts_with("| "));
        assert!(!rows.any(|row| row.contains("</script> | ")), "{file}");
    }
    assert!(campaign.read("humanize/attempt-ledger.md").contains("\\<script>"));
    assert!(
        campaign
            .read("rounds/0004/contract.json")
            .contains(&serde_json::to_string(HOSTILE).unwrap())
    );
}

#[test]
fn an_edited_ledger_is_not_rendered() {
    let campaign = Campaign::ended().write();
    let path = campaign.path("ledger.jsonl");
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("does not build", "builds very well");
    std::fs::write(&path, text).unwrap();
    let (code, exit, _) = campaign.refused(&["render"]);
    assert_eq!((code.as_str(), exit), ("chain-broken", 7));
}

#[test]
fn a_stored_document_that_is_gone_leaves_its_figures_out() {
    let campaign = Campaign::ended().write();
    std::fs::remove_dir_all(campaign.path("objects")).unwrap();
    rendered(&campaign);
    assert!(
        campaign
            .read("history/model-pr-history-notes.md")
            .contains("gone or replaced")
    );
    assert!(campaign.read("patches/README.md").contains("| gone |"));
}

#[test]
fn a_campaign_in_place_of_another_says_so() {
    use contracts::loop_ledger::event::{Event, Supersedes};
    let mut campaign = Campaign::begun();
    let entry = &mut campaign.entries[0];
    if let Event::Init(init) = &mut entry.event {
        init.supersedes = Some(Supersedes {
            lock_sha256: "sha256:a".to_owned(),
            head: "sha256:0123".to_owned(),
            why: "another model".to_owned(),
        });
    }
    entry.hash = entry.expected_hash();
    let campaign = campaign.write();
    rendered(&campaign);
    let manifest = campaign.read("manifest.md");
    assert!(manifest.contains("head sha256:0123: another model"), "{manifest}");
    assert!(
        manifest.contains("compare only per GPU or per joule"),
        "{manifest}"
    );
}

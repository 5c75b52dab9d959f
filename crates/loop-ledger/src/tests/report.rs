//! `report`: the page is whole in itself, and holds no markup but ours.

use super::campaign::Campaign;
use super::story::HOSTILE;

fn page(campaign: &Campaign) -> String {
    campaign.document(&["report"]);
    campaign.read("report.html")
}

#[test]
fn the_page_asks_nobody_for_anything() {
    let page = page(&Campaign::ended().write());
    for loader in [
        "<script", "<img", "<iframe", "@import", "url(", "http://", "https://", "src=",
    ] {
        assert!(!page.contains(loader), "{loader}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn the_page_says_what_a_reader_asks_for() {
    let page = page(&Campaign::ended().write());
    for said in [
        "<strong>SIMULATED</strong>",
        "sglang is ahead of vllm in every scenario: +2.70 % [+2.10, +3.40] on output_tps.",
        "The campaign ended: target_met: ahead in every scenario",
        "downgraded: profile",
        "no GPU profiler in this container",
        "does not build against CUDA 12.4",
        "Effect against the best other engine, percent, by attempt",
        "Left out: tensorrt-llm: no build for this model",
        "4 of 6",
        "1.33 of 2.00 h",
        "Target reached: yes.",
        "relaunched from a cleared environment",
        "href=\"objects/sha256/",
        "--num-continuous-decode-steps 8",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(
        !page.contains("/home/alice/notes.yaml"),
        "only the names of files"
    );
}

#[test]
fn what_was_typed_is_text() {
    let page = page(&Campaign::ended().write());
    assert!(!page.contains(HOSTILE));
    assert!(
        page.contains("fuse qk-norm &lt;script&gt;alert(1)&lt;/script&gt; | &quot;x&quot; &amp; &#39;y&#39;")
    );
}

#[test]
fn tags_are_closed_in_the_order_in_which_they_were_opened() {
    for campaign in [Campaign::begun(), Campaign::behind(), Campaign::ended()] {
        let page = page(&campaign.write());
        let mut open: Vec<&str> = vec!["html"];
        let body = &page[page.find("<body>").unwrap()..];
        for tag in body.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("a tag ends");
            let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap();
            if tag.ends_with('/') || name == "br" {
                continue;
            }
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "at {tag}");
            } else {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}

#[test]
fn a_campaign_that_has_only_begun_has_a_page_too() {
    let page = page(&Campaign::begun().write());
    assert!(page.contains("No gap verdict yet"));
    assert!(page.contains("No attempt yet."));
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn a_page_elsewhere_has_no_links_that_lead_nowhere() {
    let campaign = Campaign::ended().write();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("page.html");
    campaign.document(&["report", "--html", &path.display().to_string()]);
    let page = std::fs::read_to_string(path).unwrap();
    assert!(!page.contains("href=\"objects"), "no objects lie there");
}

#[test]
fn the_final_report_is_as_it_was() {
    let campaign = Campaign::ended().write();
    campaign.document(&["report"]);
    insta::assert_snapshot!(campaign.read("final_report.md"));
}

/// `LOOK=/tmp/root cargo test -p loop-ledger a_root_to_look_at -- --ignored`, then `tests/real/report.sh`.
#[test]
#[ignore = "writes a campaign for people to look at"]
fn a_root_to_look_at() {
    let folder = std::path::PathBuf::from(std::env::var_os("LOOK").expect("LOOK names a folder"));
    Campaign::ended().write().keep(&folder);
}

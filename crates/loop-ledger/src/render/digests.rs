//! Documents of the explaining instruments: `profiles/`, `humanize/profile-digests/` and `kernel/ncu-digests/`.

use cli_kit::{Align, Table, View};
use contracts::loop_ledger::phase::Phase;

use super::words::{downgraded, file_name, object, plain};
use super::{File, Source, page};
use crate::state::Accepted;

/// `profiles/README.md`: which profiles there are and where they lie.
pub(crate) fn profiles(source: &Source<'_>) -> Vec<File> {
    let body = index(source, Phase::Profile, "No profile yet.")
        .text("Traces are large and stay where they were recorded; the documents made from them are stored by content.");
    vec![File::text("profiles/README.md", page(source, "Profiles", body))]
}

/// `humanize/profile-digests/`: one file a profile.
pub(crate) fn profile_digests(source: &Source<'_>) -> Vec<File> {
    folder(
        source,
        Phase::Profile,
        "humanize/profile-digests",
        "Profile digests",
        "No profile yet.",
    )
}

/// `kernel/ncu-digests/`: one file a kernel document.
pub(crate) fn ncu_digests(source: &Source<'_>) -> Vec<File> {
    folder(
        source,
        Phase::Kernel,
        "kernel/ncu-digests",
        "Kernel digests",
        "No kernel counters yet.",
    )
}

fn folder(source: &Source<'_>, phase: Phase, path: &str, title: &str, none: &str) -> Vec<File> {
    let readme = page(source, title, index(source, phase, none));
    let mut files = vec![File::text(format!("{path}/README.md"), readme)];
    for accepted in source.state.of_phase(phase) {
        files.push(File::text(
            format!("{path}/entry-{:04}.md", accepted.seq),
            digest(source, accepted),
        ));
    }
    files
}

fn index(source: &Source<'_>, phase: Phase, none: &str) -> View {
    let body = View::new().list(downgraded(source.state, phase));
    let rows = entries(source.state.of_phase(phase));
    if rows.rows.is_empty() {
        body.text(none)
    } else {
        body.table(rows)
    }
}

/// Accepted documents in a table.
pub(crate) fn entries<'s, 'a: 's>(accepted: impl Iterator<Item = &'s Accepted<'a>>) -> Table {
    let mut table = Table::new(&[
        ("entry", Align::Right),
        ("attempt", Align::Left),
        ("schema", Align::Left),
        ("engines", Align::Left),
        ("says", Align::Left),
        ("stored at", Align::Left),
    ]);
    for accepted in accepted {
        let engines: Vec<&str> = accepted
            .facts
            .sides
            .iter()
            .map(|side| side.framework.as_str())
            .collect();
        table.row(vec![
            accepted.seq.to_string(),
            accepted.attempt.unwrap_or("–").to_owned(),
            plain(&accepted.facts.schema),
            plain(&engines.join(", ")),
            plain(&accepted.facts.summary),
            object(&accepted.facts.sha256),
        ]);
    }
    table
}

fn digest(source: &Source<'_>, accepted: &Accepted<'_>) -> String {
    let facts = accepted.facts;
    let mut body = View::new().text(plain(&facts.summary)).list(vec![
        format!("schema: {}", plain(&facts.schema)),
        format!("document: {}", facts.sha256),
        format!("stored at: {}", object(&facts.sha256)),
        format!("scenario: {}", plain(facts.scenario.as_deref().unwrap_or("none"))),
    ]);
    if !facts.family_shares.is_empty() {
        let mut table = Table::new(&[("kernel family", Align::Left), ("share, %", Align::Right)]);
        for family in &facts.family_shares {
            table.row(vec![
                plain(&family.family),
                format!("{:.2}", family.share_pct.get()),
            ]);
        }
        body = body.table(table);
    }
    let evidence = source
        .state
        .entries
        .iter()
        .filter(|entry| entry.seq == accepted.seq)
        .flat_map(|entry| &entry.evidence);
    let files = evidence
        .map(|evidence| format!("file: {}, {} bytes", file_name(&evidence.path), evidence.bytes))
        .collect();
    page(
        source,
        &format!("Digest of entry {}", accepted.seq),
        body.list(files),
    )
}

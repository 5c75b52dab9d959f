//! `digest`: the morning after, in twenty lines.

use cli_kit::{DocumentParts, Failure, Report, View};
use contracts::Exit;
use contracts::loop_ledger::digest::{self, DigestData};
use jiff::{SignedDuration, Timestamp};

use crate::TOOL;
use crate::digest::lines;
use crate::ledger::{Ledger, Root};
use crate::render::words;
use crate::state::State;

pub(crate) fn digest(root: &Root, since: &str) -> Result<Report, Failure> {
    let ledger = Ledger::read(root)?;
    let state = State::now(&ledger);
    let since = moment(since, state.now)?;
    let entries = state
        .entries
        .iter()
        .filter(|entry| entry.written_at >= since)
        .count() as u64;
    let next_actions = super::at_root(root, super::next_actions(&state));
    let parts = DocumentParts {
        summary: words::verdict(&state),
        simulated: state.accepted.iter().any(|accepted| accepted.facts.simulated),
        next_actions,
        ..DocumentParts::new(digest::SCHEMA)
    };
    let data = DigestData {
        root: root.path().display().to_string(),
        since,
        entries,
        lines: lines(&state, since),
    };
    let document = cli_kit::document(&TOOL, parts, data);
    let shown = View::new().list(document.data.lines.clone());
    Ok(Report::new(&document, shown, Exit::Ok))
}

/// A time, or how long ago: `12h`, `30m`, `2d`, `90s`.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let text = text.trim();
    let age = || {
        let unit = text.chars().next_back()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        let count: i64 = text[..text.len() - unit.len_utf8()].trim().parse().ok()?;
        let ago = SignedDuration::from_secs(count.checked_mul(seconds).filter(|ago| *ago >= 0)?);
        now.checked_sub(ago).ok()
    };
    text.parse().ok().or_else(age).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "since",
            format!("cannot read --since {}", contracts::text::clean(text, 80)),
        )
        .hint("a time such as 2026-11-22T06:00:00Z, or an age such as 12h, 30m, 2d")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_and_ages_are_moments() {
        let now: Timestamp = "2026-11-22T06:00:00Z".parse().unwrap();
        for (text, wanted) in [
            ("12h", "2026-11-21T18:00:00Z"),
            ("30m", "2026-11-22T05:30:00Z"),
            ("2d", "2026-11-20T06:00:00Z"),
            ("2026-11-22T05:00:00Z", "2026-11-22T05:00:00Z"),
        ] {
            assert_eq!(moment(text, now).unwrap().to_string(), wanted);
        }
        for text in ["", "12", "h", "-1h", "99999999999999999d", "yesterday"] {
            assert_eq!(moment(text, now).unwrap_err().exit, Exit::Usage, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _ = moment(&text, Timestamp::UNIX_EPOCH);
        }
    }
}

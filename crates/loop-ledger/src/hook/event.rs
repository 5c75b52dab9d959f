//! The event of a Stop hook, as Claude Code and Codex write it on stdin. Foreign and lenient: what is not there or not
//! understood is as if it had not been said.

use std::path::PathBuf;

use serde_json::Value;

/// What the hook needs of the event. `stop_hook_active` is one bit and says nothing of how often was blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// Folder that the session works in.
    pub(crate) cwd: Option<PathBuf>,
    /// The session.
    pub(crate) session: String,
    /// Whether work of the session goes on in the background: then it will be woken, and nothing has stopped.
    pub(crate) has_background_tasks: bool,
}

impl Event {
    /// From the bytes on stdin.
    pub(crate) fn read(bytes: &[u8]) -> Event {
        let Ok(Value::Object(event)) = serde_json::from_slice::<Value>(bytes) else {
            return Event::default();
        };
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        Event {
            cwd: Some(text("cwd")).filter(|cwd| !cwd.is_empty()).map(PathBuf::from),
            session: contracts::text::clean(text("session_id"), 80),
            has_background_tasks: event
                .get("background_tasks")
                .and_then(Value::as_array)
                .is_some_and(|tasks| !tasks.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_event_says_where_and_who() {
        let event = Event::read(
            br#"{"session_id":"s1","cwd":"runs/a","hook_event_name":"Stop","stop_hook_active":true,"background_tasks":[{"id":"b1"}]}"#,
        );
        assert_eq!(event.cwd, Some(PathBuf::from("runs/a")));
        assert_eq!(event.session, "s1");
        assert!(event.has_background_tasks);
    }

    #[test]
    fn what_is_no_event_says_nothing() {
        for bytes in [
            b"" as &[u8],
            b"null",
            b"[]",
            b"{",
            b"\xff\xfe",
            br#"{"cwd":7,"session_id":[],"background_tasks":"many"}"#,
            br#"{"cwd":"","background_tasks":[]}"#,
        ] {
            assert_eq!(Event::read(bytes), Event::default());
        }
        // Deeper than the parser follows.
        assert_eq!(Event::read("[".repeat(100_000).as_bytes()), Event::default());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let event = Event::read(&bytes);
            prop_assert!(event.session.len() <= 83);
        }
    }
}

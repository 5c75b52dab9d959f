//! From what was seen to what a person should know. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::disk;

/// What one look has seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Look {
    /// When.
    pub(crate) now: Timestamp,
    /// The open attempt.
    pub(crate) attempt: Option<String>,
    /// Last sign of life: an entry, or a change below the root.
    pub(crate) last_sign_at: Timestamp,
    /// Bytes free at the root; `None` where the system does not say.
    pub(crate) free_bytes: Option<u64>,
    /// Servers that have to live and do not.
    pub(crate) dead: Vec<u32>,
    /// Whether a person asks to stop.
    pub(crate) stop_asked: bool,
    /// Names of what is used up of the budget.
    pub(crate) exhausted: Vec<String>,
}

/// What counts as wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Conditions {
    /// Silence that counts as a stall, minutes.
    pub(crate) stall_minutes: f64,
    /// Free disk below which to warn, GiB.
    pub(crate) free_disk_gib: f64,
}

/// Something that is wrong now: a code, what it is about, and words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Stable kebab-case name.
    pub(crate) code: &'static str,
    /// What it is about: a pid, the last sign of life. The same again is the same alarm.
    about: String,
    /// In words.
    pub(crate) message: String,
}

/// All that is wrong in a look.
pub(crate) fn conditions(wanted: &Conditions, look: &Look) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let silent = look.now.duration_since(look.last_sign_at).as_secs_f64() / 60.0;
    if silent >= wanted.stall_minutes {
        let whose = look.attempt.as_ref().map_or_else(
            || "the campaign".to_owned(),
            |attempt| format!("attempt {attempt}"),
        );
        wrong.push(Wrong {
            code: "stalled",
            // A sign of life ends this stall; the next one is another.
            about: look.last_sign_at.to_string(),
            message: format!("{whose} gave no sign of life for {silent:.0} minutes"),
        });
    }
    if let Some(free) = look
        .free_bytes
        .filter(|free| disk::gib(*free) < wanted.free_disk_gib)
    {
        wrong.push(Wrong {
            code: "disk-low",
            about: String::new(),
            message: format!(
                "{:.1} GiB are free at the artifact root, less than {:.1}",
                disk::gib(free),
                wanted.free_disk_gib
            ),
        });
    }
    for pid in &look.dead {
        wrong.push(Wrong {
            code: "server-died",
            about: pid.to_string(),
            message: format!("process {pid} is gone"),
        });
    }
    if look.stop_asked {
        wrong.push(Wrong {
            code: "stopped",
            about: String::new(),
            message: "a STOP file lies in the artifact root".to_owned(),
        });
    }
    if !look.exhausted.is_empty() {
        wrong.push(Wrong {
            code: "budget-exhausted",
            about: look.exhausted.join(","),
            message: format!("the budget is spent: {}", look.exhausted.join(", ")),
        });
    }
    wrong
}

/// What was raised already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raised(BTreeSet<(&'static str, String)>);

impl Raised {
    /// Those that were not raised before; from now on they were.
    pub(crate) fn take_new(&mut self, wrong: Vec<Wrong>) -> Vec<Wrong> {
        wrong
            .into_iter()
            .filter(|one| self.0.insert((one.code, one.about.clone())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WANTED: Conditions = Conditions {
        stall_minutes: 30.0,
        free_disk_gib: 5.0,
    };

    fn look(minute: i64, sign: i64) -> Look {
        Look {
            now: Timestamp::from_second(minute * 60).unwrap(),
            attempt: Some("a-0001".to_owned()),
            last_sign_at: Timestamp::from_second(sign * 60).unwrap(),
            free_bytes: Some(50 << 30),
            dead: Vec::new(),
            stop_asked: false,
            exhausted: Vec::new(),
        }
    }

    fn codes(wrong: &[Wrong]) -> Vec<&'static str> {
        wrong.iter().map(|one| one.code).collect()
    }

    #[test]
    fn a_stall_is_said_once_and_the_next_one_again() {
        let mut raised = Raised::default();
        let mut at = |minute, sign| codes(&raised.take_new(conditions(&WANTED, &look(minute, sign))));
        assert_eq!(at(29, 0), [] as [&str; 0]);
        assert_eq!(at(30, 0), ["stalled"]);
        assert_eq!(at(90, 0), [] as [&str; 0], "the same stall");
        assert_eq!(at(100, 95), [] as [&str; 0], "it lives");
        assert_eq!(at(130, 95), ["stalled"], "another stall");
    }

    #[test]
    fn every_condition_has_its_alarm() {
        let mut all = look(30, 0);
        all.free_bytes = Some(4 << 30);
        all.dead = vec![7, 8];
        all.stop_asked = true;
        all.exhausted = vec!["wall_s".to_owned(), "attempts".to_owned()];
        let wrong = conditions(&WANTED, &all);
        assert_eq!(
            codes(&wrong),
            [
                "stalled",
                "disk-low",
                "server-died",
                "server-died",
                "stopped",
                "budget-exhausted"
            ]
        );
        assert_eq!(
            wrong[0].message,
            "attempt a-0001 gave no sign of life for 30 minutes"
        );
        assert_eq!(wrong[3].message, "process 8 is gone");
        assert_eq!(wrong[5].message, "the budget is spent: wall_s, attempts");
        all.free_bytes = None;
        assert!(
            !codes(&conditions(&WANTED, &all)).contains(&"disk-low"),
            "not known is not low"
        );
    }

    proptest! {
        #[test]
        fn no_alarm_is_raised_twice(looks in prop::collection::vec((0i64..200, prop::collection::vec(1u32..5, 0..4), any::<bool>()), 1..20)) {
            let mut raised = Raised::default();
            let mut seen = BTreeSet::new();
            for (minute, dead, stop_asked) in looks {
                let mut look = look(minute, 0);
                look.dead = dead;
                look.stop_asked = stop_asked;
                for one in raised.take_new(conditions(&WANTED, &look)) {
                    prop_assert!(seen.insert((one.code, one.about.clone())), "{:?}", one);
                }
            }
            prop_assert!(seen.len() <= 1 + 4 + 1);
        }
    }
}

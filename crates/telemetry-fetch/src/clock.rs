//! How far the server's clock is ahead of ours, from `Date` headers of whole seconds.
//!
//! The header was written between question and answer, and says its second without the fraction: the lead lies between
//! `date - answered` and `date + 1 s - asked`. Many readings cut that down to what they all allow.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// What the lead may be, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lead {
    pub(crate) min_ms: i64,
    pub(crate) max_ms: i64,
}

impl Lead {
    /// From a header; `None` when it is no date.
    pub(crate) fn of(date: &str, asked: Timestamp, answered: Timestamp) -> Option<Lead> {
        let date = rfc2822::parse(date).ok()?.timestamp().as_millisecond();
        Some(Lead {
            min_ms: date.saturating_sub(answered.as_millisecond()),
            max_ms: date.saturating_add(1000).saturating_sub(asked.as_millisecond()),
        })
    }

    /// What all readings of one server allow, as one number: 0 when no lead at all is possible, else the middle.
    pub(crate) fn skew_ms(leads: impl IntoIterator<Item = Lead>) -> Option<i64> {
        let all = leads.into_iter().reduce(|a, b| Lead {
            min_ms: a.min_ms.max(b.min_ms),
            max_ms: a.max_ms.min(b.max_ms),
        })?;
        let agrees = all.min_ms <= 0 && all.max_ms >= 0;
        // A clock that is set meanwhile leaves nothing between; the middle is still the best guess.
        Some(if agrees {
            0
        } else {
            i64::midpoint(all.min_ms, all.max_ms)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    #[test]
    fn headers_of_whole_seconds_cut_the_lead_down() {
        // 1795303186 is Sat, 21 Nov 2026 23:19:46 GMT.
        let date = "Sat, 21 Nov 2026 23:19:46 GMT";
        let same = Lead::of(date, at(1_795_303_186_400), at(1_795_303_186_410)).unwrap();
        assert_eq!((same.min_ms, same.max_ms), (-410, 600));
        assert_eq!(Lead::skew_ms([same]), Some(0));
        let behind = Lead::of(date, at(1_795_303_190_000), at(1_795_303_190_010)).unwrap();
        assert_eq!(Lead::skew_ms([behind]), Some(-3505));
        assert_eq!(Lead::of("yesterday", at(0), at(0)), None);
        assert_eq!(Lead::skew_ms([]), None);
    }
}

//! From stamps to moments: which year, which zone, since when.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::stamp::{Civil, Stamp};

/// A day, milliseconds.
const DAY_MS: i64 = 86_400_000;

/// What stamps of one log mean. Moments are milliseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct LogClock {
    /// Zone of stamps that name none.
    zone: TimeZone,
    /// A moment that stamps without a year are close to.
    near: Timestamp,
    /// When the process began, for stamps that count from there.
    pub(crate) began_ms: Option<i64>,
    /// The last day that was looked up, and its start. Lines of one log share few days.
    day: Option<(Option<i16>, i8, i8, i64)>,
}

impl LogClock {
    /// Stamps without a zone are of `zone`; those without a year lie within half a year of `near`.
    pub(crate) fn new(zone: TimeZone, near: Timestamp) -> LogClock {
        LogClock {
            zone,
            near,
            began_ms: None,
            day: None,
        }
    }

    /// The span that a stamp may mean: a stamp of whole seconds stands for the whole second.
    pub(crate) fn span_ms(&mut self, stamp: &Stamp) -> Option<(i64, i64)> {
        match stamp {
            Stamp::Elapsed(ms) => self
                .began_ms
                .map(|began| (began.saturating_add(*ms), began.saturating_add(*ms))),
            Stamp::Civil(civil) => {
                let at = self.civil_ms(civil)?;
                Some((at, if civil.has_fraction { at } else { at + 999 }))
            }
        }
    }

    fn civil_ms(&mut self, civil: &Civil) -> Option<i64> {
        if let Some(offset) = civil.offset_min {
            let midnight = self.midnight(civil)?.to_datetime(jiff::civil::Time::midnight());
            let midnight = TimeZone::UTC.to_timestamp(midnight).ok()?.as_millisecond();
            return Some(midnight + civil.ms - i64::from(offset) * 60_000);
        }
        let key = (civil.year, civil.month, civil.day);
        let start = match self.day {
            Some((year, month, day, start)) if (year, month, day) == key => start,
            _ => {
                let midnight = self.midnight(civil)?;
                let start = self
                    .zone
                    .to_timestamp(midnight.to_datetime(jiff::civil::Time::midnight()))
                    .ok()?;
                let start = start.as_millisecond();
                let next = midnight.checked_add(1.day()).ok()?;
                let next = self
                    .zone
                    .to_timestamp(next.to_datetime(jiff::civil::Time::midnight()))
                    .ok()?;
                if next.as_millisecond() - start != DAY_MS {
                    // The zone changes its offset on this day: no short cut.
                    let nanos = (civil.ms % 1000) as i32 * 1_000_000;
                    let second = (civil.ms / 1000).min(86_399);
                    let time = jiff::civil::time(
                        (second / 3600) as i8,
                        (second / 60 % 60) as i8,
                        (second % 60) as i8,
                        nanos,
                    );
                    return Some(
                        self.zone
                            .to_timestamp(midnight.to_datetime(time))
                            .ok()?
                            .as_millisecond(),
                    );
                }
                self.day = Some((key.0, key.1, key.2, start));
                start
            }
        };
        Some(start + civil.ms)
    }

    fn midnight(&self, civil: &Civil) -> Option<Date> {
        let of = |year: i16| Date::new(year, civil.month, civil.day).ok();
        let Some(year) = civil.year else {
            let near = self.zone.to_datetime(self.near).date();
            let years = [near.year() - 1, near.year(), near.year() + 1];
            let distance = |date: &Date| near.until(*date).map_or(i32::MAX, |span| span.get_days().abs());
            return years.into_iter().filter_map(of).min_by_key(distance);
        };
        of(year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::log::stamp::find;

    fn at(clock: &mut LogClock, line: &str) -> Option<String> {
        let (stamp, _) = find(line.as_bytes())?;
        let (ms, _) = clock.span_ms(&stamp)?;
        Some(Timestamp::from_millisecond(ms).ok()?.to_string())
    }

    fn clock(zone: TimeZone, near: &str) -> LogClock {
        LogClock::new(zone, near.parse().unwrap())
    }

    #[test]
    fn years_are_those_of_the_window() {
        let mut january = clock(TimeZone::UTC, "2026-01-01T00:00:10Z");
        assert_eq!(
            at(&mut january, "INFO 12-31 23:59:58 x").as_deref(),
            Some("2025-12-31T23:59:58Z")
        );
        assert_eq!(
            at(&mut january, "INFO 01-01 00:00:01 x").as_deref(),
            Some("2026-01-01T00:00:01Z")
        );
        let mut december = clock(TimeZone::UTC, "2025-12-31T23:59:50Z");
        assert_eq!(
            at(&mut december, "INFO 01-01 00:00:01 x").as_deref(),
            Some("2026-01-01T00:00:01Z")
        );
        let mut leap = clock(TimeZone::UTC, "2027-03-01T00:00:00Z");
        assert_eq!(
            at(&mut leap, "INFO 02-29 00:00:01 x").as_deref(),
            Some("2028-02-29T00:00:01Z")
        );
    }

    #[test]
    fn zones_are_the_stamps_own_or_the_logs() {
        let plus_two = TimeZone::fixed(jiff::tz::offset(2));
        let mut clock = clock(plus_two, "2025-12-28T00:00:00Z");
        assert_eq!(
            at(&mut clock, "[2025-12-28 10:40:09 TP0] x").as_deref(),
            Some("2025-12-28T08:40:09Z")
        );
        assert_eq!(
            at(&mut clock, "2025-12-28T10:40:09.5Z x").as_deref(),
            Some("2025-12-28T10:40:09.5Z")
        );
        assert_eq!(
            at(&mut clock, "2025-12-28T10:40:09+01:00 x").as_deref(),
            Some("2025-12-28T09:40:09Z")
        );
        assert_eq!(at(&mut clock, "[2025-02-30 10:40:09 TP0] x"), None);
    }

    #[test]
    fn elapsed_stamps_need_a_beginning() {
        let mut clock = clock(TimeZone::UTC, "2025-12-28T00:00:00Z");
        assert_eq!(at(&mut clock, "0.01.500.000 I x"), None);
        clock.began_ms = Some(1000);
        assert_eq!(
            at(&mut clock, "0.01.500.000 I x").as_deref(),
            Some("1970-01-01T00:00:02.5Z")
        );
    }
}

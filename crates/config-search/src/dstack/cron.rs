//! Cron expressions, as dstack's scheduler reads them (APScheduler 3, `CronTrigger.from_crontab`): five fields, Monday is 0.

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// One field: smallest and largest number, names, number of the first name.
struct Field {
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        low: 0,
        high: 59,
        names: &[],
    },
    Field {
        low: 0,
        high: 23,
        names: &[],
    },
    Field {
        low: 1,
        high: 31,
        names: &[],
    },
    Field {
        low: 1,
        high: 12,
        names: &MONTHS,
    },
    Field {
        low: 0,
        high: 6,
        names: &DAYS,
    },
];

pub(crate) fn is_cron(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.len() == FIELDS.len()
        && FIELDS.iter().zip(words).enumerate().all(|(at, (field, word))| {
            word.split(',')
                .all(|part| field.fits(part) || (at == 2 && part.eq_ignore_ascii_case("last")))
        })
}

impl Field {
    fn fits(&self, part: &str) -> bool {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (first, last) = if range == "*" {
            (self.low, self.high)
        } else {
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (self.number(first), self.number(last)),
                // A step without an end goes on to the end of the field.
                None => (
                    self.number(range),
                    if step.is_some() {
                        Some(self.high)
                    } else {
                        self.number(range)
                    },
                ),
            };
            match (first, last) {
                (Some(first), Some(last)) if first <= last => (first, last),
                _ => return false,
            }
        };
        // Names take no step.
        let is_named = range != "*" && !range.starts_with(|c: char| c.is_ascii_digit());
        step.is_none_or(|step| {
            !is_named
                && step
                    .parse::<u32>()
                    .is_ok_and(|step| step > 0 && step <= last - first)
        })
    }

    fn number(&self, word: &str) -> Option<u32> {
        if let Some(at) = self.names.iter().position(|name| word.eq_ignore_ascii_case(name)) {
            return Some(at as u32 + self.low);
        }
        word.parse()
            .ok()
            .filter(|number| (self.low..=self.high).contains(number))
    }
}

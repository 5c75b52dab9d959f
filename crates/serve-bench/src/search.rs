//! The highest rate that passes, by doubling and then bisection on the logarithm. Pure.

/// What a measured rate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    /// Every rule passed.
    Passed,
    /// A rule failed.
    Failed,
    /// Too few requests, or an invalid run.
    Undecided,
}

/// A search over request rates.
#[derive(Debug)]
pub(crate) struct RateSearch {
    resolution: f64,
    points_left: u32,
    passing: Option<f64>,
    failing: Option<f64>,
    stuck: bool,
}

/// First rate, requests per second.
const START: f64 = 1.0;
/// Below and above this a search has gone astray, requests per second.
const RANGE: std::ops::RangeInclusive<f64> = 1e-3..=1e5;

impl RateSearch {
    /// Stops when failing / passing - 1 <= resolution, or after `max_points`.
    pub(crate) fn new(resolution: f64, max_points: u32) -> RateSearch {
        RateSearch {
            resolution,
            points_left: max_points,
            passing: None,
            failing: None,
            stuck: false,
        }
    }

    /// The next rate to measure; `None` at the end.
    pub(crate) fn next_rate(&self) -> Option<f64> {
        if self.stuck || self.points_left == 0 || self.decided() {
            return None;
        }
        let rate = match (self.passing, self.failing) {
            (None, None) => START,
            (Some(passing), None) => 2.0 * passing,
            (None, Some(failing)) => failing / 2.0,
            (Some(passing), Some(failing)) => (passing * failing).sqrt(),
        };
        // Four digits: a rate that a person can type again.
        let scale = 10_f64.powf(3.0 - rate.log10().floor());
        let rate = (rate * scale).round() / scale;
        RANGE.contains(&rate).then_some(rate)
    }

    /// Takes the verdict on a rate.
    pub(crate) fn judge(&mut self, rate: f64, judged: Judged) {
        self.points_left = self.points_left.saturating_sub(1);
        match judged {
            Judged::Passed => self.passing = Some(self.passing.map_or(rate, |best| best.max(rate))),
            Judged::Failed => self.failing = Some(self.failing.map_or(rate, |best| best.min(rate))),
            Judged::Undecided => self.stuck = true,
        }
    }

    /// Highest rate that passed.
    pub(crate) fn passing(&self) -> Option<f64> {
        self.passing
    }

    /// Lowest rate that failed.
    pub(crate) fn failing(&self) -> Option<f64> {
        self.failing
    }

    /// Whether the two are within the resolution.
    pub(crate) fn decided(&self) -> bool {
        // A noisy server may fail below a rate that passed: nothing is left between them then.
        matches!((self.passing, self.failing), (Some(passing), Some(failing)) if failing / passing - 1.0 <= self.resolution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(limit: f64, max_points: u32) -> (RateSearch, u32) {
        let mut search = RateSearch::new(0.05, max_points);
        let mut points = 0;
        while let Some(rate) = search.next_rate() {
            search.judge(
                rate,
                if rate <= limit {
                    Judged::Passed
                } else {
                    Judged::Failed
                },
            );
            points += 1;
        }
        (search, points)
    }

    #[test]
    fn finds_the_limit_from_below_and_above() {
        for limit in [0.07, 1.0, 3.3, 870.0] {
            let (search, points) = search(limit, 40);
            assert!(search.decided());
            let passing = search.passing().unwrap();
            assert!(
                passing <= limit && passing >= limit / 1.06,
                "{passing} for {limit}"
            );
            assert!(points <= 20, "{points} points for {limit}");
        }
    }

    #[test]
    fn stops_at_the_budget_and_says_so() {
        let (search, points) = search(870.0, 3);
        assert_eq!((points, search.decided()), (3, false));
    }

    #[test]
    fn an_undecided_point_ends_the_search() {
        let mut search = RateSearch::new(0.05, 10);
        search.judge(1.0, Judged::Undecided);
        assert_eq!(search.next_rate(), None);
    }
}

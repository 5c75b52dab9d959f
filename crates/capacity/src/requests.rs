//! How many requests of one length fit, and what is in their way.

use crate::kv_cache::pages;

/// What limits the number of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Tokens of the KV pool.
    KvTokens,
    /// Tokens of the pool of layers with a window.
    WindowTokens,
    /// Slots for states of linear attention or Mamba.
    StateSlots,
    /// Requests that the engine lets run at once.
    MaxRunningRequests,
    /// The length is above the longest context.
    ContextLength,
}

/// Everything that limits the requests of one scheduler; `None` is no limit, or one that nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of the KV pool.
    pub kv_tokens: Option<u64>,
    /// Tokens of the pool of layers with a window.
    pub window_pool_tokens: Option<u64>,
    /// Tokens that such a layer keeps of a request.
    pub window_tokens: u64,
    /// Slots for states.
    pub state_slots: Option<u64>,
    /// Requests that run at once.
    pub max_running_requests: Option<u64>,
    /// Longest context.
    pub context_length: Option<u64>,
    /// Tokens of a page; 0 and 1 are the same.
    pub page: u64,
}

/// How many requests fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requests {
    /// Requests at once.
    pub requests: u64,
    /// What is in the way of one more.
    pub limit: Limit,
}

impl Limits {
    /// Requests of `length` tokens of which the first `shared` are the same and kept once; `None` where no limit is known.
    /// Of equal limits the one that memory sets is named first.
    pub fn requests(&self, length: u64, shared: u64) -> Option<Requests> {
        if self.context_length.is_some_and(|longest| length > longest) {
            return Some(Requests {
                requests: 0,
                limit: Limit::ContextLength,
            });
        }
        let length = length.max(1);
        // At least one token is each request's own, and only whole pages are shared.
        let shared = shared.min(length - 1) / self.page.max(1) * self.page.max(1);
        let fit = |pool: u64, length: u64, shared: u64| {
            let own = pages(length - shared, self.page).max(1);
            pool.saturating_sub(shared) / own
        };
        let window = length.min(self.window_tokens.max(1));
        let limits = [
            (
                Limit::KvTokens,
                self.kv_tokens.map(|pool| fit(pool, length, shared)),
            ),
            (
                Limit::WindowTokens,
                self.window_pool_tokens.map(|pool| fit(pool, window, 0)),
            ),
            (Limit::StateSlots, self.state_slots),
            (Limit::MaxRunningRequests, self.max_running_requests),
        ];
        limits
            .into_iter()
            .filter_map(|(limit, requests)| {
                Some(Requests {
                    requests: requests?,
                    limit,
                })
            })
            .min_by_key(|fits| fits.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(tokens: u64) -> Limits {
        Limits {
            kv_tokens: Some(tokens),
            page: 16,
            ..Limits::default()
        }
    }

    fn seen(limits: Limits, length: u64, shared: u64) -> (u64, Limit) {
        let seen = limits.requests(length, shared).expect("there is a limit");
        (seen.requests, seen.limit)
    }

    #[test]
    fn tokens_are_given_in_pages() {
        assert_eq!(seen(pool(160), 16, 0), (10, Limit::KvTokens));
        assert_eq!(seen(pool(160), 17, 0), (5, Limit::KvTokens));
        assert_eq!(Limits::default().requests(16, 0), None);
    }

    #[test]
    fn the_smallest_limit_is_named() {
        let limits = Limits {
            max_running_requests: Some(4),
            state_slots: Some(4),
            context_length: Some(100),
            ..pool(160)
        };
        assert_eq!(seen(limits, 16, 0), (4, Limit::StateSlots));
        assert_eq!(seen(limits, 80, 0), (2, Limit::KvTokens));
        assert_eq!(seen(limits, 101, 0), (0, Limit::ContextLength));
        let windowed = Limits {
            window_pool_tokens: Some(64),
            window_tokens: 32,
            ..pool(1 << 20)
        };
        assert_eq!(seen(windowed, 4096, 0), (2, Limit::WindowTokens));
    }

    #[test]
    fn a_shared_prefix_is_kept_once() {
        // 160 tokens: 32 once, and 16 of each request's own.
        assert_eq!(seen(pool(160), 48, 0), (3, Limit::KvTokens));
        assert_eq!(seen(pool(160), 48, 32), (8, Limit::KvTokens));
        // Everything shared: the last page is still each request's own.
        assert_eq!(seen(pool(160), 48, 48), (8, Limit::KvTokens));
        assert_eq!(seen(pool(160), 0, 9), (10, Limit::KvTokens));
    }
}

//! A waker between hyper and the task: hyper's two halves of a connection wake each other for every chunk, and when
//! both live in one task that is polled in a loop, those wake-ups would only cost another turn of the executor.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Swallows wake-ups that happen while the task polls, and polls again instead.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    task: Mutex<Option<Waker>>,
    is_polling: AtomicBool,
    is_woken: AtomicBool,
}

impl Relay {
    /// Polls until `poll` is ready or pending with no wake-up since it began.
    pub(crate) fn poll<T>(
        self: &Arc<Self>,
        waker: &Waker,
        context: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.attend(context.waker());
        self.is_polling.store(true, Ordering::SeqCst);
        // Enough turns for whatever one wake-up brings; after that others get their turn.
        for _ in 0..64 {
            self.is_woken.store(false, Ordering::SeqCst);
            if let Poll::Ready(value) = poll(&mut Context::from_waker(waker)) {
                self.is_polling.store(false, Ordering::SeqCst);
                return Poll::Ready(value);
            }
            if !self.is_woken.load(Ordering::SeqCst) {
                break;
            }
        }
        self.is_polling.store(false, Ordering::SeqCst);
        // A wake-up from another thread between the check and the store saw `is_polling` and told only us.
        if self.is_woken.swap(false, Ordering::SeqCst) {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Whether somebody was woken since the last call; from now on wake-ups go to `waker`.
    pub(crate) fn take_wake(&self, waker: &Waker) -> bool {
        self.attend(waker);
        self.is_woken.swap(false, Ordering::SeqCst)
    }

    fn attend(&self, waker: &Waker) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        match &*task {
            Some(known) if known.will_wake(waker) => {}
            _ => *task = Some(waker.clone()),
        }
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        if !self.is_polling.load(Ordering::SeqCst) {
            let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(task) = task {
                task.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn wakes_while_polling_poll_again_and_later_ones_wake_the_task() {
        let counter = Arc::new(Counter::default());
        let task = Waker::from(Arc::clone(&counter));
        let relay = Arc::new(Relay::default());
        let waker = Waker::from(Arc::clone(&relay));
        let mut turns = 0;
        let polled: Poll<()> = relay.poll(&waker, &mut Context::from_waker(&task), |context| {
            turns += 1;
            if turns < 3 {
                context.waker().wake_by_ref();
            }
            Poll::Pending
        });
        assert!(polled.is_pending());
        assert_eq!((turns, counter.0.load(Ordering::SeqCst)), (3, 0));
        waker.wake_by_ref();
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_poll_that_always_wakes_itself_yields() {
        let counter = Arc::new(Counter::default());
        let task = Waker::from(Arc::clone(&counter));
        let relay = Arc::new(Relay::default());
        let waker = Waker::from(Arc::clone(&relay));
        let polled: Poll<()> = relay.poll(&waker, &mut Context::from_waker(&task), |context| {
            context.waker().wake_by_ref();
            Poll::Pending
        });
        assert!(polled.is_pending());
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
    }
}

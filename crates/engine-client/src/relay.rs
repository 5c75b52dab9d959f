//! A waker between hyper and the task: hyper's two halves of a connection wake each other for every chunk, and when
//! both live in one task that is polled in a loop, those wake-ups would only cost another turn of the executor.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Turns that one wake-up may take before others get theirs. Hyper's halves need two; a socket that has used up its
/// share of the executor's time wakes at once and every time, and must not be asked again and again.
const MOST_TURNS: usize = 3;

/// The owner's side: hands out its own waker, and passes on to the task what arrives while nobody polls.
#[derive(Debug)]
pub(crate) struct Relay {
    shared: Arc<Shared>,
    /// Wakes `shared`.
    waker: Waker,
    /// What `shared` was told last, so that its lock is taken only when the task changes.
    task: Option<Waker>,
}

#[derive(Debug, Default)]
struct Shared {
    task: Mutex<Option<Waker>>,
    is_polling: AtomicBool,
    is_woken: AtomicBool,
}

impl Relay {
    pub(crate) fn new() -> Relay {
        let shared = Arc::new(Shared::default());
        Relay {
            waker: Waker::from(Arc::clone(&shared)),
            shared,
            task: None,
        }
    }

    /// The waker to poll with, where [`Relay::poll`] is not used.
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Polls until `poll` is ready with a value, or pending with no wake-up since it began. `Ready(None)` is a step
    /// that got somewhere: the next one follows at once.
    pub(crate) fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<Option<T>>,
    ) -> Poll<T> {
        self.attend(context.waker());
        let shared = &*self.shared;
        // A wake-up that does not see this yet wakes the task for nothing, which is allowed.
        shared.is_polling.store(true, Ordering::Relaxed);
        let mut turns = 0;
        while turns < MOST_TURNS {
            // What woke before this is seen by the poll below; what wakes after the poll has looked stays.
            shared.is_woken.store(false, Ordering::Relaxed);
            match poll(&mut Context::from_waker(&self.waker)) {
                Poll::Ready(Some(value)) => {
                    shared.is_polling.store(false, Ordering::Relaxed);
                    return Poll::Ready(value);
                }
                Poll::Ready(None) => {}
                Poll::Pending if shared.is_woken.load(Ordering::Acquire) => turns += 1,
                Poll::Pending => break,
            }
        }
        // Either this load sees the wake-up, or the wake-up sees that nobody polls: both are in one total order.
        shared.is_polling.store(false, Ordering::SeqCst);
        if shared.is_woken.load(Ordering::SeqCst) {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Whether somebody was woken since the last call; from now on wake-ups go to the task of `context`.
    pub(crate) fn take_wake(&mut self, context: &Context<'_>) -> bool {
        self.attend(context.waker());
        self.shared.is_woken.load(Ordering::Acquire) && self.shared.is_woken.swap(false, Ordering::AcqRel)
    }

    fn attend(&mut self, task: &Waker) {
        if self.task.as_ref().is_some_and(|known| known.will_wake(task)) {
            return;
        }
        self.task = Some(task.clone());
        *self.shared.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.clone());
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        if !self.is_polling.load(Ordering::SeqCst) {
            // Waking only puts the task into a queue, so the lock may be held meanwhile.
            if let Some(task) = &*self.task.lock().unwrap_or_else(PoisonError::into_inner) {
                task.wake_by_ref();
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
        let mut relay = Relay::new();
        let mut turns = 0;
        let polled: Poll<()> = relay.poll(&mut Context::from_waker(&task), |context| {
            turns += 1;
            if turns < 2 {
                context.waker().wake_by_ref();
            }
            Poll::Pending
        });
        assert!(polled.is_pending());
        assert_eq!((turns, counter.0.load(Ordering::SeqCst)), (2, 0));
        relay.waker().wake_by_ref();
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
        assert!(relay.take_wake(&Context::from_waker(&task)));
        assert!(!relay.take_wake(&Context::from_waker(&task)));
    }

    #[test]
    fn a_poll_that_always_wakes_itself_yields() {
        let counter = Arc::new(Counter::default());
        let task = Waker::from(Arc::clone(&counter));
        let polled: Poll<()> = Relay::new().poll(&mut Context::from_waker(&task), |context| {
            context.waker().wake_by_ref();
            Poll::Pending
        });
        assert!(polled.is_pending());
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn wakes_from_other_threads_are_never_lost() {
        // One thread counts up and wakes; the task sleeps until woken. A lost wake-up would end in the time limit.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let mut relay = Relay::new();
        let waker = relay.waker().clone();
        let thread = std::thread::spawn({
            let count = Arc::clone(&count);
            move || {
                for _ in 0..20_000 {
                    count.fetch_add(1, Ordering::SeqCst);
                    waker.wake_by_ref();
                }
            }
        });
        let all = std::future::poll_fn(|context| {
            relay.poll(context, |_| {
                if count.load(Ordering::SeqCst) == 20_000 {
                    Poll::Ready(Some(()))
                } else {
                    Poll::Pending
                }
            })
        });
        runtime
            .block_on(async { tokio::time::timeout(std::time::Duration::from_secs(20), all).await })
            .unwrap();
        thread.join().unwrap();
    }
}

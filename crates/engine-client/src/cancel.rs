//! One switch that ends all requests of a run.

use std::sync::Arc;

use tokio::sync::watch;

/// A switch that is thrown once. Clones are the same switch; the requests that look at it end as `cancelled`.
#[derive(Clone, Debug)]
pub struct Cancel {
    thrown: Arc<watch::Sender<bool>>,
}

impl Default for Cancel {
    fn default() -> Cancel {
        Cancel::new()
    }
}

impl Cancel {
    /// A switch that is not thrown.
    pub fn new() -> Cancel {
        Cancel {
            thrown: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Throws it.
    pub fn cancel(&self) {
        self.thrown.send_replace(true);
    }

    /// Whether it is thrown.
    pub fn is_cancelled(&self) -> bool {
        *self.thrown.borrow()
    }

    /// Returns when it is thrown.
    pub async fn cancelled(&self) {
        let mut receiver = self.thrown.subscribe();
        // The sender lives in `self`, so waiting cannot fail; if it did, nobody could throw the switch any more.
        if receiver.wait_for(|thrown| *thrown).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn wakes_everyone_before_and_after() {
        let cancel = Cancel::new();
        assert!(!cancel.is_cancelled());
        let waiting = tokio::spawn({
            let cancel = cancel.clone();
            async move { cancel.cancelled().await }
        });
        tokio::task::yield_now().await;
        cancel.cancel();
        waiting.await.unwrap();
        cancel.cancelled().await;
        assert!(cancel.is_cancelled());
    }
}

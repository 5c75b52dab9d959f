//! Readings again and again, on a thread of their own: a question to the driver may take it 20 ms.

#[cfg(feature = "nvml")]
pub(crate) use with_driver::{Sampler, read_once};
#[cfg(not(feature = "nvml"))]
pub(crate) use without::{Sampler, read_once};

#[cfg(feature = "nvml")]
mod with_driver {
    use std::sync::mpsc::{self, RecvTimeoutError, Sender};
    use std::thread::{self, JoinHandle};
    use std::time::{Duration, Instant};

    use contracts::telemetry_fetch::gpu::GpuReading;

    use super::super::nvml::{Depth, Driver};
    use super::super::{GpuFold, Owners};

    /// How often the whole of a device is read.
    const WHOLE_EVERY: Duration = Duration::from_secs(1);

    /// Reads the devices until it is finished.
    pub(crate) struct Sampler {
        stop: Sender<()>,
        thread: JoinHandle<GpuFold>,
    }

    impl Sampler {
        /// Begins with a reading of everything, which is taken when this returns.
        ///
        /// # Errors
        /// In words, when there is nothing to read.
        pub(crate) fn start(
            every: Duration,
            owners: Owners,
            owners_unknown: Option<String>,
        ) -> Result<Sampler, String> {
            let driver = Driver::open()?;
            let (stop, stopped) = mpsc::channel();
            let (ready, is_ready) = mpsc::channel();
            let sample = move || {
                let mut owners = owners;
                let mut fold = GpuFold::sampled(every, owners_unknown);
                fold.add(&driver.read(Depth::Whole, &mut owners));
                // Whoever waits for it may have given up.
                let _ = ready.send(());
                let mut next = Instant::now();
                let mut whole_at = next + WHOLE_EVERY;
                loop {
                    // A reading that took longer than the interval is not caught up with.
                    next = Instant::now().max(next + every);
                    let wait = next.saturating_duration_since(Instant::now());
                    if !matches!(stopped.recv_timeout(wait), Err(RecvTimeoutError::Timeout)) {
                        break;
                    }
                    let depth = if next >= whole_at {
                        Depth::Whole
                    } else {
                        Depth::Quick
                    };
                    if depth == Depth::Whole {
                        whole_at = next + WHOLE_EVERY;
                    }
                    fold.add(&driver.read(depth, &mut owners));
                }
                fold.add(&driver.read(Depth::Whole, &mut owners));
                fold
            };
            let thread = thread::Builder::new().name("gpu".to_owned()).spawn(sample);
            let thread = thread.map_err(|error| format!("no thread to read it: {error}"))?;
            is_ready.recv().map_err(|_| "the driver broke off".to_owned())?;
            Ok(Sampler { stop, thread })
        }

        /// The last reading, and all of them folded.
        ///
        /// # Errors
        /// In words, when the readings were lost.
        pub(crate) fn finish(self) -> Result<GpuFold, String> {
            drop(self.stop);
            self.thread.join().map_err(|_| "the driver broke off".to_owned())
        }
    }

    /// One reading of everything.
    ///
    /// # Errors
    /// In words, when there is nothing to read.
    pub(crate) fn read_once(mut owners: Owners) -> Result<GpuReading, String> {
        Ok(Driver::open()?.read(Depth::Whole, &mut owners))
    }
}

#[cfg(not(feature = "nvml"))]
mod without {
    use std::time::Duration;

    use contracts::telemetry_fetch::gpu::GpuReading;

    use super::super::{GpuFold, Owners};

    const WHY: &str = "this telemetry-fetch was built without its feature `nvml`";

    /// Never there.
    pub(crate) enum Sampler {}

    impl Sampler {
        pub(crate) fn start(_: Duration, _: Owners, _: Option<String>) -> Result<Sampler, String> {
            Err(WHY.to_owned())
        }

        pub(crate) fn finish(self) -> Result<GpuFold, String> {
            match self {}
        }
    }

    pub(crate) fn read_once(_: Owners) -> Result<GpuReading, String> {
        Err(WHY.to_owned())
    }
}

//! One writer: records are kept, written as a JSONL line and counted for the progress bar on a thread of its own,
//! away from the sockets.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use contracts::serve_bench::record::RequestRecord;
use jiff::Timestamp;

/// What a run tells while it goes on.
pub enum Event<'a> {
    /// Its clock starts; record times count from here.
    Started(Timestamp),
    /// A request has ended.
    Ended(&'a RequestRecord),
}

/// Hears every event of a run, on a thread of its own.
pub type Sink = Box<dyn FnMut(Event<'_>) + Send>;

pub(super) struct Sender(mpsc::Sender<(RequestRecord, Duration)>);

impl Sender {
    pub(super) fn send(&self, record: RequestRecord, dispatch_lag: Duration) {
        self.0
            .send((record, dispatch_lag))
            .expect("the collector outlives every sender");
    }
}

pub(super) struct Collector {
    sender: mpsc::Sender<(RequestRecord, Duration)>,
    thread: JoinHandle<(Vec<RequestRecord>, Vec<f64>)>,
}

impl Collector {
    pub(super) fn start(mut sink: Sink, epoch_at: Timestamp) -> Collector {
        let (sender, receiver) = mpsc::channel::<(RequestRecord, Duration)>();
        let thread = std::thread::spawn(move || {
            sink(Event::Started(epoch_at));
            let mut records = Vec::new();
            let mut lags_ms = Vec::new();
            for (record, lag) in receiver {
                sink(Event::Ended(&record));
                records.push(record);
                lags_ms.push(lag.as_secs_f64() * 1e3);
            }
            (records, lags_ms)
        });
        Collector { sender, thread }
    }

    pub(super) fn sender(&self) -> Sender {
        Sender(self.sender.clone())
    }

    /// Records in the order they ended, and the dispatch lag of each in milliseconds.
    pub(super) fn finish(self) -> (Vec<RequestRecord>, Vec<f64>) {
        drop(self.sender);
        self.thread.join().expect("a sink does not panic")
    }
}

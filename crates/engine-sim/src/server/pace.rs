//! What happens when a connection's deadline has come, and when its answer ends.

use super::connection::{BACKLOG, Connection, Peer, Work};
use super::deadlines::Subject;
use super::serve::Server;
use crate::reply::{Burst, Close};

impl Server {
    /// Writes what is due on one connection; returns the time after the write.
    pub(super) fn due(&mut self, key: usize, now_ns: u64) -> u64 {
        let Some(connection) = self.connections.get_mut(key) else {
            return now_ns;
        };
        connection.scheduled = false;
        if let Work::Asleep { until_ns } = connection.work {
            if until_ns > now_ns {
                self.schedule(key, now_ns);
                return now_ns;
            }
            connection.work = Work::Idle;
            self.readable(key);
            return self.clock.now_ns();
        }
        let Work::Scripted { timeline, .. } = &mut connection.work else {
            return now_ns;
        };
        let mut bytes = std::mem::take(&mut self.bursts);
        bytes.clear();
        let burst = timeline.emit(&mut bytes);
        connection.out().extend_from_slice(&bytes);
        self.bursts = bytes;
        match burst {
            Some(burst) => self.write(key, burst),
            None => now_ns,
        }
    }

    /// Writes what was appended, and records it.
    pub(super) fn write(&mut self, key: usize, burst: Burst) -> u64 {
        let Some(connection) = self.connections.get_mut(key) else {
            return self.clock.now_ns();
        };
        let peer = connection.flush();
        let now_ns = self.clock.now_ns();
        if let Work::Scripted { record, .. } | Work::Live { record, .. } = &mut connection.work {
            record.written(&burst, now_ns, &mut self.recorder);
        }
        if peer == Peer::Gone {
            self.gone(key);
            return now_ns;
        }
        match burst.close {
            None => self.schedule(key, now_ns),
            Some(close) => self.end(key, close, now_ns),
        }
        now_ns
    }

    /// Puts the next deadline of a connection into the heap, unless its client has to read first.
    pub(super) fn schedule(&mut self, key: usize, now_ns: u64) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        if connection.scheduled || connection.backlog() > BACKLOG {
            return;
        }
        let due_ns = match &connection.work {
            Work::Scripted { timeline, .. } => timeline.due_ns(),
            Work::Asleep { until_ns } => Some(*until_ns),
            Work::Idle | Work::Live { .. } | Work::Silent { .. } => None,
        };
        if let Some(due_ns) = due_ns {
            connection.scheduled = true;
            // An overdue write queues behind what is overdue already: a client that reads fast starves nobody.
            self.deadlines.push(
                due_ns.max(now_ns),
                Subject::Connection {
                    key,
                    serial: connection.serial,
                },
            );
        }
    }

    fn end(&mut self, key: usize, close: Close, now_ns: u64) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        let work = std::mem::replace(&mut connection.work, Work::Idle);
        match (work, close) {
            (Work::Scripted { record, .. }, Close::Hang) => {
                connection.work = Work::Silent { record };
                return;
            }
            (Work::Scripted { record, .. } | Work::Live { record, .. }, _) => {
                self.recorder.ended(record, now_ns, false)
            }
            (work, _) => connection.work = work,
        }
        match close {
            Close::Reset => {
                self.remove(key, Connection::reset);
                return;
            }
            Close::Shut => connection.closing = true,
            Close::Keep => connection.closing = !connection.keep_alive,
            Close::Hang => {}
        }
        self.after_flush(key);
    }

    /// The backlog is smaller than before: close, go on with the answer, or take the next request.
    pub(super) fn after_flush(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        if connection.closing && connection.backlog() == 0 {
            self.remove(key, Connection::shut);
            return;
        }
        if matches!(connection.work, Work::Idle) && !connection.closing {
            if connection.more_to_read() {
                self.readable(key);
            } else if connection.reader.held() > 0 {
                self.next_request(key);
            }
            return;
        }
        let now_ns = self.clock.now_ns();
        self.schedule(key, now_ns);
    }

    /// The client went away.
    pub(super) fn gone(&mut self, key: usize) {
        let now_ns = self.clock.now_ns();
        let work = self
            .connections
            .get_mut(key)
            .map(|connection| std::mem::replace(&mut connection.work, Work::Idle));
        match work {
            Some(Work::Live { live, record }) => {
                if let Some(core) = &mut self.core {
                    core.abort(live.id);
                }
                self.recorder.ended(record, now_ns, true);
            }
            Some(Work::Scripted { record, .. } | Work::Silent { record }) => {
                self.recorder.ended(record, now_ns, true)
            }
            Some(Work::Idle | Work::Asleep { .. }) | None => {}
        }
        self.remove(key, Connection::shut);
    }

    /// Takes a connection out of its slot and ends it.
    pub(super) fn remove(&mut self, key: usize, end: impl FnOnce(Connection)) {
        if let Some(mut connection) = self.connections.try_remove(key) {
            // Closing the socket deregisters it as well; this keeps the order explicit.
            let _ = self.poll.registry().deregister(&mut connection.socket);
            end(connection);
        }
    }
}

//! The loop: poll, read, write what is due, again.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contracts::engine_sim::Script;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;

use super::alarm::{ALARM, Alarm};
use super::connection::{Connection, Peer, Work};
use super::core::{Core, EngineSetup};
use super::deadlines::{Deadlines, Subject};
use crate::api::Served;
use crate::clock::Clock;
use crate::reply::AnswerBook;
use crate::truth::Recorder;

const LISTENER: Token = Token(usize::MAX - 1);
const STOP: Token = Token(usize::MAX - 2);

/// Writes between two polls, so that neither requests nor deadlines starve.
const WRITES_PER_POLL: usize = 256;
/// With many streams, deadlines this close together share one wake-up; none is early, the later ones are on time.
const GRAIN_NS: u64 = 50_000;
/// Streams up to which every deadline has a wake-up of its own.
const FEW_STREAMS: u64 = 64;
/// How long answers in flight may go on after a stop was asked for.
const GRACE_NS: u64 = 5_000_000_000;
/// Bytes read at a time.
const READ: usize = 64 << 10;

/// What a server serves.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) script: Script,
    /// What a script with `answers` says.
    pub(crate) answers: Option<AnswerBook>,
    pub(crate) served: Served,
    /// The engine behind the API; a script answers without one.
    pub(crate) engine: Option<EngineSetup>,
}

/// Everything on the one thread.
pub(crate) struct Server {
    pub(super) poll: Poll,
    listener: Option<TcpListener>,
    address: SocketAddr,
    pub(super) clock: Clock,
    alarm: Alarm,
    pub(super) connections: Slab<Connection>,
    serials: u64,
    pub(super) deadlines: Deadlines,
    pub(super) recorder: Recorder,
    pub(super) setup: Setup,
    pub(super) core: Option<Core>,
    scratch: Vec<u8>,
    /// Bytes of one write while they are made.
    pub(super) bursts: Vec<u8>,
    accept_again: bool,
    stopper: Stopper,
}

/// What ends [`Server::run`] from elsewhere: set a flag, then wake.
#[derive(Clone, Debug)]
pub(crate) struct Stopper {
    /// End when the answers in flight have ended.
    pub(crate) soon: Arc<AtomicBool>,
    /// End at once.
    pub(crate) now: Arc<AtomicBool>,
    /// Makes the poll look at the flags.
    pub(crate) waker: Arc<Waker>,
}

impl Server {
    /// Binds the listener.
    pub(crate) fn bind(address: SocketAddr, mut setup: Setup) -> io::Result<Server> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        let alarm = Alarm::new(poll.registry())?;
        let waker = Arc::new(Waker::new(poll.registry(), STOP)?);
        Ok(Server {
            poll,
            listener: Some(listener),
            address,
            clock: Clock::start(),
            alarm,
            connections: Slab::new(),
            serials: 0,
            deadlines: Deadlines::default(),
            recorder: Recorder::new(),
            core: setup.engine.take().map(Core::start),
            setup,
            scratch: vec![0; READ],
            bursts: Vec::new(),
            accept_again: false,
            stopper: Stopper {
                soon: Arc::new(AtomicBool::new(false)),
                now: Arc::new(AtomicBool::new(false)),
                waker,
            },
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The model that requests have to name.
    pub(crate) fn model(&self) -> &str {
        &self.setup.served.model
    }

    /// What ends `run`.
    pub(crate) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves until it is stopped; answers in flight may end within a grace period.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut stop_at_ns = u64::MAX;
        loop {
            let timeout = self.timeout(stop_at_ns);
            match self.poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(),
                    ALARM | STOP => {}
                    Token(key) => self.ready(
                        key,
                        event.is_readable() || event.is_read_closed(),
                        event.is_writable(),
                    ),
                }
            }
            self.fire();
            if self.accept_again {
                self.accept();
            }
            if self.stopper.now.load(Ordering::Acquire) {
                return Ok(());
            }
            if self.stopper.soon.load(Ordering::Acquire) {
                self.listener = None;
                let now_ns = self.clock.now_ns();
                stop_at_ns = stop_at_ns.min(now_ns + GRACE_NS);
                if self.recorder.in_flight() == 0 || now_ns >= stop_at_ns {
                    return Ok(());
                }
            }
        }
    }

    fn timeout(&self, stop_at_ns: u64) -> Option<Duration> {
        let next_ns = self.deadlines.next_ns().unwrap_or(u64::MAX).min(stop_at_ns);
        if next_ns == u64::MAX {
            return None;
        }
        let now_ns = self.clock.now_ns();
        if next_ns <= now_ns {
            return Some(Duration::ZERO);
        }
        let grain_ns = if self.recorder.in_flight() > FEW_STREAMS {
            GRAIN_NS
        } else {
            0
        };
        self.alarm
            .set(Duration::from_nanos((next_ns - now_ns).max(grain_ns)))
    }

    fn accept(&mut self) {
        self.accept_again = false;
        loop {
            let Some(listener) = &self.listener else { return };
            let mut socket = match listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    // Out of file descriptors, most likely: the listener will not report again by itself.
                    self.accept_again = true;
                    return;
                }
            };
            // Without it the kernel would hold small writes back; a failure shows up as lateness only.
            let _ = socket.set_nodelay(true);
            let entry = self.connections.vacant_entry();
            let interest = Interest::READABLE | Interest::WRITABLE;
            if self
                .poll
                .registry()
                .register(&mut socket, Token(entry.key()), interest)
                .is_err()
            {
                continue;
            }
            self.serials += 1;
            self.recorder.connected();
            let key = entry.key();
            let mut connection = Connection::new(socket, self.serials);
            let delay_ns = crate::reply::nanos(self.setup.script.accept_delay_ms, 0);
            if delay_ns > 0 {
                let until_ns = self.clock.now_ns() + delay_ns;
                connection.work = Work::Asleep { until_ns };
                connection.scheduled = true;
                self.deadlines.push(
                    until_ns,
                    Subject::Connection {
                        key,
                        serial: self.serials,
                    },
                );
            }
            entry.insert(connection);
        }
    }

    /// A socket has something to say.
    fn ready(&mut self, key: usize, readable: bool, writable: bool) {
        if writable {
            self.writable(key);
        }
        if readable {
            self.readable(key);
        }
    }

    /// Reads, and answers if that completes a request.
    pub(super) fn readable(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        if matches!(connection.work, Work::Asleep { .. }) {
            return;
        }
        match connection.read(&mut self.scratch) {
            Peer::Here => self.next_request(key),
            Peer::Gone => self.gone(key),
        }
    }

    fn writable(&mut self, key: usize) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        if connection.backlog() == 0 {
            return;
        }
        if connection.flush() == Peer::Gone {
            self.gone(key);
            return;
        }
        self.after_flush(key);
    }

    fn fire(&mut self) {
        let mut now_ns = self.clock.now_ns();
        for _ in 0..WRITES_PER_POLL {
            let Some(subject) = self.deadlines.pop_due(now_ns) else {
                return;
            };
            match subject {
                Subject::Connection { key, serial } => {
                    if self
                        .connections
                        .get(key)
                        .is_some_and(|connection| connection.serial == serial)
                    {
                        now_ns = self.due(key, now_ns);
                    }
                }
                Subject::Step => now_ns = self.end_step(now_ns),
            }
        }
    }
}

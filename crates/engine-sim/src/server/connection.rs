//! One connection: its socket, what was read of the next request, and what is still to be written.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;

use mio::net::TcpStream;

use super::live::Live;
use crate::http::Reader;
use crate::reply::Timeline;
use crate::truth::Record;

/// Unwritten bytes beyond which nothing is added: a client that does not read stops its own answer.
pub(super) const BACKLOG: usize = 256 << 10;
/// Unread requests that are held while an answer is under way.
const PIPELINE: usize = 1 << 20;

/// What a read or a write found out about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Here,
    Gone,
}

/// What the connection is busy with.
#[derive(Debug)]
pub(super) enum Work {
    /// Nothing: it takes a request.
    Idle,
    /// It is not read before this moment.
    Asleep { until_ns: u64 },
    /// A scripted answer.
    Scripted { timeline: Timeline, record: Record },
    /// An answer of the engine.
    Live { live: Box<Live>, record: Record },
    /// The answer ended, the connection stays open in silence.
    Silent { record: Record },
}

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: TcpStream,
    /// Never the same for two connections, unlike the slot.
    pub(super) serial: u64,
    pub(super) reader: Reader,
    out: Vec<u8>,
    written: usize,
    pub(super) work: Work,
    /// The socket had more when reading stopped at the limit.
    more_to_read: bool,
    pub(super) keep_alive: bool,
    /// Close once everything is written.
    pub(super) closing: bool,
    /// A deadline of this connection is in the heap.
    pub(super) scheduled: bool,
}

impl Connection {
    pub(super) fn new(socket: TcpStream, serial: u64) -> Connection {
        Connection {
            socket,
            serial,
            reader: Reader::default(),
            out: Vec::new(),
            written: 0,
            work: Work::Idle,
            more_to_read: false,
            keep_alive: true,
            closing: false,
            scheduled: false,
        }
    }

    /// Where answers are appended; `flush` writes them.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Bytes that the socket did not take yet.
    pub(super) fn backlog(&self) -> usize {
        self.out.len() - self.written
    }

    /// True when reading stopped before the socket was empty.
    pub(super) fn more_to_read(&self) -> bool {
        self.more_to_read
    }

    /// Reads until the socket is empty or enough is held.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> Peer {
        loop {
            let busy = !matches!(self.work, Work::Idle);
            if busy && self.reader.held() > PIPELINE {
                self.more_to_read = true;
                return Peer::Here;
            }
            match self.socket.read(scratch) {
                Ok(0) => return Peer::Gone,
                Ok(count) => self.reader.push(&scratch[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.more_to_read = false;
                    return Peer::Here;
                }
                Err(_) => return Peer::Gone,
            }
        }
    }

    /// Writes what the socket takes.
    pub(super) fn flush(&mut self) -> Peer {
        while self.written < self.out.len() {
            match self.socket.write(&self.out[self.written..]) {
                Ok(0) => return Peer::Gone,
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Peer::Gone,
            }
        }
        if self.written == self.out.len() {
            self.out.clear();
            self.written = 0;
        } else if self.written > BACKLOG {
            self.out.drain(..self.written);
            self.written = 0;
        }
        Peer::Here
    }

    /// Ends the connection with a reset instead of an orderly end.
    pub(super) fn reset(self) {
        // Linger of zero makes close send RST; should it fail, the close below is merely an orderly one.
        let _ = rustix::net::sockopt::set_socket_linger(&self.socket, Some(std::time::Duration::ZERO));
    }

    /// Ends the connection in order.
    pub(super) fn shut(self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

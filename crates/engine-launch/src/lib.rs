//! Start an inference server from an argv, wait for health and identity, keep its log, stop it by pid.
//!
//! [`Launch::start`] gives a [`Running`] server or says why there is none, with the end of its log;
//! [`Running::stop`] ends the whole process group and checks that process and port are gone. A dropped [`Running`] is
//! killed. Nothing here goes through a shell.

mod error;
mod group;
mod launch;
mod log_tail;
mod port;
mod running;
mod secrets;

pub use error::LaunchError;
pub use launch::{Environment, Launch};
pub use port::{free_port, is_port_free};
pub use running::{Running, StopEvidence};

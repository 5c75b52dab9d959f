//! From readings to the rows of a document. Pure: no clock, no file, no socket.

pub(crate) mod derived;
pub(crate) mod gauge;
pub(crate) mod histogram;
pub(crate) mod increase;
pub(crate) mod ranks;
pub(crate) mod rows;
#[cfg(test)]
mod truth;

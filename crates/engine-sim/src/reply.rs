//! From a request and a script to the bytes of an answer and the moments at which they are due. Nothing here reads a
//! clock or a socket: time comes in as nanoseconds, bytes go out into vectors.

mod burst;
mod plan;
mod rules;
mod said;
mod shape;
mod text;
mod timeline;

pub(crate) use burst::{Burst, Close, Events, Framing};
pub(crate) use plan::{Plan, Refused};
pub(crate) use rules::{nanos, refused, reply_for, resolve};
pub(crate) use said::{AnswerBook, Said};
pub(crate) use shape::Shape;
pub(crate) use text::answer_ids;
pub(crate) use timeline::Timeline;

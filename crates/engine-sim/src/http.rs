//! HTTP/1.1 as bytes: requests in, answers out. It knows no socket, no clock and nothing of inference, so that
//! every byte of an answer is chosen here and every defect of one can be made on purpose.

mod answer;
mod body;
mod head;
mod reader;

pub(crate) use answer::{Answer, CONTINUE, LAST_CHUNK, event_stream_head, push_chunk};
pub(crate) use reader::{Reader, Received, Request};

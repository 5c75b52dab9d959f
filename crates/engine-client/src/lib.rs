//! One inference server on the wire: OpenAI endpoints, SSE decoding, time stamps, engine detection and identity.
//!
//! The measured path: [`Slot::send`] (`request.rs`, the only file that reads the clock) stamps bytes as they arrive,
//! `connection.rs` reads HTTP/1.1 (`head.rs`, `framing.rs`), `exchange.rs` follows one answer, [`sse`] cuts it into events, [`chunk`] says what an event means, a tally counts, [`outcome`] names the ending, and
//! [`Observation::into_record`] does the arithmetic. The control path, [`probe`], finds out who answers; [`metrics`] reads what `/metrics` says.

pub mod chunk;
pub mod detect;
pub mod metrics;
pub mod outcome;
pub mod sse;
pub mod template;

mod cancel;
mod connection;
mod control;
mod endpoint;
mod error;
mod exchange;
mod framing;
mod head;
mod headers;
mod io_error;
mod lenient;
mod observation;
mod probe;
mod record;
mod request;
mod role;
mod scrape;
mod settings;
mod tally;
mod tls;
mod transport;

pub use cancel::Cancel;
pub use endpoint::Endpoint;
pub use error::ClientError;
pub use headers::Headers;
pub use observation::Observation;
pub use probe::{Answered, get_text, post_json, post_order, probe, served_model, tokenize};
pub use record::RecordContext;
pub use request::{Call, CountTokens, Slot};
pub use role::split_role;
pub use scrape::{Scraped, Scraper};

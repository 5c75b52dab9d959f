//! The OpenAI API as the engines speak it: what a request asks for, the control endpoints, and the errors.

mod ask;
mod control;
mod errors;

pub(crate) use ask::{Ask, parse_ask, word_id};
pub(crate) use control::{Served, control};
pub(crate) use errors::{ApiError, error_object};

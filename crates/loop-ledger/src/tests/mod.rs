//! Tests of whole commands on a fixed campaign.

pub(crate) mod campaign;
mod digest;
mod documents;
mod next;
mod pr_text;
mod real;
mod render;
mod report;
mod session;
mod story;

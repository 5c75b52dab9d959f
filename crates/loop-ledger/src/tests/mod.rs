//! Tests of whole commands on a fixed campaign.

mod campaign;
mod documents;
mod render;
mod report;

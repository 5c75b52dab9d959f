//! A store of metrics behind the Prometheus HTTP API: Prometheus, VictoriaMetrics, Mimir under its prefix.
//!
//! The store is asked for raw samples and computes nothing, so that a window of a store and a window of our own readings are
//! folded by the same mathematics. Names are asked for in both styles.

mod answer;
mod columns;
mod error;
mod selector;
mod store;

pub(crate) use error::StoreError;
pub(crate) use store::{Store, read};

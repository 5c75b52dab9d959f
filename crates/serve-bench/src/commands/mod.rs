//! One file a sub-command: read, measure, fold, document.

mod compare;
mod doctor;
mod freeze;
mod import;
mod merge;
mod probe;
mod run;
mod summarize;
mod sweep;

pub(crate) use compare::compare;
pub(crate) use doctor::doctor;
pub(crate) use freeze::freeze;
pub(crate) use import::import;
pub(crate) use merge::merge;
pub(crate) use probe::probe;
pub(crate) use run::run;
pub(crate) use summarize::summarize;
pub(crate) use sweep::sweep;

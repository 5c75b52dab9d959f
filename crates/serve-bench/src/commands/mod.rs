//! One file a sub-command: read, measure, fold, document.

mod compare;

mod freeze;

mod probe;
mod run;
mod summarize;
mod sweep;

pub(crate) use compare::compare;

pub(crate) use freeze::freeze;

pub(crate) use pending::*;
pub(crate) use probe::probe;
pub(crate) use run::run;
pub(crate) use summarize::summarize;
pub(crate) use sweep::sweep;
mod pending {
    use super::super::cli::*;
    use cli_kit::*;
    pub(crate) fn doctor(_: &DoctorArgs, _: &OutputArgs) -> Result<Report, Failure> {
        unimplemented!()
    }
    pub(crate) fn import(_: &ImportArgs, _: &OutputArgs) -> Result<Report, Failure> {
        unimplemented!()
    }
    pub(crate) fn selftest(_: &SelftestArgs, _: &OutputArgs) -> Result<Report, Failure> {
        unimplemented!()
    }
}

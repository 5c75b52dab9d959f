//! GPUs of this machine through their driver: utilisation, memory, power, clocks, and who else is on them.
//!
//! `nvml` asks the driver (the only file that knows it), `sampler` asks again and again on a thread of its own, `parts`
//! keeps what was read by the second, `device` and `fold` make a report of it, `owner` says whose a process is.

mod device;
mod fold;
#[cfg(feature = "nvml")]
mod nvml;
#[cfg_attr(
    all(not(feature = "nvml"), not(test)),
    expect(dead_code, reason = "without a driver nobody lists processes")
)]
mod owner;
mod parts;
mod sampler;
mod tally;

pub(crate) use fold::{GpuFold, Made};
pub(crate) use owner::Owners;
pub(crate) use sampler::{Sampler, read_once};

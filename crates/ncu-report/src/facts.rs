//! Facts of a session that follow from others, in the same way for every form of a report.

use crate::command_line::Options;
use crate::model::{Kernel, Session, Value};

/// GPU, compute capability and number of SMs: from the attributes of the device, else from the first kernel's metrics, where
/// newer versions repeat them.
pub(crate) fn describe_gpu(session: &mut Session, first: Option<&Kernel>) {
    let attribute = |name: &str| {
        let name = format!("device__attribute_{name}");
        let of_kernel = || first?.metrics.get(&name)?.value.clone();
        session.attributes.get(&name).cloned().or_else(of_kernel)
    };
    let number = |name: &str| match attribute(name) {
        Some(Value::Integer(number)) => Some(number),
        _ => None,
    };
    let gpu = match attribute("display_name") {
        Some(Value::Text(name)) if !name.is_empty() => Some(name),
        _ => None,
    };
    let cc = number("compute_capability_major").zip(number("compute_capability_minor"));
    let sm_count = number("multiprocessor_count");
    session.gpu = session.gpu.take().or(gpu);
    session.cc = session
        .cc
        .take()
        .or(cc.map(|(major, minor)| format!("{major}.{minor}")));
    session.sm_count = sm_count;
}

/// Settings of the profiler, as its command line has them; what it has not is at its default.
pub(crate) fn settings(session: &mut Session, clock_setting: Option<String>) {
    let options = session.command_line.as_deref().map(Options::of);
    let value = |name: &str| options.as_ref()?.value(name).map(str::to_lowercase);
    let default = |value: &str| options.as_ref().map(|_| value.to_owned());
    session.set = value("--set");
    session.clock_control = clock_setting
        .or_else(|| value("--clock-control"))
        .or_else(|| default("base"));
    session.cache_control = value("--cache-control").or_else(|| default("all"));
}

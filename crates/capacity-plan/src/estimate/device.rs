//! Numbers about the device as they were typed, within what can be.

use capacity::{GIB, Gpu};

use crate::cli::EstimateArgs;
use crate::error::CapacityError;

/// What a program is given of the device, bytes, and where that number comes from.
pub(super) fn device_bytes(args: &EstimateArgs) -> Result<(f64, &'static str), CapacityError> {
    let within = |flag, value: f64, ok: bool, range| {
        if ok {
            Ok(value)
        } else {
            Err(CapacityError::OutOfRange { flag, value, range })
        }
    };
    let fraction = args.memory_fraction;
    within(
        "--memory-fraction",
        fraction,
        fraction > 0.0 && fraction <= 1.0,
        "above 0, and 1 at most",
    )?;
    let size = |gib: f64| (0.0..=100_000.0).contains(&gib);
    within(
        "--reserve-gib",
        args.reserve_gib,
        size(args.reserve_gib),
        "0 to 100000",
    )?;
    if let Some(gib) = args.weights_gib {
        within(
            "--weights-gib",
            gib,
            size(gib) && gib > 0.0,
            "above 0, and 100000 at most",
        )?;
    }
    match (args.gpu_memory_gib, args.gpu.as_deref()) {
        (Some(gib), _) => within(
            "--gpu-memory-gib",
            gib,
            size(gib) && gib > 0.0,
            "above 0, and 100000 at most",
        )
        .map(|gib| (gib * GIB, "--gpu-memory-gib")),
        (None, name) => {
            let name = name.unwrap_or_default();
            let gpu = Gpu::find(name).ok_or_else(|| CapacityError::Gpu(name.to_owned()))?;
            Ok((gpu.total_bytes(), gpu.source))
        }
    }
}

//! Memory of devices.

/// A device with its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Name on the command line.
    pub name: &'static str,
    /// Memory as the driver counts it, MiB; of a device that is known from its vendor's page only, no more than that.
    pub total_mib: u64,
    /// Where the number comes from.
    pub source: &'static str,
}

const LISTINGS: &str = "total of nvidia-smi in public listings";

const fn gpu(name: &'static str, total_mib: u64) -> Gpu {
    Gpu {
        name,
        total_mib,
        source: LISTINGS,
    }
}

/// A device by the gigabytes that its vendor publishes, taken as 10^9 bytes: drivers count that much or up to 7 % more, so
/// what fits here fits there.
const fn published(name: &'static str, gigabytes: u64, source: &'static str) -> Gpu {
    Gpu {
        name,
        total_mib: gigabytes * 1_000_000_000 / 1_048_576,
        source,
    }
}

/// Devices by name. The memory is what `nvidia-smi` prints as total; the number in a product's name is more. Taken from
/// public listings and vendors' pages, not measured here: with a device at hand, its own number is better.
pub const GPUS: [Gpu; 20] = [
    gpu("a100-40g", 40_960),
    gpu("a100-80g", 81_920),
    gpu("a10g", 23_028),
    gpu("b200", 183_359),
    published("b300", 288, "NVIDIA, Blackwell Ultra: 288 GB HBM3e a GPU"),
    published("gb200", 186, "NVIDIA, GB200 NVL72: 13.4 TB HBM3e over 72 GPUs"),
    gpu("h100", 81_559),
    gpu("h20", 97_368),
    gpu("h200", 143_771),
    gpu("l20", 49_140),
    gpu("l4", 23_034),
    gpu("l40s", 46_068),
    Gpu {
        name: "mi300x",
        total_mib: 196_592,
        source: "206141652992 bytes by rocm-smi, ROCm/legacy-rocm-build#4750",
    },
    published("mi325x", 256, "AMD, Instinct MI325X: 256 GB HBM3E"),
    published("mi355x", 288, "AMD, Instinct MI355X: 288 GB HBM3E"),
    gpu("rtx-3090", 24_576),
    gpu("rtx-4090", 24_564),
    gpu("rtx-5090", 32_607),
    gpu("rtx-a6000", 49_140),
    published("rtx-pro-6000", 96, "NVIDIA, RTX PRO 6000 Blackwell: 96 GB GDDR7"),
];

impl Gpu {
    /// The device of that name; letter case and dashes do not matter.
    pub fn find(name: &str) -> Option<Gpu> {
        let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '_', ' '], "");
        let wanted = plain(name);
        GPUS.into_iter().find(|gpu| {
            plain(gpu.name) == wanted || plain(gpu.name).strip_prefix("rtx") == Some(wanted.as_str())
        })
    }

    /// Its memory in bytes.
    pub fn total_bytes(self) -> f64 {
        self.total_mib as f64 * 1_048_576.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for gpu in GPUS {
            assert_eq!(Gpu::find(&gpu.name.to_uppercase()), Some(gpu));
        }
        assert_eq!(Gpu::find("4090").map(|gpu| gpu.total_mib), Some(24_564));
        assert_eq!(Gpu::find("h100"), Gpu::find("H-100"));
        assert_eq!(Gpu::find("voodoo2"), None);
    }

    #[test]
    fn every_device_has_a_source_and_a_vendors_number_is_no_more_than_the_drivers() {
        assert!(GPUS.iter().all(|gpu| !gpu.source.is_empty() && gpu.total_mib > 0));
        let mib = |name: &str| Gpu::find(name).map(|gpu| gpu.total_mib);
        assert_eq!(mib("MI300X"), Some(196_592));
        // 288 * 10^9 / 2^20.
        assert_eq!((mib("b300"), mib("mi355x")), (Some(274_658), Some(274_658)));
        assert_eq!(mib("pro-6000"), Some(91_552));
    }
}

//! Memory of devices. Three numbers go by the same name: the gigabytes of a product's name or data sheet, the total of its
//! driver (`nvidia-smi`), and what a program is given (`totalGlobalMem`, the size that engines take their fraction of). Each
//! is less than the one before, but for AMD, whose data sheets count 2^30 as GB.

/// A device with its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Name on the command line.
    pub name: &'static str,
    /// Its memory.
    pub memory: Memory,
    /// Where the number comes from.
    pub source: &'static str,
}

/// A number of bytes, and who counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// What a program is given, bytes: what engines compute with.
    Program(u64),
    /// What the driver prints as total, MiB. Programs are given 0.2 to 2.0 % less on the devices of which both are known.
    Driver(u64),
    /// What the vendor publishes, 10^9 bytes.
    Vendor(u64),
}

/// What programs are given of a driver's total, at least: 24 080 of 24 564 MiB (RTX 4090) is the smallest part that was seen.
const LEAST_OF_DRIVER: f64 = 0.98;

const MIB: u64 = 1 << 20;

const TRACE: &str = "totalGlobalMem in PyTorch traces of it";
const LLAMA_CPP: &str = "VRAM in public logs of llama.cpp, the smallest that was seen";
const NVIDIA_SMI: &str = "total of nvidia-smi in public listings";
const MODAL: &str = "total of nvidia-smi, modal-labs/modal-client#2797";

const fn gpu(name: &'static str, memory: Memory, source: &'static str) -> Gpu {
    Gpu { name, memory, source }
}

/// Devices by name. With a device at hand, its own number is better: drivers differ by some tenths of a percent.
pub const GPUS: [Gpu; 20] = [
    gpu("a100-40g", Memory::Driver(40_960), MODAL),
    gpu("a100-80g", Memory::Program(84_990_623_744), TRACE),
    gpu("a10g", Memory::Driver(23_028), NVIDIA_SMI),
    gpu("b200", Memory::Program(191_503_138_816), TRACE),
    gpu("b300", Memory::Program(287_416_123_392), TRACE),
    gpu("gb200", Memory::Driver(189_471), NVIDIA_SMI),
    gpu("h100", Memory::Program(85_018_279_936), TRACE),
    gpu("h20", Memory::Driver(97_871), NVIDIA_SMI),
    gpu("h200", Memory::Program(150_149_398_528), TRACE),
    gpu("l20", Memory::Driver(49_140), "nvidia-smi, not checked"),
    gpu("l4", Memory::Driver(23_034), MODAL),
    gpu("l40s", Memory::Program(45_467 * MIB), LLAMA_CPP),
    gpu("mi300x", Memory::Program(206_141_652_992), TRACE),
    gpu(
        "mi325x",
        Memory::Vendor(256),
        "AMD, Instinct MI325X: 256 GB HBM3E",
    ),
    gpu(
        "mi355x",
        Memory::Vendor(288),
        "AMD, Instinct MI355X: 288 GB HBM3E",
    ),
    gpu("rtx-3090", Memory::Driver(24_576), NVIDIA_SMI),
    gpu("rtx-4090", Memory::Program(24_080 * MIB), LLAMA_CPP),
    gpu("rtx-5090", Memory::Program(32_109 * MIB), LLAMA_CPP),
    gpu("rtx-a6000", Memory::Driver(49_140), NVIDIA_SMI),
    gpu("rtx-pro-6000", Memory::Program(97_247 * MIB), LLAMA_CPP),
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

    /// Bytes that a program is given of it, at least.
    pub fn total_bytes(self) -> f64 {
        match self.memory {
            Memory::Program(bytes) => bytes as f64,
            Memory::Driver(mib) => (mib * MIB) as f64 * LEAST_OF_DRIVER,
            Memory::Vendor(gigabytes) => gigabytes as f64 * 1e9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mib(name: &str) -> f64 {
        let gpu = Gpu::find(name).expect("the device is known");
        (gpu.total_bytes() / MIB as f64).round()
    }

    #[test]
    fn names_are_unique_and_found() {
        for gpu in GPUS {
            assert_eq!(Gpu::find(&gpu.name.to_uppercase()), Some(gpu));
            assert!(!gpu.source.is_empty());
        }
        assert_eq!(Gpu::find("4090"), Gpu::find("rtx-4090"));
        assert_eq!(Gpu::find("h100"), Gpu::find("H-100"));
        assert_eq!(Gpu::find("voodoo2"), None);
    }

    #[test]
    fn a_program_is_given_less_than_the_driver_prints() {
        // What a program is given, what nvidia-smi prints.
        let both = [
            ("h100", 81_080.0, 81_559.0),
            ("a100-80g", 81_053.0, 81_920.0),
            ("h200", 143_194.0, 143_771.0),
            ("b200", 182_632.0, 183_359.0),
            ("b300", 274_101.0, 275_040.0),
            ("l40s", 45_467.0, 46_068.0),
            ("rtx-4090", 24_080.0, 24_564.0),
            ("rtx-5090", 32_109.0, 32_607.0),
            ("rtx-pro-6000", 97_247.0, 97_887.0),
        ];
        for (name, program, driver) in both {
            assert_eq!(mib(name), program, "{name}");
            assert!((LEAST_OF_DRIVER..1.0).contains(&(program / driver)), "{name}");
        }
        // Where the driver's number alone is known, the least that was seen of it.
        assert_eq!(mib("l4"), (23_034.0_f64 * 0.98).round());
    }

    #[test]
    fn a_vendors_gigabytes_are_no_more_than_a_program_is_given() {
        // MI300X: 192 GB published, 206.1 × 10^9 bytes given; so 256 × 10^9 are there of an MI325X.
        assert_eq!(mib("mi300x"), 196_592.0);
        assert_eq!((mib("mi325x"), mib("mi355x")), (244_141.0, 274_658.0));
    }
}

//! The models that can be simulated: the fields of their published `config.json` that decide memory and work.

/// One dense decoder model in BF16.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Model {
    /// Hub id.
    pub(crate) name: &'static str,
    /// The class in `config.json`.
    pub(crate) architecture: &'static str,
    /// All parameters.
    pub(crate) parameters: u64,
    pub(crate) layers: u64,
    pub(crate) heads: u64,
    pub(crate) kv_heads: u64,
    pub(crate) head_size: u64,
    /// Parameters of the input embedding when it is not also the output projection: held, but not read by a step.
    pub(crate) embedding: u64,
    /// Longest context.
    pub(crate) context: u64,
}

impl Model {
    /// Bytes that the weights take.
    pub(crate) fn weight_bytes(&self) -> u64 {
        self.parameters * 2
    }

    /// Parameters that every step reads and computes with.
    pub(crate) fn active_parameters(&self) -> u64 {
        self.parameters - self.embedding
    }

    /// Bytes of keys and values of one token.
    pub(crate) fn kv_bytes(&self, element_bytes: u64) -> u64 {
        2 * self.layers * self.kv_heads * self.head_size * element_bytes
    }
}

/// Values of the `config.json` on the hub.
pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "Qwen/Qwen1.5-0.5B-Chat",
        architecture: "Qwen2ForCausalLM",
        parameters: 463_987_712,
        layers: 24,
        heads: 16,
        kv_heads: 16,
        head_size: 64,
        embedding: 0,
        context: 32_768,
    },
    Model {
        name: "Qwen/Qwen3-0.6B",
        architecture: "Qwen3ForCausalLM",
        parameters: 596_049_920,
        layers: 28,
        heads: 16,
        kv_heads: 8,
        head_size: 128,
        embedding: 0,
        context: 40_960,
    },
    Model {
        name: "Qwen/Qwen2.5-7B-Instruct",
        architecture: "Qwen2ForCausalLM",
        parameters: 7_615_616_512,
        layers: 28,
        heads: 28,
        kv_heads: 4,
        head_size: 128,
        embedding: 152_064 * 3584,
        context: 32_768,
    },
    Model {
        name: "Qwen/Qwen3-8B",
        architecture: "Qwen3ForCausalLM",
        parameters: 8_190_735_360,
        layers: 36,
        heads: 32,
        kv_heads: 8,
        head_size: 128,
        embedding: 151_936 * 4096,
        context: 40_960,
    },
    Model {
        name: "Qwen/Qwen3-32B",
        architecture: "Qwen3ForCausalLM",
        parameters: 32_762_123_264,
        layers: 64,
        heads: 64,
        kv_heads: 8,
        head_size: 128,
        embedding: 151_936 * 5120,
        context: 40_960,
    },
    Model {
        name: "meta-llama/Llama-3.1-8B-Instruct",
        architecture: "LlamaForCausalLM",
        parameters: 8_030_261_248,
        layers: 32,
        heads: 32,
        kv_heads: 8,
        head_size: 128,
        embedding: 128_256 * 4096,
        context: 131_072,
    },
    Model {
        name: "meta-llama/Llama-3.1-70B-Instruct",
        architecture: "LlamaForCausalLM",
        parameters: 70_553_706_496,
        layers: 80,
        heads: 64,
        kv_heads: 8,
        head_size: 128,
        embedding: 128_256 * 8192,
        context: 131_072,
    },
];

//! Any bytes as a `config.json`: an error, or at least one layer and a type for each.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model_config::ModelConfig;

fuzz_target!(|bytes: &[u8]| {
    match ModelConfig::from_slice(bytes) {
        Ok(config) => {
            assert!((1..=4096).contains(&config.num_hidden_layers()));
            for layer in &config.layer_types {
                assert!(!layer.to_string().is_empty());
            }
            for warning in &config.warnings {
                assert!(!warning.to_string().chars().any(char::is_control));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

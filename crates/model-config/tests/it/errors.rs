//! Every error has a text that provokes it.

use model_config::{ConfigError, ModelConfig};

fn error(text: &[u8]) -> ConfigError {
    ModelConfig::from_slice(text).expect_err("the text is no configuration")
}

#[test]
fn each_text_has_its_code_and_a_hint() {
    let long = vec![b' '; (32 << 20) + 1];
    let cases: [(&[u8], &str); 7] = [
        (&long, "model-config-too-large"),
        (b"{\"num_hidden_layers\": 3", "model-config-not-json"),
        (b"[36]", "model-config-not-an-object"),
        (
            b"{\"producer\": {}, \"quantization\": {\"quant_algo\": \"FP8\"}}",
            "model-config-quantization-file",
        ),
        (b"{\"hidden_size\": 4096}", "model-config-no-layer-count"),
        (b"{\"num_hidden_layers\": 0}", "model-config-layer-count"),
        (b"{\"num_hidden_layers\": 4097}", "model-config-layer-count"),
    ];
    for (text, code) in cases {
        let error = error(text);
        assert_eq!(error.code(), code);
        assert!(error.hint().contains("config.json"), "{error}");
        assert!(!error.to_string().ends_with('.'), "{error}");
    }
}

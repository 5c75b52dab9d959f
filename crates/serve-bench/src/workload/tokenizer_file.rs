//! A tokenizer file (`tokenizer.json`), with the cargo feature `tokenizer`.

use std::path::Path;

use super::error::WorkloadError;
use super::sizer::{PromptSizer, PromptUnit};

/// Largest tokenizer file that is read; the largest in use have about 35 MB.
const FILE_CAP: u64 = 256 << 20;

/// A tokenizer from its file.
pub struct TokenizerFile {
    tokenizer: tokenizers::Tokenizer,
    name: String,
}

impl TokenizerFile {
    /// Reads a `tokenizer.json`; the header of a workload names it by the hash of the file.
    ///
    /// # Errors
    /// [`WorkloadError::Tokenizer`] when it cannot be read or is no tokenizer.
    pub fn open(path: &Path) -> Result<TokenizerFile, WorkloadError> {
        let failed = |reason: String| WorkloadError::Tokenizer {
            tokenizer: path.display().to_string(),
            reason: contracts::text::clean(&reason, contracts::text::FOREIGN_TEXT_CAP),
        };
        let bytes =
            cli_kit::read_bounded(path, FILE_CAP).map_err(|failure| failed(failure.document.message))?;
        let tokenizer =
            tokenizers::Tokenizer::from_bytes(&bytes).map_err(|error| failed(error.to_string()))?;
        Ok(TokenizerFile {
            tokenizer,
            name: contracts::fields::sha256_hex(&bytes),
        })
    }
}

impl TokenizerFile {
    /// Tokens of an answer; none of a text that the tokenizer cannot encode.
    pub fn tokens(&self, text: &str) -> usize {
        self.tokenizer
            .encode_fast(text, false)
            .map_or(0, |encoding| encoding.len())
    }
}

impl PromptSizer for TokenizerFile {
    fn unit(&self) -> PromptUnit {
        PromptUnit::Tokens
    }

    fn tokenizer(&self) -> Option<String> {
        Some(self.name.clone())
    }

    fn count(&mut self, text: &str) -> Result<u64, WorkloadError> {
        // Special tokens are the chat template's business, which the server applies.
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|error| WorkloadError::Tokenizer {
                tokenizer: self.name.clone(),
                reason: contracts::text::clean(&error.to_string(), contracts::text::FOREIGN_TEXT_CAP),
            })?;
        Ok(encoding.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_with_a_word_level_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
                "pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
                "model":{"type":"WordLevel","vocab":{"[UNK]":0,"time":1,"year":2},"unk_token":"[UNK]"}}"#,
        )
        .unwrap();
        let mut sizer = TokenizerFile::open(file.path()).unwrap();
        assert_eq!(sizer.count("time year, time").unwrap(), 4);
        assert_eq!(sizer.tokens("time year, time"), 4);
        assert!(sizer.tokenizer().unwrap().starts_with("sha256:"));
    }

    #[test]
    fn a_file_that_is_no_tokenizer_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{}").unwrap();
        let error = TokenizerFile::open(file.path()).err().unwrap();
        assert!(matches!(error, WorkloadError::Tokenizer { .. }), "{error}");
    }
}

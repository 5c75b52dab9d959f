//! The headers that every request carries, and the secrets among them.

use std::fmt;

use contracts::secret::is_secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use crate::error::ClientError;

/// Headers of every request to one server. Secret values show neither in `Debug` nor in any error text.
#[derive(Clone)]
pub struct Headers {
    map: HeaderMap,
    secrets: Vec<String>,
}

/// Shorter values are not looked for in error texts: they would be found everywhere.
const SHORTEST_SECRET: usize = 4;

impl Default for Headers {
    fn default() -> Headers {
        Headers::new()
    }
}

impl Headers {
    /// What every request has: JSON in, an event stream out.
    pub fn new() -> Headers {
        let mut map = HeaderMap::new();
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        map.insert(
            ACCEPT,
            HeaderValue::from_static("text/event-stream, application/json"),
        );
        map.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("sota-loop/", env!("CARGO_PKG_VERSION"))),
        );
        Headers {
            map,
            secrets: Vec::new(),
        }
    }

    /// Sets a header; a value under a name that speaks of keys, tokens, cookies or authorization is secret.
    ///
    /// # Errors
    /// [`ClientError::BadHeader`] when name or value is not allowed in HTTP. The value is not repeated.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ClientError> {
        let bad = || ClientError::BadHeader {
            name: contracts::text::clean(name, 80),
        };
        let header = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| bad())?;
        let mut content = HeaderValue::from_str(value.trim()).map_err(|_| bad())?;
        // Of a header also a part tells: `x-token-id`.
        if is_secret(header.as_str()) || header.as_str().split('-').any(is_secret) {
            content.set_sensitive(true);
            self.add_secret(value.trim());
            // `Bearer abc`: the server may repeat either part.
            if let Some((_, credential)) = value.trim().split_once(' ') {
                self.add_secret(credential.trim());
            }
        }
        self.map.insert(header, content);
        Ok(())
    }

    /// Sets `Authorization: Bearer <key>`.
    ///
    /// # Errors
    /// [`ClientError::BadHeader`] when the key is not allowed in a header.
    pub fn set_bearer(&mut self, key: &str) -> Result<(), ClientError> {
        self.set(AUTHORIZATION.as_str(), &format!("Bearer {}", key.trim()))
    }

    /// Removes every secret from a text that came from elsewhere.
    pub fn without_secrets(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for secret in &self.secrets {
            if out.contains(secret.as_str()) {
                out = out.replace(secret.as_str(), "***");
            }
        }
        out
    }

    /// The headers as sent.
    pub(crate) fn map(&self) -> &HeaderMap {
        &self.map
    }

    /// Whether a credential is among them.
    pub(crate) fn has_credential(&self) -> bool {
        !self.secrets.is_empty()
    }

    fn add_secret(&mut self, secret: &str) {
        if secret.len() >= SHORTEST_SECRET && !self.secrets.iter().any(|known| known == secret) {
            self.secrets.push(secret.to_owned());
            // The longest first, so that no part of it is left when a shorter one lies inside.
            self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `HeaderValue` prints `Sensitive` for the marked ones.
        formatter
            .debug_struct("Headers")
            .field("map", &self.map)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use contracts::ToolError as _;

    use super::*;

    #[test]
    fn secrets_show_nowhere() {
        let mut headers = Headers::new();
        headers.set_bearer("sk-abcdef").unwrap();
        headers.set("X-Api-Key", "hunter22").unwrap();
        let shown = format!("{headers:?}");
        assert!(
            !shown.contains("sk-abcdef") && !shown.contains("hunter22"),
            "{shown}"
        );
        let text = headers.without_secrets("key sk-abcdef or Bearer sk-abcdef or hunter22 is wrong");
        assert_eq!(text, "key *** or *** or *** is wrong");
    }

    #[test]
    fn a_bad_value_is_not_repeated() {
        let error = Headers::new()
            .set("authorization", "Bearer a\nb-secret")
            .unwrap_err();
        assert_eq!(error.code(), "bad-header");
        assert!(!error.to_string().contains("secret"));
    }
}

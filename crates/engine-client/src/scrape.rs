//! Asking a server for its metrics, again and again over one client.

use crate::control::{Control, Reply};
use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::headers::Headers;

/// A client for the metrics of one server.
pub struct Scraper<'a> {
    control: Control<'a>,
    endpoint: &'a Endpoint,
    headers: &'a Headers,
}

/// What one path answered, whatever its status but 401 and 403.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scraped {
    /// HTTP status.
    pub status: u16,
    /// The header `Date`, as it was sent.
    pub date: Option<String>,
    /// The body; bytes that are no UTF-8 are replaced.
    pub text: String,
    /// What a failing answer says, cleaned and without secrets.
    pub reason: String,
}

impl<'a> Scraper<'a> {
    /// A scraper of a server.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] when no client can be made, for want of certificates for example.
    pub fn new(endpoint: &'a Endpoint, headers: &'a Headers) -> Result<Scraper<'a>, ClientError> {
        let control = Control::new(endpoint, headers)?;
        Ok(Scraper {
            control,
            endpoint,
            headers,
        })
    }

    /// Asks one path.
    ///
    /// # Errors
    /// When nothing answers in time, and [`ClientError::Unauthorized`] when the key is missing or refused.
    pub async fn get(&self, path: &str) -> Result<Scraped, ClientError> {
        self.scraped(path, self.control.get_metrics(path).await?)
    }

    /// Asks one path with JSON.
    ///
    /// # Errors
    /// As [`Scraper::get`].
    pub async fn post_json(&self, path: &str, body: &serde_json::Value) -> Result<Scraped, ClientError> {
        self.scraped(path, self.control.post(path, body).await?)
    }

    /// Asks one path with a form, which may be longer than a query of a URL.
    ///
    /// # Errors
    /// As [`Scraper::get`].
    pub async fn post_form(&self, path: &str, form: String) -> Result<Scraped, ClientError> {
        self.scraped(path, self.control.post_form(path, form).await?)
    }

    fn scraped(&self, path: &str, reply: Reply) -> Result<Scraped, ClientError> {
        if matches!(reply.status, 401 | 403) {
            return Err(ClientError::Unauthorized {
                url: self.endpoint.url(path),
                status: reply.status,
                has_credential: self.headers.has_credential(),
            });
        }
        Ok(Scraped {
            status: reply.status,
            reason: reply.reason(self.headers),
            text: String::from_utf8_lossy(&reply.body).into_owned(),
            date: reply.date,
        })
    }
}

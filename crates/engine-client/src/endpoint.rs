//! Where a server is: the parsed base URL, its addresses, and the TLS set-up, shared by all connections to it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use http::Uri;
use tokio::sync::OnceCell;

use crate::error::ClientError;

/// How long a server that closes after each answer may take to do so; it happens in well under a millisecond.
const CLOSE_WATCH: std::time::Duration = std::time::Duration::from_millis(25);

/// The base URL of one server. Cloning is cheap, and clones share resolved addresses.
#[derive(Clone)]
pub struct Endpoint {
    inner: Arc<Inner>,
}

struct Inner {
    is_tls: bool,
    /// Without the brackets of an IPv6 literal.
    host: String,
    port: u16,
    /// Value of the `Host` header.
    authority: String,
    /// Path in front of `/v1`; empty or starting with `/`.
    prefix: String,
    addresses: OnceCell<Vec<SocketAddr>>,
    /// The address that answered first; later connections take it.
    good: OnceLock<SocketAddr>,
    tls: OnceLock<tokio_rustls::TlsConnector>,
    /// Whether a connection outlives its answer, once it is known.
    keeps_open: OnceLock<bool>,
    /// Held by the one connection that finds it out.
    watching: tokio::sync::Mutex<()>,
}

impl Endpoint {
    /// Reads a base URL: `http://host:port`, with or without `/v1`, or only `host:port`. IPv6 literals stand in
    /// brackets.
    ///
    /// # Errors
    /// [`ClientError::BadUrl`] when it is no HTTP URL, or holds credentials, a query or a fragment.
    pub fn parse(text: &str) -> Result<Endpoint, ClientError> {
        let text = text.trim();
        // A credential in a URL ends up in process lists and shell histories, so none is taken, and none is shown.
        let shown = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
        let bad = |reason: &'static str| ClientError::BadUrl {
            url: contracts::text::clean(shown, 200),
            reason,
        };
        let absolute = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        if absolute.contains('#') {
            return Err(bad("it has a fragment"));
        }
        let uri: Uri = absolute.parse().map_err(|_| bad("it is not a URL"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(bad("its scheme is neither http nor https")),
        };
        let authority = uri.authority().ok_or_else(|| bad("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad(
                "it holds credentials; name the variable that holds the key instead",
            ));
        }
        if uri.query().is_some() {
            return Err(bad("it has a query"));
        }
        let host = authority.host();
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if host.is_empty() {
            return Err(bad("it has no host"));
        }
        let port_text = authority
            .as_str()
            .rsplit_once(':')
            .filter(|(_, port)| !port.contains(']'));
        let port = match (authority.port_u16(), port_text) {
            (Some(0), _) | (None, Some(_)) => return Err(bad("its port is not between 1 and 65535")),
            (Some(port), _) => port,
            (None, None) if is_tls => 443,
            (None, None) => 80,
        };
        let mut prefix = uri.path().trim_end_matches('/');
        for end in ["/chat/completions", "/completions", "/models", "/v1"] {
            prefix = prefix.strip_suffix(end).unwrap_or(prefix);
        }
        Ok(Endpoint {
            inner: Arc::new(Inner {
                is_tls,
                host: host.to_owned(),
                port,
                authority: authority.as_str().to_owned(),
                prefix: prefix.trim_end_matches('/').to_owned(),
                addresses: OnceCell::new(),
                good: OnceLock::new(),
                tls: OnceLock::new(),
                keeps_open: OnceLock::new(),
                watching: tokio::sync::Mutex::new(()),
            }),
        })
    }

    /// The path of a request to `path`, which starts with `/`, for example `/v1/chat/completions`.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.inner.prefix)
    }

    /// The whole URL of `path`.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.inner.is_tls { "https" } else { "http" };
        format!("{scheme}://{}{}{path}", self.inner.authority, self.inner.prefix)
    }

    /// Whether the scheme is `https`.
    pub fn is_tls(&self) -> bool {
        self.inner.is_tls
    }

    /// The host, without the brackets of an IPv6 literal.
    pub fn host(&self) -> &str {
        &self.inner.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.inner.port
    }

    /// Whether the host is this machine by name: `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host.eq_ignore_ascii_case("localhost")
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// Value of the `Host` header.
    pub(crate) fn authority(&self) -> &str {
        &self.inner.authority
    }

    /// The addresses to try, best first. Names are resolved once.
    pub(crate) async fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        if let Some(good) = self.inner.good.get() {
            return Ok(vec![*good]);
        }
        let resolve = || async {
            let found = tokio::net::lookup_host((self.inner.host.as_str(), self.inner.port)).await?;
            Ok::<_, std::io::Error>(found.collect())
        };
        self.inner.addresses.get_or_try_init(resolve).await.cloned()
    }

    /// Remembers the address that answered.
    pub(crate) fn remember(&self, address: SocketAddr) {
        // Another connection may have been faster; either answers.
        let _ = self.inner.good.set(address);
    }

    /// Takes it as known that connections outlive their answers, as they do on the HTTP servers of vLLM and SGLang;
    /// otherwise the first answers find it out.
    pub fn assume_kept_open(&self) {
        let _ = self.inner.keeps_open.set(true);
    }

    /// Whether a connection to this server can carry another request after a whole answer.
    ///
    /// Some servers close it right after the end of a stream while their headers promise to keep it (llama.cpp 7e4c0a9,
    /// `Keep-Alive: timeout=5, max=100`). The close arrives a moment after the last byte, so a request that follows at
    /// once is lost with the connection, and repeating it would be a retry. So one connection per server is watched
    /// after its first answer; until it is known, nobody reuses one.
    pub(crate) async fn keeps_open(&self, connection: &mut crate::connection::Connection) -> bool {
        if let Some(known) = self.inner.keeps_open.get() {
            return *known;
        }
        let Ok(_watching) = self.inner.watching.try_lock() else {
            return false;
        };
        let stays = !connection.closes_within(CLOSE_WATCH).await;
        *self.inner.keeps_open.get_or_init(|| stays)
    }

    /// The TLS set-up with the machine's certificates, made on first use.
    pub(crate) fn tls(&self) -> tokio_rustls::TlsConnector {
        let make = || {
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            tokio_rustls::TlsConnector::from(Arc::new(crate::tls::config(roots)))
        };
        self.inner.tls.get_or_init(make).clone()
    }

    /// Takes this set-up in place of the machine's certificates.
    #[cfg(test)]
    pub(crate) fn trust(&self, config: rustls::ClientConfig) {
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        assert!(self.inner.tls.set(connector).is_ok(), "nobody has connected yet");
    }

    /// The same as a configuration; for plain HTTP without certificates, which take a while to read.
    pub(crate) fn tls_config(&self) -> rustls::ClientConfig {
        if self.is_tls() {
            rustls::ClientConfig::clone(self.tls().config())
        } else {
            crate::tls::config(rustls::RootCertStore::empty())
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url(""))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use contracts::ToolError as _;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_a_base_with_and_without_v1() {
        for text in [
            "http://h:8000",
            "http://h:8000/",
            "http://h:8000/v1",
            "http://h:8000/v1/",
            "h:8000",
            "http://h:8000/v1/chat/completions",
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.to_string(), "http://h:8000", "{text}");
            assert_eq!(endpoint.path("/v1/models"), "/v1/models");
        }
        let behind = Endpoint::parse("https://gate/team/v1").unwrap();
        assert_eq!(behind.url("/v1/models"), "https://gate/team/v1/models");
        assert_eq!((behind.port(), behind.is_tls()), (443, true));
    }

    #[test]
    fn takes_ipv6_literals() {
        let endpoint = Endpoint::parse("http://[::1]:8000/v1").unwrap();
        assert_eq!((endpoint.host(), endpoint.port()), ("::1", 8000));
        assert_eq!(endpoint.to_string(), "http://[::1]:8000");
        assert!(endpoint.is_loopback());
        assert_eq!(Endpoint::parse("http://[::1]").unwrap().port(), 80);
    }

    #[test]
    fn refuses_and_hides_credentials() {
        let error = Endpoint::parse("http://me:hunter2@h:1").unwrap_err();
        assert_eq!(error.code(), "bad-url");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn refuses_what_is_no_http_url() {
        for text in [
            "",
            "ftp://h",
            "http://",
            "http://h:0",
            "http://h:99999",
            "http://h:x",
            "http://h?a=b",
            "http://h#a",
            "http://a b",
        ] {
            assert_eq!(
                Endpoint::parse(text).map_err(|error| error.code()).unwrap_err(),
                "bad-url",
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_never_panics_and_what_is_shown_parses(text in "\\PC{0,40}") {
            if let Ok(endpoint) = Endpoint::parse(&text) {
                prop_assert_eq!(Endpoint::parse(&endpoint.to_string()).unwrap().to_string(), endpoint.to_string());
            }
        }
    }
}

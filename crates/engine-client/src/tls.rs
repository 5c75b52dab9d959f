//! TLS for https endpoints: rustls on ring, HTTP/1.1 only.

use std::sync::Arc;

/// A client configuration that trusts `roots`.
pub(crate) fn config(roots: rustls::RootCertStore) -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the cipher suites of the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};

    use bytes::Bytes;
    use contracts::ToolError as _;
    use contracts::serve_bench::outcome::Outcome;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

    use super::*;
    use crate::{Call, Endpoint, Headers, Slot, probe};

    // Made with `openssl ca -selfsign` for localhost and 127.0.0.1, valid 2020 to 2120; it protects nothing.
    const CERTIFICATE: &[u8] = include_bytes!("../tests/data/localhost.cert.der");
    const KEY: &[u8] = include_bytes!("../tests/data/localhost.key.der");

    /// A TLS server that answers every connection once with `answer`.
    fn serve(answer: &'static [u8]) -> SocketAddr {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut tls = rustls::StreamOwned::new(session, stream);
                // The client hangs up where it does not trust the certificate.
                if tls.read(&mut [0; 4096]).is_ok() {
                    let _ = tls.write_all(answer).and_then(|()| tls.flush());
                    tls.conn.send_close_notify();
                    let _ = tls.flush();
                }
            }
        });
        address
    }

    const STREAM: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n\
        data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n";

    fn call() -> Call<'static> {
        Call {
            path: "/v1/chat/completions",
            body: Bytes::from_static(b"{}"),
            timeout: Some(std::time::Duration::from_secs(20)),
            ignore_eos: false,
            requested_output_tokens: None,
            count_tokens: None,
            cancel: None,
        }
    }

    #[tokio::test]
    async fn a_stream_over_tls_is_stamped_below_it() {
        let endpoint = Endpoint::parse(&format!("https://{}", serve(STREAM))).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(CERTIFICATE)).unwrap();
        endpoint.trust(config(roots));
        let seen = Slot::new(endpoint, Headers::new()).send(&call()).await;
        assert_eq!(
            (seen.outcome, seen.chunk_offsets_us.len()),
            (Outcome::Ok, 1),
            "{seen:?}"
        );
        assert!(
            seen.connect_ns < seen.request_sent_ns && seen.request_sent_ns < seen.first_token_ns,
            "{seen:?}"
        );
    }

    #[tokio::test]
    async fn an_unknown_certificate_is_refused_with_a_remedy() {
        let endpoint = Endpoint::parse(&format!("https://{}", serve(STREAM))).unwrap();
        endpoint.trust(config(rustls::RootCertStore::empty()));
        let error = probe(&endpoint, &Headers::new()).await.unwrap_err();
        assert_eq!(error.code(), "certificate", "{error}");
        assert!(error.hint().unwrap().contains("SSL_CERT_FILE"));
        let seen = Slot::new(endpoint, Headers::new()).send(&call()).await;
        assert_eq!(seen.outcome, Outcome::Connect);
        assert!(seen.error.unwrap().contains("certificate"));
    }
}

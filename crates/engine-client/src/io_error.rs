//! From what the system says to what it means: refused, unreachable, sandboxed, not TLS.

use std::io;

use crate::endpoint::Endpoint;
use crate::error::ClientError;

/// `EMFILE` and `ENFILE`: the process or the machine has no file descriptor left.
const NO_DESCRIPTOR: [i32; 2] = [24, 23];

impl ClientError {
    /// The meaning of an error while a connection is opened.
    pub(crate) fn of_io(endpoint: &Endpoint, error: &io::Error) -> ClientError {
        // Codex sets it in the shells of a sandbox without network.
        let is_sandboxed =
            std::env::var_os("CODEX_SANDBOX_NETWORK_DISABLED").is_some_and(|value| value == "1");
        of_io(endpoint, error, is_sandboxed)
    }
}

fn of_io(endpoint: &Endpoint, error: &io::Error, is_sandboxed: bool) -> ClientError {
    let url = endpoint.to_string();
    let reason = contracts::text::clean(&error.to_string(), 200);
    if error
        .raw_os_error()
        .is_some_and(|code| NO_DESCRIPTOR.contains(&code))
    {
        return ClientError::OpenFiles { url };
    }
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(_)) => return ClientError::Certificate { url, reason },
        Some(rustls::Error::InvalidMessage(_)) => return ClientError::NoTls { url, reason },
        _ => {}
    }
    // A plain server that does not understand the TLS greeting hangs up.
    if endpoint.is_tls() && error.kind() == io::ErrorKind::UnexpectedEof {
        return ClientError::NoTls { url, reason };
    }
    if is_sandboxed {
        return ClientError::SandboxedNetwork { url, reason };
    }
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return ClientError::Refused { url, reason };
    }
    ClientError::Unreachable { url, reason }
}

/// The TLS error inside; connectors wrap it in more than one `io::Error`.
fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    let mut inner = error.get_ref()?;
    loop {
        if let Some(tls) = inner.downcast_ref() {
            return Some(tls);
        }
        inner = inner.downcast_ref::<io::Error>()?.get_ref()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::ToolError as _;

    #[test]
    fn tells_the_causes_apart() {
        let plain = Endpoint::parse("http://127.0.0.1:1").unwrap();
        let code = |error: io::Error, is_sandboxed| of_io(&plain, &error, is_sandboxed).code();
        assert_eq!(
            code(io::ErrorKind::ConnectionRefused.into(), false),
            "connection-refused"
        );
        assert_eq!(code(io::ErrorKind::PermissionDenied.into(), false), "unreachable");
        assert_eq!(
            code(io::ErrorKind::PermissionDenied.into(), true),
            "sandboxed-network"
        );
        assert_eq!(
            code(io::ErrorKind::ConnectionRefused.into(), true),
            "sandboxed-network"
        );
        assert_eq!(code(io::Error::from_raw_os_error(24), true), "open-file-limit");
        let tls = Endpoint::parse("https://127.0.0.1:1").unwrap();
        let message = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        let error = io::Error::new(io::ErrorKind::InvalidData, message);
        assert_eq!(of_io(&tls, &error, false).code(), "no-tls");
    }
}

//! Ports of this machine.

use std::io;
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;

use engine_client::Endpoint;

/// A loopback port that nobody uses at this moment.
///
/// # Errors
/// When the system has none, or allows none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Whether nothing listens at the endpoint's address. An address of another machine is asked by connecting.
pub fn is_port_free(endpoint: &Endpoint) -> bool {
    let Ok(addresses) = (endpoint.host(), endpoint.port()).to_socket_addrs() else {
        return true;
    };
    addresses
        .into_iter()
        .all(|address| match TcpListener::bind(address) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => false,
            Err(_) => TcpStream::connect_timeout(&address, Duration::from_millis(300)).is_err(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_takes_its_port_and_gives_it_back() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::parse(&listener.local_addr().unwrap().to_string()).unwrap();
        assert!(!is_port_free(&endpoint));
        drop(listener);
        assert!(is_port_free(&endpoint));
    }

    #[test]
    fn a_free_port_can_be_bound() {
        assert_ne!(free_port().unwrap(), 0);
    }
}

//! Listeners: where a command listens, and what HTTP allows on each connection.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum_server::accept::Accept;
use axum_server::{Handle, Server};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::connection::{Bounded, Bounds};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// The system's buffers for each connection, in bytes; Linux takes twice as much. Answers are shorter than requests.
const RECEIVES: u32 = 64 << 10;
const SENDS: u32 = 32 << 10;

/// Binds the first of the addresses that can be bound. If a port is in use, the next address is not tried. The error names the flag.
pub(crate) fn bind(addresses: &[SocketAddr], flag: &str) -> io::Result<TcpListener> {
    let mut result = Err(io::Error::other(format!("{flag} names no address")));
    for &address in addresses {
        result = bind_one(address).map_err(|error| {
            let advice = format!("choose another with {flag}");
            let message = format!("cannot listen on {address}: {error}; {advice}");
            io::Error::new(error.kind(), message)
        });
        let is_in_use = |error: &io::Error| error.kind() == io::ErrorKind::AddrInUse;
        if result.as_ref().err().is_none_or(is_in_use) {
            break;
        }
    }
    result
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // Connections of a process that has just ended must not prevent the next start.
    socket.set_reuseaddr(true)?;
    // The system's defaults are megabytes for each connection, and count towards the container's memory.
    socket.set_recv_buffer_size(RECEIVES)?;
    socket.set_send_buffer_size(SENDS)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves HTTP on a listener until the handle stops it.
pub(crate) async fn serve<A>(
    listener: TcpListener,
    acceptor: A,
    bounds: Bounds,
    router: Router,
    handle: Handle<SocketAddr>,
) -> io::Result<()>
where
    A: Accept<TcpStream, ()> + Clone + Send + Sync + 'static,
    A::Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A::Future: Send + 'static,
{
    let mut server = Server::<SocketAddr>::from_listener(listener)
        .handle(handle)
        .first_request_timeout(bounds.first_request);
    let builder = server.http_builder();
    builder
        .http1()
        // hyper counts from the end of the last answer, so this limits idle connections too.
        .header_read_timeout(bounds.idle)
        .max_buf_size(bounds.header);
    // The API server does not use HTTP/2 for webhooks. Other clients get little, because every stream can hold a window of memory.
    builder
        .http2()
        .max_concurrent_streams(8)
        .initial_stream_window_size(Some(64 * 1024))
        .initial_connection_window_size(Some(64 * 1024))
        .max_send_buf_size(64 * 1024)
        .max_header_list_size(16 * 1024);
    let acceptor = Bounded {
        inner: acceptor,
        bounds,
    };
    server
        .acceptor(acceptor)
        .serve(router.into_make_service())
        .await
}

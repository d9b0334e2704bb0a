//! A stand-in for kube-proxy: new connections go to the ready replicas in turn, open ones stay where they are.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug)]
struct Replica {
    address: SocketAddr,
    ready: bool,
    open: Arc<AtomicUsize>,
}

/// A Service with an address.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    replicas: Arc<Mutex<Vec<Replica>>>,
}

pub(crate) async fn proxy() -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy {
        address: listener.local_addr().unwrap(),
        replicas: Arc::default(),
    };
    let replicas = Arc::clone(&proxy.replicas);
    tokio::spawn(async move {
        for turn in 0.. {
            let (mut client, _) = listener.accept().await.unwrap();
            client.set_nodelay(true).unwrap();
            let chosen = choose(&replicas, turn);
            // Without a ready replica the connection is closed, and the call fails.
            let Some((address, open)) = chosen else {
                continue;
            };
            tokio::spawn(async move {
                if let Ok(mut server) = TcpStream::connect(address).await {
                    server.set_nodelay(true).unwrap();
                    // Either side may close it.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
                open.fetch_sub(1, Ordering::AcqRel);
            });
        }
    });
    proxy
}

fn choose(replicas: &Mutex<Vec<Replica>>, turn: usize) -> Option<(SocketAddr, Arc<AtomicUsize>)> {
    let mut replicas = replicas.lock().unwrap();
    let mut ready: Vec<_> = replicas.iter_mut().filter(|it| it.ready).collect();
    let turn = turn.checked_rem(ready.len())?;
    let chosen = ready.get_mut(turn)?;
    chosen.open.fetch_add(1, Ordering::AcqRel);
    Some((chosen.address, Arc::clone(&chosen.open)))
}

impl Proxy {
    /// Adds a replica that is ready.
    pub(crate) fn add(&self, address: SocketAddr) {
        self.replicas.lock().unwrap().push(Replica {
            address,
            ready: true,
            open: Arc::default(),
        });
    }

    /// Marks a replica as not ready.
    pub(crate) fn remove(&self, address: SocketAddr) {
        let mut replicas = self.replicas.lock().unwrap();
        if let Some(replica) = replicas.iter_mut().find(|it| it.address == address) {
            replica.ready = false;
        }
    }

    /// The number of open connections to a replica.
    pub(crate) fn open(&self, address: SocketAddr) -> usize {
        let replicas = self.replicas.lock().unwrap();
        let open = replicas.iter().find(|it| it.address == address);
        open.map_or(0, |it| it.open.load(Ordering::Acquire))
    }
}

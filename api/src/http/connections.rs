//! How many connections are open, and how many of them one peer may hold.
//!
//! A connection beyond its bound is shut at once, before anything is read from it: who opens many and sends
//! nothing takes no place from others. When more than half of all places are taken, each peer may hold
//! [`WHEN_SCARCE`] only, so that a few dozen addresses cannot fill the rest between them.
//!
//! Bounds: [`MOST`] connections, fewer where the process may open fewer files. Behind a proxy all peers are
//! the proxy: set the bound of one peer to 0 there, and let the proxy count.

use std::any::Any;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use rustix::net::{Shutdown, shutdown};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections at once.
pub const MOST: usize = 8_000;
/// Connections of one peer when more than half of all places are taken.
pub const WHEN_SCARCE: usize = 32;
/// Files that are needed for other things: the database, keys, logs, outside hosts.
const OTHER_FILES: u64 = 512;

/// The connections that are open.
pub struct Connections {
    most: usize,
    of_one_peer: usize,
    peers: Mutex<HashMap<IpAddr, usize>>,
}

/// A place that is taken until this is dropped.
pub struct Place {
    connections: Arc<Connections>,
    peer: IpAddr,
}

impl Connections {
    /// So many at once, so many of one peer; 0 for any number of one peer.
    #[must_use]
    pub fn new(most: usize, of_one_peer: usize) -> Arc<Self> {
        Arc::new(Self { most, of_one_peer, peers: Mutex::default() })
    }

    /// Takes a place; none when there is none for this peer.
    #[must_use]
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let peer = network(address);
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let open: usize = peers.values().sum();
        let own = peers.get(&peer).copied().unwrap_or_default();
        let bound = match self.of_one_peer {
            0 => self.most,
            bound if open > self.most / 2 => bound.min(WHEN_SCARCE),
            bound => bound,
        };
        if open >= self.most || own >= bound {
            return None;
        }
        peers.insert(peer, own + 1);
        Some(Place { connections: Arc::clone(self), peer })
    }

    /// How many are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// Takes a place for a new connection, or shuts it.
    pub fn meet(self: &Arc<Self>, connection: &dyn Any, extensions: &mut Extensions) {
        let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
        let place = stream.peer_addr().ok().and_then(|peer| self.admit(peer.ip()));
        match place {
            Some(place) => drop(extensions.insert(place)),
            // It is gone already when that fails.
            None => drop(shutdown(stream, Shutdown::Both)),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut peers = self.connections.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = peers.get_mut(&self.peer) {
            *own -= 1;
            if *own == 0 {
                peers.remove(&self.peer);
            }
        }
    }
}

/// Who is counted: who has an IPv6 network has all addresses of it.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            },
            IpAddr::V4,
        ),
    }
}

/// How many connections this process may have open: lets it open as many files as it is allowed to.
#[must_use]
pub fn most() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // Where it may not be raised, what there is must do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(MOST).clamp(64, MOST)
}

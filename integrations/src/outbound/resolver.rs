//! Names to addresses, and the gate before every connection.
//!
//! The addresses that passed are the ones that are connected to: nothing is looked up a second time, so
//! a name that answers differently the next moment gains nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

use super::wall::{Refusal, Wall};

/// A failure on the way to a host.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// What happens later.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Looks names up.
pub trait Resolve: Send + Sync {
    /// The addresses of a name.
    fn resolve(&self, name: &str) -> Later<io::Result<Vec<IpAddr>>>;
}

/// Asks the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> Later<io::Result<Vec<IpAddr>>> {
        let name = Name::from_str(name);
        Box::pin(async move {
            let name = name.map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            Ok(GaiResolver::new().call(name).await?.map(|address| address.ip()).collect())
        })
    }
}

/// The name has no address.
#[derive(Debug, thiserror::Error)]
#[error("the name does not resolve")]
pub(super) struct Unresolved;

/// A resolver whose answers have passed the wall.
#[derive(Clone)]
pub(super) struct Walled {
    pub(super) wall: Arc<Wall>,
    pub(super) resolver: Arc<dyn Resolve>,
}

impl Service<Name> for Walled {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Later<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (wall, found) = (Arc::clone(&self.wall), self.resolver.resolve(name.as_str()));
        Box::pin(async move {
            let found = found.await.map_err(|_| Unresolved)?;
            let mut refusal = None;
            let mut passed = Vec::with_capacity(found.len());
            for address in found {
                match wall.address(address) {
                    Ok(()) => passed.push(SocketAddr::new(address, 0)),
                    Err(why) => refusal = Some(why),
                }
            }
            match (passed.is_empty(), refusal) {
                (false, _) => Ok(passed.into_iter()),
                (true, Some(why)) => Err(why.into()),
                (true, None) => Err(Unresolved.into()),
            }
        })
    }
}

/// Stands before the connector: an address in the place of a name never reaches a resolver, so it is
/// looked at here again, with scheme and port.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) wall: Arc<Wall>,
    pub(super) connector: HttpConnector<Walled>,
}

impl Gate {
    fn pass(&self, uri: &Uri) -> Result<(), Refusal> {
        let scheme = uri.scheme_str().unwrap_or_default();
        self.wall.scheme(scheme)?;
        self.wall.port(uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 }))?;
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        host.parse::<IpAddr>().map_or(Ok(()), |address| self.wall.address(address))
    }
}

impl Service<Uri> for Gate {
    type Response = <HttpConnector<Walled> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Later<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match self.pass(&uri) {
            Err(refusal) => Box::pin(std::future::ready(Err(refusal.into()))),
            Ok(()) => {
                let connecting = self.connector.call(uri);
                Box::pin(async move { connecting.await.map_err(Into::into) })
            }
        }
    }
}

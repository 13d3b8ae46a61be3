//! Why a command failed, in words that say what to do.

use domain::agreements::reference::ReferenceError;
use domain::store::StoreError;
use persistence::cluster::ClusterError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The private cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The reference data that is shipped.
    #[error("the shipped agreement does not read: {0}")]
    Reference(#[from] ReferenceError),
    /// A file.
    #[error("{doing}: {cause}")]
    File {
        /// What was being done, with the path.
        doing: String,
        /// Why it failed.
        cause: std::io::Error,
    },
    /// The answer.
    #[error("cannot write the answer: {0}")]
    Io(#[from] std::io::Error),
    /// The address.
    #[error("cannot listen on {address}: {cause}; choose another with --listen")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why not.
        cause: std::io::Error,
    },
    /// A key, a mark, a token.
    #[error("{0}")]
    Other(String),
}

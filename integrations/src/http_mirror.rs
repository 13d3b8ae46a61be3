//! A log over HTTP, as whoever audits it from outside reads it: the server itself or any mirror of it.
//!
//! Who audits has chosen the address, so that no wall stands before it; certificates are checked as always. Nothing is
//! believed: the audit recomputes what comes. Bounds: a file of the log has at most [`LARGEST`] bytes.

use domain::chain::mirror::{CHECKPOINT, LogFiles};
use domain::chain::signer::PortError;
use domain::chain::tile::{MAX_LEAF_BYTES, TILE_WIDTH, Tile};
use tokio::runtime::{Builder, Runtime};

use crate::outbound::{Outbound, OutboundConfig, OutboundRequest, Verb, Wall};

/// A bundle of the longest leaves, each after its length.
const LARGEST: usize = TILE_WIDTH as usize * (MAX_LEAF_BYTES + 2);

/// The files of a log below an address.
pub struct HttpMirror {
    base: String,
    outbound: Outbound,
    runtime: Runtime,
}

impl HttpMirror {
    /// The log below `base`, such as `https://api.example.com` for `https://api.example.com/checkpoint`.
    ///
    /// # Errors
    /// When no request can be made at all.
    pub fn new(base: &str) -> Result<Self, PortError> {
        let config =
            OutboundConfig { wall: Wall { allow_private: true, ..Wall::default() }, ..OutboundConfig::default() };
        let outbound = Outbound::new(config).map_err(|error| PortError(error.to_string()))?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| PortError(e.to_string()))?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), outbound, runtime })
    }
}

impl LogFiles for HttpMirror {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        if path != CHECKPOINT && Tile::parse(path).is_err() {
            return Ok(None);
        }
        let url = format!("{}/{path}", self.base);
        let request =
            OutboundRequest { verb: Verb::Get, url: url.clone(), headers: Vec::new(), body: Vec::new(), keep: LARGEST };
        let answer = self.runtime.block_on(self.outbound.send(request));
        let answer = answer.map_err(|error| PortError(format!("{url}: {error}")))?;
        match answer.status {
            200 if !answer.cut => Ok(Some(answer.body)),
            200 => Err(PortError(format!("{url}: more than {LARGEST} bytes"))),
            404 | 410 => Ok(None),
            status => Err(PortError(format!("{url}: answered {status}"))),
        }
    }
}

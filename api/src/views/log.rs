//! Views of the public log: keys, proofs.

use domain::chain::encoding::b64;
use domain::chain::key::PublicKey;
use domain::chain::proofs::{ConsistencyProof, InclusionProof};
use domain::chain::trust::Trust;
use domain::kernel::Digest;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A public key (RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Jwk)]
pub struct JwkView {
    /// Always `Ed25519`.
    #[schema(example = "Ed25519")]
    pub crv: String,
    /// Always `OKP`.
    #[schema(example = "OKP")]
    pub kty: String,
    /// The 32 bytes, base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub x: String,
}

/// A key of the platform.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlatformKey)]
pub struct PlatformKeyView {
    /// The thumbprint (RFC 7638).
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    pub kid: String,
    /// The key.
    pub jwk: JwkView,
}

/// What a verifier trusts; saved as a file it is what `flip360 verify --trust` reads.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainKeys)]
pub struct ChainKeysView {
    /// `flip360_trust`.
    #[schema(example = "flip360_trust")]
    pub r#type: &'static str,
    /// 1.
    #[schema(example = 1)]
    pub v: u8,
    /// The name of the log.
    #[schema(example = "flip360.example/log")]
    pub origin: String,
    /// The verifier key of the log (C2SP signed-note).
    #[schema(example = "flip360.example/log+a1b2c3d4+AeQ6jcQbA3VJh5S4hKTpYzDYqU8Q9mG1lmPnjsrFkkzr")]
    pub log_key: String,
    /// The keys that seal handshakes.
    pub platform_keys: Vec<PlatformKeyView>,
    /// Verifier keys of the witnesses (C2SP tlog-cosignature), each beginning with its name; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["witness.example/w1+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv"]))]
    pub witnesses: Option<Vec<String>>,
    /// How many of them must have cosigned; absent where none is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub quorum: Option<usize>,
}

impl From<&Trust> for ChainKeysView {
    fn from(trust: &Trust) -> Self {
        let named = |key: &PublicKey| {
            let jwk = key.jwk();
            PlatformKeyView { kid: key.kid(), jwk: JwkView { crv: jwk.crv, kty: jwk.kty, x: jwk.x } }
        };
        Self {
            r#type: "flip360_trust",
            v: 1,
            origin: trust.origin().to_owned(),
            log_key: trust.log().to_string(),
            platform_keys: trust.platform_keys().iter().map(named).collect(),
            witnesses: (!trust.policy().is_empty())
                .then(|| trust.policy().witnesses().iter().map(ToString::to_string).collect()),
            quorum: Some(trust.policy().quorum()).filter(|quorum| *quorum > 0),
        }
    }
}

/// Which leaf, in which size of the log.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InclusionQuery {
    /// The index of the leaf, from 0.
    #[param(example = 17)]
    pub index: u64,
    /// The number of leaves; the newest signed size when left out.
    #[param(example = 4096)]
    pub size: Option<u64>,
}

/// Which two sizes of the log.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConsistencyQuery {
    /// The smaller size.
    #[param(example = 1024)]
    pub from: u64,
    /// The larger size; the newest signed one when left out.
    #[param(example = 4096)]
    pub to: Option<u64>,
}

/// That a leaf is in the log (RFC 6962). Hashes are base64.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InclusionProof)]
pub struct InclusionProofView {
    /// The index of the leaf.
    #[schema(example = 17)]
    pub index: u64,
    /// The number of leaves.
    #[schema(example = 4096)]
    pub size: u64,
    /// SHA-256 of a zero byte and the leaf.
    #[schema(example = "rM21F0nSPbXQdlEuA5EgS7h3AAyQxFrk1NHmgIGhzwo=")]
    pub leaf_hash: String,
    /// The root of the tree of that size.
    #[schema(example = "3Ebbig1rmJ0xUkZ7RfxJ3K2cCFL1yYq5qmy1mTqPA3w=")]
    pub root: String,
    /// From the leaf upwards.
    #[schema(example = json!(["bHzZ0bYpYyQJ0Wb7iHnKq2rG8aF6s2d8p1o6xJm3m9s="]))]
    pub proof: Vec<String>,
}

/// That the log of one size extends that of another (RFC 6962). Hashes are base64.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConsistencyProof)]
pub struct ConsistencyProofView {
    /// The smaller size.
    #[schema(example = 1024)]
    pub from: u64,
    /// Its root.
    #[schema(example = "rM21F0nSPbXQdlEuA5EgS7h3AAyQxFrk1NHmgIGhzwo=")]
    pub from_root: String,
    /// The larger size.
    #[schema(example = 4096)]
    pub to: u64,
    /// Its root.
    #[schema(example = "3Ebbig1rmJ0xUkZ7RfxJ3K2cCFL1yYq5qmy1mTqPA3w=")]
    pub to_root: String,
    /// The proof.
    #[schema(example = json!(["bHzZ0bYpYyQJ0Wb7iHnKq2rG8aF6s2d8p1o6xJm3m9s="]))]
    pub proof: Vec<String>,
}

fn hash(digest: &Digest) -> String {
    b64(digest.bytes())
}

impl From<InclusionProof> for InclusionProofView {
    fn from(proof: InclusionProof) -> Self {
        Self {
            index: proof.index,
            size: proof.size,
            leaf_hash: hash(&proof.leaf_hash),
            root: hash(&proof.root),
            proof: proof.path.iter().map(hash).collect(),
        }
    }
}

impl From<ConsistencyProof> for ConsistencyProofView {
    fn from(proof: ConsistencyProof) -> Self {
        Self {
            from: proof.from,
            from_root: hash(&proof.from_root),
            to: proof.to,
            to_root: hash(&proof.to_root),
            proof: proof.path.iter().map(hash).collect(),
        }
    }
}

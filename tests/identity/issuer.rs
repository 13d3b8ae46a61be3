//! An outside OpenID Connect provider of the tests: a small HTTP server with keys that OpenSSL made
//! (`openssl genpkey`, `openssl pkcs8 -topk8`), and signatures by *ring*.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// A private key of the provider.
pub enum Key {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    Ed25519(SigningKey),
}

impl Key {
    pub fn rsa(n: u8) -> Self {
        let der: &[u8] =
            if n == 1 { include_bytes!("fixtures/rsa-1.der") } else { include_bytes!("fixtures/rsa-2.der") };
        Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(der).expect("a key")))
    }

    pub fn p256() -> Self {
        let der = include_bytes!("fixtures/p256.der");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new());
        Self::P256(key.expect("a key"))
    }

    pub fn ed25519(seed: u8) -> Self {
        Self::Ed25519(SigningKey::from_bytes(&[seed; 32]))
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    pub fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match self {
            Self::Rsa(key) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({"kty": "RSA", "n": text(&n), "e": text(&e)})
            }
            Self::P256(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..])})
            }
            Self::Ed25519(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": text(key.verifying_key().as_bytes())})
            }
        };
        jwk["kid"] = json!(kid);
        jwk["use"] = json!("sig");
        jwk
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("signed");
                signature
            }
            Self::P256(key) => key.sign(&SystemRandom::new(), message).expect("signed").as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        }
    }

    /// A JWT with this header and these claims.
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes())))
    }

    /// An ID token.
    pub fn id_token(&self, kid: &str, claims: &Value) -> String {
        self.token(&json!({"alg": self.algorithm(), "typ": "JWT", "kid": kid}), claims)
    }
}

/// What the provider says.
struct Says {
    keys: Value,
    issuer: Option<String>,
    jwks_uri: Option<String>,
    status: u16,
    asked: Vec<String>,
}

/// The provider.
pub struct Provider {
    pub url: String,
    says: Arc<Mutex<Says>>,
}

impl Provider {
    /// Serves these keys.
    pub fn start(keys: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let says = Says { keys, issuer: None, jwks_uri: None, status: 200, asked: Vec::new() };
        let says = Arc::new(Mutex::new(says));
        let (own, name) = (Arc::clone(&says), url.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &own, &name);
            }
        });
        Self { url, says }
    }

    pub fn publish(&self, keys: Value) {
        self.says.lock().expect("no panic").keys = keys;
    }

    /// From now on it answers with this status.
    pub fn answer(&self, status: u16) {
        self.says.lock().expect("no panic").status = status;
    }

    /// From now on it calls itself so.
    pub fn pretend(&self, issuer: &str) {
        self.says.lock().expect("no panic").issuer = Some(issuer.to_owned());
    }

    /// From now on its keys lie there.
    pub fn point(&self, jwks_uri: &str) {
        self.says.lock().expect("no panic").jwks_uri = Some(jwks_uri.to_owned());
    }

    /// How often the keys were asked for.
    pub fn asked(&self) -> usize {
        self.says.lock().expect("no panic").asked.iter().filter(|path| *path == "/keys").count()
    }
}

fn answer(mut stream: TcpStream, says: &Mutex<Says>, url: &str) {
    let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
    let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
    while lines.next().is_some_and(|line| !line.is_empty()) {}
    let mut says = says.lock().expect("no panic");
    says.asked.push(path.clone());
    let body = match path.as_str() {
        "/.well-known/openid-configuration" => {
            let issuer = says.issuer.clone().unwrap_or_else(|| url.to_owned());
            let keys = says.jwks_uri.clone().unwrap_or_else(|| format!("{url}/keys"));
            json!({"issuer": issuer, "jwks_uri": keys})
        }
        _ => json!({"keys": says.keys}),
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        says.status,
        body.len()
    );
    // A client that went away is no matter of the provider's.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

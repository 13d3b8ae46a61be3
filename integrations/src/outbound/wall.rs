//! What may be asked for: scheme, host, port, read as browsers read them (WHATWG URL), so that every
//! spelling of an address is the address.

use std::net::IpAddr;

use domain::webhooks::Targets;
use domain::webhooks::secret::TargetFault;
use url::{Host, Url};

use super::address::{Ban, ban};

/// Longer addresses are refused.
pub const MAX_URL: usize = 2_048;

/// Why a target is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not an absolute URL.
    #[error("must be an absolute URL, such as https://example.com/hooks")]
    Malformed,
    /// Too long.
    #[error("must have at most 2048 characters")]
    TooLong,
    /// Not `https`.
    #[error("must begin with https://")]
    Scheme,
    /// A user name or password stands in it.
    #[error("must not carry a user name or a password")]
    Credentials,
    /// A `#fragment` stands in it.
    #[error("must not carry a fragment")]
    Fragment,
    /// The port is not on the list.
    #[error("port {0} is not allowed")]
    Port(u16),
    /// The host is an address, or resolves to addresses, none of which is public.
    #[error("leads to {0}, not to the public internet")]
    Address(#[from] Ban),
}

impl Refusal {
    /// A stable, machine-readable reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "invalid_url",
            Self::TooLong => "too_long",
            Self::Scheme => "https_required",
            Self::Credentials => "credentials_in_url",
            Self::Fragment => "fragment_in_url",
            Self::Port(_) => "port_not_allowed",
            Self::Address(_) => "target_not_public",
        }
    }
}

/// The rules of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wall {
    /// For development: private targets, every port, plain `http`.
    pub allow_private: bool,
    /// The ports that may be connected to.
    pub ports: Vec<u16>,
}

impl Default for Wall {
    fn default() -> Self {
        Self { allow_private: false, ports: vec![443, 8443] }
    }
}

impl Wall {
    /// Reads a target. What comes out is written the one canonical way.
    ///
    /// # Errors
    /// See [`Refusal`]. A host name is looked up only when it is connected to.
    pub fn check(&self, text: &str) -> Result<Url, Refusal> {
        if text.len() > MAX_URL {
            return Err(Refusal::TooLong);
        }
        // The parser drops blanks, tabs and line ends in silence; what is stored must be what was meant.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Refusal::Malformed);
        }
        let url = Url::parse(text).map_err(|_| Refusal::Malformed)?;
        let host = url.host().ok_or(Refusal::Malformed)?.to_owned();
        self.scheme(url.scheme())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        if url.fragment().is_some() {
            return Err(Refusal::Fragment);
        }
        self.port(url.port_or_known_default().unwrap_or_default())?;
        match host {
            Host::Ipv4(v4) => self.address(v4.into())?,
            Host::Ipv6(v6) => self.address(v6.into())?,
            Host::Domain(name) => self.name(&name)?,
        }
        Ok(url)
    }

    pub(super) fn scheme(&self, scheme: &str) -> Result<(), Refusal> {
        match scheme {
            "https" => Ok(()),
            "http" if self.allow_private => Ok(()),
            _ => Err(Refusal::Scheme),
        }
    }

    pub(super) fn port(&self, port: u16) -> Result<(), Refusal> {
        if self.allow_private || self.ports.contains(&port) { Ok(()) } else { Err(Refusal::Port(port)) }
    }

    /// Refuses an address that is not public.
    ///
    /// # Errors
    /// [`Refusal::Address`].
    pub fn address(&self, address: IpAddr) -> Result<(), Refusal> {
        match ban(address) {
            Some(why) if !self.allow_private => Err(why.into()),
            _ => Ok(()),
        }
    }

    /// Names that resolve to this machine by definition (RFC 6761), so that whoever types one hears it at once.
    fn name(&self, name: &str) -> Result<(), Refusal> {
        let name = name.trim_end_matches('.');
        let local = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
        if local && !self.allow_private { Err(Ban::Loopback.into()) } else { Ok(()) }
    }
}

impl Targets for Wall {
    fn check(&self, url: &str) -> Result<String, TargetFault> {
        let checked = Self::check(self, url);
        checked.map(String::from).map_err(|why| TargetFault { code: why.code(), detail: why.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_is_the_address() {
        let wall = Wall::default();
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://%31%32%37.0.0.1/",
            "https://１２７.0.0.1/",
            "https://①②⑦.0.0.1/",
            "https://127。0。0。1/",
            "https://0/",
            "https://0.0.0.0/",
            "https://10.0.0.1/",
            "https://192.168.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://0xa9fea9fe/",
            "https://2852039166/",
            "https://[::1]/",
            "https://[::]/",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
        ] {
            assert!(matches!(wall.check(url), Err(Refusal::Address(_))), "{url}: {:?}", wall.check(url));
        }
    }

    #[test]
    fn what_is_not_a_plain_https_address_is_refused() {
        let wall = Wall::default();
        for (url, refusal) in [
            ("", Refusal::Malformed),
            ("/hooks", Refusal::Malformed),
            ("example.com/hooks", Refusal::Malformed),
            ("https://", Refusal::Malformed),
            ("https://exa mple.com/", Refusal::Malformed),
            (" https://example.com/", Refusal::Malformed),
            ("https://example.com/\r\nHost: internal", Refusal::Malformed),
            ("https://[fe80::1%25eth0]/", Refusal::Malformed),
            ("https://256.1.1.1/", Refusal::Malformed),
            ("mailto:a@example.com", Refusal::Malformed),
            ("http://example.com/", Refusal::Scheme),
            ("ftp://example.com/", Refusal::Scheme),
            ("gopher://example.com/", Refusal::Scheme),
            ("file://example.com/etc/passwd", Refusal::Scheme),
            ("https://user@example.com/", Refusal::Credentials),
            ("https://user:pass@example.com/", Refusal::Credentials),
            ("https://example.com@127.0.0.1/", Refusal::Credentials),
            ("https://example.com/#x", Refusal::Fragment),
            ("https://example.com:22/", Refusal::Port(22)),
            ("https://example.com:80/", Refusal::Port(80)),
            ("https://example.com:6379/", Refusal::Port(6379)),
        ] {
            assert_eq!(wall.check(url), Err(refusal), "{url}");
        }
        let long = format!("https://example.com/{}", "a".repeat(MAX_URL));
        assert_eq!(wall.check(&long), Err(Refusal::TooLong));
        for good in [
            "https://example.com/hooks?a=b",
            "https://example.com:8443/",
            "https://8.8.8.8/",
            "https://bücher.example/",
        ] {
            assert!(wall.check(good).is_ok(), "{good}");
        }
        let development = Wall { allow_private: true, ..Wall::default() };
        assert!(development.check("http://127.0.0.1:4000/hooks").is_ok());
        assert_eq!(development.check("http://a@127.0.0.1/"), Err(Refusal::Credentials));
        assert_eq!(development.check("file:///etc/passwd"), Err(Refusal::Malformed));
    }
}

//! How many requests one caller may send: a bucket of tokens each, refilled evenly over a minute.
//!
//! A caller is who bears a good token, however many of them it has; the page of a member counts for itself. Without a
//! good token it is the address: who makes tokens up has one bucket all the same. The headers are those of
//! draft-ietf-httpapi-ratelimit-headers. Questions after the service's health are not counted: a supervisor must
//! hear that a busy service lives.
//!
//! Bounds: [`CALLERS`] buckets; full ones are dropped every [`SWEEP`] requests. When there is no room left,
//! callers share [`SHARED`] buckets by address. Each process counts for itself.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use domain::kernel::ids::MemberId;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::extract::verified;
use crate::problem::Problem;

/// Buckets at most, beside the shared ones.
pub const CALLERS: usize = 65_536;
/// Buckets for those who come when there is no room.
pub const SHARED: u16 = 1_024;
/// After how many requests full buckets are dropped.
pub const SWEEP: u64 = 4_096;

const WINDOW_SECONDS: u64 = 60;
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

type Buckets = RateLimiter<Caller, HashMapStateStore<Caller>, DefaultClock, StateInformationMiddleware>;

/// Who is counted: a digest, so that no token is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Caller([u8; 32]);

impl Caller {
    /// A user or API client, for a member when it stands for one.
    #[must_use]
    pub fn known(subject: Uuid, member: Option<Uuid>) -> Self {
        let digest = Sha256::new().chain_update(subject).chain_update(member.unwrap_or_default());
        Self(digest.finalize().into())
    }

    /// Somebody at an address; who has an IPv6 network has all addresses of it.
    #[must_use]
    pub fn at(address: Option<IpAddr>) -> Self {
        let digest = Sha256::new().chain_update(b"address\0");
        let digest = match address {
            Some(IpAddr::V4(v4)) => digest.chain_update(v4.octets()),
            Some(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
                Some(v4) => digest.chain_update(v4.octets()),
                None => digest.chain_update(&v6.octets()[..8]),
            },
            None => digest,
        };
        Self(digest.finalize().into())
    }

    /// The bucket that it shares with others.
    fn shared(self) -> Self {
        let number = u16::from_be_bytes([self.0[0], self.0[1]]) % SHARED;
        let mut shared = [0; 32];
        shared[..2].copy_from_slice(&number.to_be_bytes());
        Self(shared)
    }
}

/// What a caller is told of its quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests in a full bucket.
    pub quota: u32,
    /// Requests that are left.
    pub left: u32,
    /// Seconds until the bucket is full again.
    pub full_in: u64,
    /// Seconds until the next request is taken, when this one was not.
    pub refused_for: Option<u64>,
}

impl Standing {
    fn of(quota: NonZeroU32, left: u32, refused_for: Option<u64>) -> Self {
        let quota = quota.get();
        let used = u64::from(quota.saturating_sub(left));
        Self { quota, left, full_in: (used * WINDOW_SECONDS).div_ceil(u64::from(quota)), refused_for }
    }

    fn tell(&self, headers: &mut HeaderMap) {
        let limit = format!("\"default\";r={};t={}", self.left, self.full_in);
        let policy = format!("\"default\";q={};w={WINDOW_SECONDS}", self.quota);
        for (name, text) in [(LIMIT, limit), (POLICY, policy)] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
    }
}

/// The buckets of all callers, or none when nobody is limited.
pub struct Limits(Option<Counted>);

struct Counted {
    quota: NonZeroU32,
    buckets: Buckets,
    clock: DefaultClock,
    asked: AtomicU64,
}

impl Limits {
    /// So many requests a minute for each caller; 0 for no limit.
    #[must_use]
    pub fn per_minute(requests: u32) -> Self {
        Self(NonZeroU32::new(requests).map(|quota| {
            let clock = DefaultClock::default();
            let buckets = RateLimiter::new(Quota::per_minute(quota), HashMapStateStore::default(), clock.clone());
            Counted { quota, buckets, clock, asked: AtomicU64::new(0) }
        }))
    }

    /// Counts a request. `None` when nobody is limited.
    #[must_use]
    pub fn take(&self, caller: Caller, address: Option<IpAddr>) -> Option<Standing> {
        let Counted { quota, buckets, clock, asked } = self.0.as_ref()?;
        if asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
        let caller = if buckets.len() < CALLERS { caller } else { Caller::at(address).shared() };
        Some(match buckets.check_key(&caller) {
            Ok(state) => Standing::of(*quota, state.remaining_burst_capacity(), None),
            Err(not_until) => {
                let wait = not_until.wait_time_from(clock.now());
                Standing::of(
                    *quota,
                    0,
                    Some(wait.as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(WINDOW_SECONDS)),
                )
            }
        })
    }

    /// How many buckets are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.0.as_ref().map_or(0, |counted| counted.buckets.len())
    }
}

/// Refuses who asks too much, and tells everybody what is left.
///
/// # Errors
/// Those of what is behind it.
pub async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let limits = request.app_data::<Data<Limits>>().cloned();
    let counted = limits.filter(|_| !request.path().starts_with("/health/"));
    let Some(standing) = counted.and_then(|limits| standing(&limits, request.request())) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let mut response = match standing.refused_for {
        Some(seconds) => request.error_response(refused(&standing, seconds)),
        None => next.call(request).await?.map_into_boxed_body(),
    };
    standing.tell(response.headers_mut());
    Ok(response)
}

fn standing(limits: &Limits, request: &HttpRequest) -> Option<Standing> {
    let address = request.peer_addr().map(|peer| peer.ip());
    let caller = verified(request).map_or_else(
        |_| Caller::at(address),
        |bearer| Caller::known(bearer.subject.uuid(), bearer.actor.member.map(MemberId::uuid)),
    );
    limits.take(caller, address)
}

fn refused(standing: &Standing, seconds: u64) -> Problem {
    let detail = format!("at most {} requests a minute are taken from one caller", standing.quota);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).with_header("Retry-After", seconds.to_string())
}

//! Settings: command line first, then environment, then defaults.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use domain::access::Environment;
use integrations::stripe::SecretKey;

/// Which database, and where private things are kept.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// Where keys, the rollback guard's memory and, without DATABASE_URL, the private PostgreSQL cluster live.
    #[arg(long, env = "FLIP360_DATA_DIR", default_value = ".flip360")]
    pub data_dir: PathBuf,
    /// A PostgreSQL server to use instead of a private cluster; its login may take the roles flip360_writer and flip360_reader.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The same server as the owner of the schema, for migrations. Default: DATABASE_URL.
    #[arg(long, env = "FLIP360_MIGRATE_URL", hide_env_values = true)]
    pub migrate_url: Option<String>,
}

/// How the service listens and what it calls itself.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The address to listen on.
    #[arg(long, env = "FLIP360_LISTEN", default_value = "127.0.0.1:8360")]
    pub listen: SocketAddr,
    /// An address for GET /metrics (Prometheus), which asks for no login: loopback, or a network of your own. Default: not served.
    #[arg(long, env = "FLIP360_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// The service's address as clients see it: issuer of access tokens. Default: http://<listen>.
    #[arg(long, env = "FLIP360_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// The name of the log; it can never be changed once something was logged.
    #[arg(long, env = "FLIP360_LOG_ORIGIN", default_value = "flip360.local/log")]
    pub log_origin: String,
    /// MiB of memory for the hashes of the public log; 64 hold those of a million leaves. 0: they are read from the database each time.
    #[arg(long, env = "FLIP360_LOG_MEMORY_MIB", default_value_t = crate::app::LOG_MEMORY_MIB)]
    pub log_memory_mib: u16,
    /// Only answers requests: a `flip360 worker` beside it signs the log, does jobs, sends webhooks, releases what is due.
    #[arg(long, env = "FLIP360_NO_WORKERS")]
    pub no_workers: bool,
    /// Who witnesses the log.
    #[command(flatten)]
    pub witnesses: WitnessArgs,
    /// Live or sandbox.
    #[command(flatten)]
    pub environment: EnvironmentArgs,
    /// Which outside hosts may be asked.
    #[command(flatten)]
    pub outbound: OutboundArgs,
    /// Payouts by Stripe.
    #[command(flatten)]
    pub stripe: StripeArgs,
    /// Who may ask, and how much.
    #[command(flatten)]
    pub edge: EdgeArgs,
}

/// What a worker needs; it answers nobody.
#[derive(Debug, Clone, Args)]
pub struct WorkerArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// An address for GET /metrics (Prometheus), which asks for no login: loopback, or a network of your own. Default: not served.
    #[arg(long, env = "FLIP360_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// The name of the log: that of the services on this database.
    #[arg(long, env = "FLIP360_LOG_ORIGIN", default_value = "flip360.local/log")]
    pub log_origin: String,
    /// Who witnesses the log.
    #[command(flatten)]
    pub witnesses: WitnessArgs,
    /// Live or sandbox.
    #[command(flatten)]
    pub environment: EnvironmentArgs,
    /// Which outside hosts may be asked.
    #[command(flatten)]
    pub outbound: OutboundArgs,
    /// Payouts by Stripe.
    #[command(flatten)]
    pub stripe: StripeArgs,
}

impl From<&WorkerArgs> for ServeArgs {
    /// The settings of a service that listens nowhere.
    fn from(args: &WorkerArgs) -> Self {
        let WorkerArgs { database, metrics_listen, log_origin, witnesses, environment, outbound, stripe } =
            args.clone();
        Self {
            database,
            listen: ([127, 0, 0, 1], 0).into(),
            metrics_listen,
            public_url: None,
            log_origin,
            log_memory_mib: 0,
            no_workers: false,
            witnesses,
            environment,
            outbound,
            stripe,
            edge: EdgeArgs::default(),
        }
    }
}

/// Who witnesses the log.
#[derive(Debug, Clone, Default, Args)]
pub struct WitnessArgs {
    /// A file (C2SP tlog-policy) with the witnesses of the log, where each is asked, and how many must have cosigned. Default: nobody is asked.
    #[arg(long = "witnesses", env = "FLIP360_WITNESSES", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Which of two services this is.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct EnvironmentArgs {
    /// live or sandbox. A sandbox has a database, a data directory, keys and a log name of its own; its tokens and secrets are refused by the live service, and the reverse.
    #[arg(long, env = "FLIP360_ENVIRONMENT", default_value = "live", value_parser = environment)]
    pub environment: Environment,
}

fn environment(text: &str) -> Result<Environment, String> {
    Environment::parse(text).ok_or_else(|| "expected live or sandbox".to_owned())
}

/// Who may ask the service, and how much. By default of the type nobody is limited, as tests and
/// demonstrations want it; the command line has another default.
#[derive(Debug, Clone, Default, Args)]
pub struct EdgeArgs {
    /// Requests a minute that are taken from one caller: a token, or an address without one. 0: any number.
    #[arg(long, env = "FLIP360_RATE_LIMIT_PER_MINUTE", default_value_t = 6_000)]
    pub rate_limit_per_minute: u32,
    /// An origin whose web pages may ask, such as https://portal.example.com; repeated, or separated by commas.
    #[arg(long = "cors-origin", env = "FLIP360_CORS_ORIGIN", value_delimiter = ',', value_parser = crate::http::cors::origin)]
    pub cors_origins: Vec<String>,
    /// Connections that one address may hold open. 0: any number, as behind a proxy that counts for itself.
    #[arg(long, env = "FLIP360_CONNECTIONS_PER_PEER", default_value_t = 512)]
    pub connections_per_peer: usize,
    /// Seconds until the answer to a request must begin; 503 after that. 0: any number.
    #[arg(long, env = "FLIP360_REQUEST_SECONDS", default_value_t = 60)]
    pub request_seconds: u64,
    /// Seconds that a leaf may wait for the log; 429 to what would add more, after that. 0: any number.
    #[arg(long, env = "FLIP360_BACKLOG_SECONDS", default_value_t = 2)]
    pub backlog_seconds: u64,
}

/// Which outside hosts may be asked: webhook endpoints, outside issuers.
#[derive(Debug, Clone, Args)]
pub struct OutboundArgs {
    /// For development: lets webhooks and questions to outside issuers go to private and loopback addresses, to any port, and without TLS.
    #[arg(long, env = "FLIP360_ALLOW_PRIVATE_TARGETS")]
    pub allow_private_targets: bool,
    /// The ports that webhooks and questions to outside issuers may go to.
    #[arg(long, env = "FLIP360_TARGET_PORTS", value_delimiter = ',', default_value = "443,8443")]
    pub target_ports: Vec<u16>,
    /// A certificate (DER) that is trusted for outside hosts, beside the well-known ones.
    #[arg(long, env = "FLIP360_TARGET_ROOT")]
    pub target_root: Option<PathBuf>,
}

impl Default for OutboundArgs {
    fn default() -> Self {
        Self { allow_private_targets: false, target_ports: vec![443, 8443], target_root: None }
    }
}

/// How payouts go by Stripe Connect. Without a key none do.
#[derive(Debug, Clone, Args)]
pub struct StripeArgs {
    /// The secret or restricted key of our account at Stripe (sk_…, rk_…); a sandbox takes test-mode keys alone. Default: no payouts by Stripe.
    #[arg(long = "stripe-key", env = "FLIP360_STRIPE_KEY", hide_env_values = true)]
    pub key: Option<SecretKey>,
    /// Where Stripe is asked.
    #[arg(long = "stripe-url", env = "FLIP360_STRIPE_URL", default_value = "https://api.stripe.com")]
    pub url: String,
    /// The signing secrets of our webhook endpoint at Stripe (whsec_…), separated by commas while one takes the place of another.
    #[arg(
        long = "stripe-webhook-secret",
        env = "FLIP360_STRIPE_WEBHOOK_SECRETS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub webhook_secrets: Vec<HiddenText>,
    /// The page of ours to which Stripe sends payees who are done.
    #[arg(
        long = "stripe-return-url",
        env = "FLIP360_STRIPE_RETURN_URL",
        default_value = "https://example.com/stripe/done"
    )]
    pub return_url: String,
    /// The page of ours to which Stripe sends payees whose link is used up: it asks for a new one.
    #[arg(
        long = "stripe-refresh-url",
        env = "FLIP360_STRIPE_REFRESH_URL",
        default_value = "https://example.com/stripe/again"
    )]
    pub refresh_url: String,
}

impl Default for StripeArgs {
    fn default() -> Self {
        let page = |name: &str| format!("https://example.com/stripe/{name}");
        Self {
            key: None,
            url: "https://api.stripe.com".to_owned(),
            webhook_secrets: Vec::new(),
            return_url: page("done"),
            refresh_url: page("again"),
        }
    }
}

/// A setting that is shown nowhere.
#[derive(Clone)]
pub struct HiddenText(pub String);

impl std::fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

impl std::str::FromStr for HiddenText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// What `doctor` looks at.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Who witnesses the log.
    #[command(flatten)]
    pub witnesses: WitnessArgs,
    /// The address that the service would listen on.
    #[arg(long, env = "FLIP360_LISTEN", default_value = "127.0.0.1:8360")]
    pub listen: SocketAddr,
}

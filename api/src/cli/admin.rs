//! `flip360 admin`: what whoever runs the service does to it by hand.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use domain::access::audit::AuditRecord;
use domain::access::client::CreateApiClientInput;
use domain::access::standing::StandingInput;
use domain::access::user::CreateUserInput;
use domain::access::{AccessError, Actor, CreateApiClient, CreateUser, Environment, PasswordHasher as _, service};
use domain::chain::checkpoint::TreeHead;
use domain::chain::merkle::empty_root;
use domain::env::Env;
use domain::kernel::Faults;
use domain::kernel::time::Clock as _;
use domain::store::{Store, UnitOfWork};
use integrations::clock::SystemClock;
use integrations::ids::SystemIds;
use integrations::key_file::KeyFile;
use integrations::password::Argon2Hasher;
use integrations::password_rules::Zxcvbn;
use integrations::randomness::SystemRandomness;
use integrations::token_keys::TokenKeyFiles;
use persistence::{PgStore, PoolSizes};

use super::CommandError;
use super::database::{Database, Ownership};
use crate::config::{DatabaseArgs, EnvironmentArgs};

/// The longest password that is read, with what may follow it.
const LONGEST_INPUT: u64 = 1_024;

/// What is done by hand.
#[derive(Debug, Clone, Args)]
pub struct AdminArgs {
    /// What.
    #[command(subcommand)]
    pub command: AdminCommand,
}

/// What is done by hand.
#[derive(Debug, Clone, Subcommand)]
pub enum AdminCommand {
    /// Creates a user, who logs in with an e-mail address and a password. The password is read from standard input.
    ///
    /// Example: flip360 admin create-user --email ann@example.com --role finance < password.txt
    CreateUser {
        /// What the user logs in with.
        #[arg(long)]
        email: String,
        /// What the user is.
        #[command(flatten)]
        standing: StandingArgs,
        /// The database.
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Creates an API client and prints its id and secret, once.
    ///
    /// Example: flip360 admin create-client --name "Harbour portal" --role partner_admin --organisation org_01k…
    CreateClient {
        /// What people call it.
        #[arg(long)]
        name: String,
        /// What the client is.
        #[command(flatten)]
        standing: StandingArgs,
        /// Whether its secret is for the live service or for a sandbox.
        #[command(flatten)]
        environment: EnvironmentArgs,
        /// The database.
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Lets the next key sign access tokens. Nobody is logged out: tokens of the present key are good until they expire.
    ///
    /// Running services notice within a second. The keys are <data-dir>/keys/token.pem, token-next.pem and token-previous.pem.
    RotateTokenKey {
        /// Somebody else may have the present key: forget it, and with it every access token that was given.
        #[arg(long)]
        compromised: bool,
        /// Where the keys are: in its folder `keys`.
        #[arg(long, env = "FLIP360_DATA_DIR", default_value = ".flip360")]
        data_dir: PathBuf,
    },
}

/// What somebody is.
#[derive(Debug, Clone, Args)]
pub struct StandingArgs {
    /// A role; repeated for several: operator_admin, finance, approver, support, partner_admin, partner_agent, member, auditor, investor.
    #[arg(long = "role", required = true)]
    pub roles: Vec<String>,
    /// The organisation that it acts for; partners' roles need one.
    #[arg(long = "organisation")]
    pub organisation_id: Option<String>,
    /// The member that it is; only with the role `member`.
    #[arg(long = "member")]
    pub member_id: Option<String>,
}

impl From<&StandingArgs> for StandingInput {
    fn from(args: &StandingArgs) -> Self {
        let StandingArgs { roles, organisation_id, member_id } = args.clone();
        Self { roles: Some(roles), organisation_id, member_id }
    }
}

/// Does it.
///
/// # Errors
/// In words that say what to change.
pub fn run(args: &AdminArgs) -> Result<ExitCode, CommandError> {
    match &args.command {
        AdminCommand::CreateUser { email, standing, database } => create_user(email, standing, database)?,
        AdminCommand::CreateClient { name, standing, environment, database } => {
            create_client(name, standing, environment.environment, database)?;
        }
        AdminCommand::RotateTokenKey { compromised, data_dir } => {
            let files = TokenKeyFiles::new(&data_dir.join("keys"));
            let kid = match compromised {
                true => files.replace(&SystemRandomness),
                false => files.rotate(&SystemRandomness, SystemClock.now()),
            };
            let kid = kid.map_err(|error| CommandError::Other(error.to_string()))?;
            println!("Access tokens are signed with key {kid} from now on.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn create_user(email: &str, standing: &StandingArgs, database: &DatabaseArgs) -> Result<(), CommandError> {
    let mut password = String::new();
    std::io::stdin()
        .take(LONGEST_INPUT)
        .read_to_string(&mut password)
        .map_err(|cause| CommandError::File { doing: "reading the password".into(), cause })?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let input = CreateUserInput {
        email: Some(email.to_owned()),
        password: Some(password),
        standing: standing.into(),
        oidc: None,
    };
    let command = CreateUser::parse(&input, &Zxcvbn).map_err(|faults| told(&faults))?;
    let hash = Argon2Hasher::new().and_then(|hasher| hasher.hash(&command.password));
    let hash = hash.map_err(|error| CommandError::Other(error.to_string()))?;
    let user = as_service(database, Environment::Live, |uow, env| {
        let user = service::create_user(uow, env, &command, &hash)?;
        let record = AuditRecord::of_service(env, "create_user", (&user.id, user.id.uuid()), CAUSE.to_owned());
        uow.audit().append(&[record])?;
        Ok(user)
    })?;
    println!("{}", user.id);
    Ok(())
}

fn create_client(
    name: &str,
    standing: &StandingArgs,
    environment: Environment,
    database: &DatabaseArgs,
) -> Result<(), CommandError> {
    let input = CreateApiClientInput { name: Some(name.to_owned()), standing: standing.into() };
    let command = CreateApiClient::parse(&input).map_err(|faults| told(&faults))?;
    let made = as_service(database, environment, |uow, env| {
        let made = service::create_client(uow, env, &command)?;
        let id = made.client.id;
        let record = AuditRecord::of_service(env, "create_api_client", (&id, id.uuid()), CAUSE.to_owned());
        uow.audit().append(&[record])?;
        Ok(made)
    })?;
    let file = serde_json::json!({"client_id": made.client.id.to_string(), "client_secret": made.secret.reveal()});
    println!("{file:#}");
    Ok(())
}

/// What the audit log names as the cause.
const CAUSE: &str = "flip360 admin";

/// Does something as the service itself.
fn as_service<R>(
    database: &DatabaseArgs,
    environment: Environment,
    work: impl FnMut(&mut dyn UnitOfWork, &Env<'_>) -> Result<R, AccessError>,
) -> Result<R, CommandError> {
    let mut work = work;
    let platform = KeyFile::open(&database.data_dir.join("keys/platform.pem"))
        .map_err(|error| CommandError::Other(format!("{error}; has `flip360 serve` run with this --data-dir?")))?;
    let opened = Database::open(database, Ownership::Shared)?;
    let store = PgStore::new(&opened.url, PoolSizes { writers: 1, readers: 1 });
    let store: &dyn Store = &store;
    let actor = Actor::service();
    let env = Env {
        now: SystemClock.now(),
        actor: &actor,
        ids: &SystemIds,
        randomness: &SystemRandomness,
        origin: "",
        platform: &platform,
        seen: TreeHead { size: 0, root: empty_root() },
        environment,
    };
    let done = store.transaction(|uow| work(uow, &env)).map_err(|error| match error {
        AccessError::Invalid(faults) => told(&faults),
        other => CommandError::Other(other.to_string()),
    });
    opened.stop()?;
    done
}

/// Every fault, by the name of its option.
fn told(faults: &Faults) -> CommandError {
    let line = |fault: &domain::kernel::Fault| format!("{}: {}", fault.pointer.trim_start_matches('/'), fault.detail);
    CommandError::Other(faults.0.iter().map(line).collect::<Vec<_>>().join("\n"))
}

//! Where the demonstration runs: a service of its own that is gone afterwards, or one that is named.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use domain::access::client::CreateApiClientInput;
use domain::access::service::create_client;
use domain::access::standing::StandingInput;
use domain::access::{AccessError, Actor, CreateApiClient, Role};
use domain::kernel::time::Clock;
use integrations::clock::SystemClock;
use persistence::{PgStore, PoolSizes};

use super::client::Credentials;
use super::{DemoArgs, DemoError};
use crate::app::App;
use crate::assembly;
use crate::cli::CommandError;
use crate::cli::database::{Database, Ownership};
use crate::config::{DatabaseArgs, EdgeArgs, EnvironmentArgs, OutboundArgs, ServeArgs, WitnessArgs};
use crate::workers::{Shifts, Workers};

/// A service that can be called.
pub struct Site {
    /// Its address.
    pub base: String,
    /// Its administrator.
    pub administrator: Credentials,
    /// Who approves: a client that the administrator does not hold, since two people approve money.
    pub approver: Credentials,
    own: Option<Own>,
}

/// A service of our own.
struct Own {
    server: (ServerHandle, JoinHandle<std::io::Result<()>>),
    workers: Workers,
    app: Data<App>,
    database: Database,
    data_dir: PathBuf,
}

impl Site {
    /// Starts a service in an empty directory below the system's temporary one, or takes the named one.
    ///
    /// # Errors
    /// When it does not start, or the administrator's file cannot be read.
    pub fn open(args: &DemoArgs) -> Result<Self, DemoError> {
        if let Some(base) = &args.server {
            let file =
                args.admin.as_ref().ok_or_else(|| DemoError::Step("--server needs --admin <admin.json>".into()))?;
            let second = args.approver.as_ref();
            let second = second.ok_or_else(|| DemoError::Step("--server needs --approver <approver.json>".into()))?;
            let base = base.trim_end_matches('/').to_owned();
            return Ok(Self { base, administrator: credentials(file)?, approver: credentials(second)?, own: None });
        }
        let data_dir = std::env::temp_dir().join(format!("flip360-demo-{}", std::process::id()));
        if data_dir.exists() {
            std::fs::remove_dir_all(&data_dir).map_err(|e| DemoError::file("emptying", &data_dir, e))?;
        }
        Self::start(data_dir)
    }

    fn start(data_dir: PathBuf) -> Result<Self, DemoError> {
        let serve = ServeArgs {
            database: DatabaseArgs { data_dir: data_dir.clone(), database_url: None, migrate_url: None },
            metrics_listen: None,
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: Some("http://flip360.demo".to_owned()),
            log_origin: "flip360.demo/log".to_owned(),
            log_memory_mib: crate::app::LOG_MEMORY_MIB,
            no_workers: false,
            witnesses: WitnessArgs::default(),
            environment: EnvironmentArgs::default(),
            outbound: OutboundArgs::default(),
            stripe: crate::config::StripeArgs::default(),
            edge: EdgeArgs::default(),
        };
        let database = Database::open(&serve.database, Ownership::Required)?;
        database.prepare(SystemClock.now())?;
        let store = Arc::new(PgStore::new(&database.url, PoolSizes::default()));
        let app = App::new(assembly::ports(&serve, store)?).map_err(|e| CommandError::Other(e.to_string()))?;
        let app = Data::new(app);
        assembly::administrator(&app, &data_dir)?;
        let approver = second_person(&app)?;
        let workers = Workers::start(&app, &Shifts::all(&data_dir))
            .map_err(|e| DemoError::file("starting workers in", &data_dir, e))?;
        let (base, server) = listen(app.clone(), &data_dir)?;
        let administrator = credentials(&data_dir.join("admin.json"))?;
        Ok(Self { base, administrator, approver, own: Some(Own { server, workers, app, database, data_dir }) })
    }

    /// The name of its log.
    ///
    /// # Errors
    /// When the service is away.
    pub fn origin(&self) -> Result<String, DemoError> {
        let path = "/v1/chain/keys";
        let url = format!("{}{path}", self.base);
        let mut answer = ureq::get(&url).call().map_err(|e| DemoError::away(path, &e))?;
        let keys: serde_json::Value = answer.body_mut().read_json().map_err(|e| DemoError::away(path, &e))?;
        super::text(&keys, "origin")
    }

    /// Stops a service of our own and removes what it kept.
    ///
    /// # Errors
    /// When it does not stop in order.
    pub fn close(self) -> Result<(), DemoError> {
        let Some(own) = self.own else { return Ok(()) };
        let (handle, thread) = own.server;
        actix_web::rt::System::new().block_on(handle.stop(true));
        let served = thread.join().map_err(|_| DemoError::Step("the server panicked".into()))?;
        served.map_err(|e| DemoError::file("serving from", &own.data_dir, e))?;
        own.workers.stop();
        drop(own.app);
        own.database.stop()?;
        std::fs::remove_dir_all(&own.data_dir).map_err(|e| DemoError::file("removing", &own.data_dir, e))
    }
}

/// An approver whom nobody holds, as `flip360 admin create-client` makes one.
fn second_person(app: &App) -> Result<Credentials, DemoError> {
    let service = Actor::service();
    let input = CreateApiClientInput {
        name: Some("Demonstration: approver".to_owned()),
        standing: StandingInput { roles: Some(vec![Role::Approver.as_str().to_owned()]), ..StandingInput::default() },
    };
    let command = CreateApiClient::parse(&input).map_err(AccessError::Invalid);
    let made = command
        .and_then(|command| app.store.transaction(|uow| create_client(uow, &app.env(&service), &command)))
        .map_err(|error| CommandError::Other(error.to_string()))?;
    Ok(Credentials { id: made.client.id.to_string(), secret: made.secret.reveal().to_owned() })
}

type Listening = (String, (ServerHandle, JoinHandle<std::io::Result<()>>));

fn listen(app: Data<App>, data_dir: &Path) -> Result<Listening, DemoError> {
    let (started, ready) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let (server, address) = crate::server::start(app, ([127, 0, 0, 1], 0).into(), &EdgeArgs::default())?;
            // The receiver waits for it.
            let _ = started.send((format!("http://{address}"), server.handle()));
            server.await
        })
    });
    let away = |_| DemoError::file("serving from", data_dir, std::io::Error::other("the server did not start"));
    let (base, handle) = ready.recv().map_err(away)?;
    Ok((base, (handle, thread)))
}

fn credentials(path: &Path) -> Result<Credentials, DemoError> {
    let text = std::fs::read(path).map_err(|e| DemoError::file("reading", path, e))?;
    let file: serde_json::Value = serde_json::from_slice(&text)?;
    let field = |name: &str| {
        let text = file[name].as_str().map(str::to_owned);
        text.ok_or_else(|| DemoError::Step(format!("{} has no {name}", path.display())))
    };
    Ok(Credentials { id: field("client_id")?, secret: field("client_secret")? })
}

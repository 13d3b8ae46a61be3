//! `flip360 witness`: a witness of logs, for partners and auditors to run (C2SP tlog-witness). It needs no database.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use domain::chain::cosignature::WitnessKey;
use domain::chain::note::VerifierKey;
use domain::chain::signer::Signer as _;
use integrations::clock::SystemClock;
use integrations::key_file::KeyFile;
use integrations::randomness::SystemRandomness;
use integrations::witness_state::WitnessState;

use super::CommandError;
use super::serve::Stop;
use crate::cosigning::{self, Cosigner};

/// Which witness, of which logs.
#[derive(Debug, Clone, Args)]
pub struct WitnessArgs {
    /// Its private key (Ed25519, PKCS#8 in PEM, mode 0600); made when there is none. It is used for nothing else.
    #[arg(long, env = "FLIP360_WITNESS_KEY", value_name = "FILE")]
    pub key: PathBuf,
    /// Its name: a URL without the scheme that is yours, such as witness.example.com/w1. It can never be changed.
    #[arg(long, env = "FLIP360_WITNESS_NAME", default_value = "flip360.local/witness")]
    pub name: String,
    /// Where it remembers what it cosigned. Never put an older copy back: it would cosign a forked log. It is made at the
    /// first start, with the key; a key that is there and a directory that is lost or empty are refused.
    #[arg(long, env = "FLIP360_WITNESS_STATE", value_name = "DIR")]
    pub state: PathBuf,
    /// Begins with an empty directory although the key is there: only for a key that never cosigned anything.
    #[arg(long)]
    pub new_state: bool,
    /// The verifier key of a log, as `GET /v1/chain/keys` shows it (`log_key`); repeated for several logs or keys.
    #[arg(long = "log-key", value_name = "VKEY", required = true, value_parser = log_key)]
    pub logs: Vec<VerifierKey>,
    /// The address to listen on.
    #[arg(long, env = "FLIP360_WITNESS_LISTEN", default_value = "127.0.0.1:8361")]
    pub listen: SocketAddr,
}

fn log_key(text: &str) -> Result<VerifierKey, String> {
    VerifierKey::parse(text).map_err(|error| error.to_string())
}

/// Witnesses until it is told to stop.
///
/// # Errors
/// When the key, the state or the address cannot be had.
pub fn run(args: &WitnessArgs) -> Result<ExitCode, CommandError> {
    let other = |error: &dyn std::fmt::Display| CommandError::Other(error.to_string());
    // A key that is made now has cosigned nothing, so there is nothing to remember.
    let new = args.new_state
        || !args.key.try_exists().map_err(|cause| CommandError::File { doing: "looking for the key".into(), cause })?;
    let signer = KeyFile::open_or_create(&args.key, &SystemRandomness).map_err(|e| other(&e))?;
    let key = WitnessKey::try_new(&args.name, signer.public_key()).map_err(|e| other(&e))?;
    if let Some(log) = args.logs.iter().find(|log| log.key() == key.key()) {
        return Err(CommandError::Other(format!("{log} is this witness's own key: nobody witnesses for himself")));
    }
    let state = WitnessState::open(&args.state, &key.to_string(), new).map_err(|e| other(&e))?;
    println!("Its verifier key is {key}");
    let logs = args.logs.clone();
    let cosigner = Cosigner { key, signer: Box::new(signer), logs, state, clock: Arc::new(SystemClock) };
    actix_web::rt::System::new().block_on(async {
        let stop = Stop::new().map_err(|cause| CommandError::File { doing: "listening for signals".into(), cause })?;
        let listen = |cause| CommandError::Listen { address: args.listen, cause };
        let (server, address) = cosigning::start(cosigner, args.listen).map_err(listen)?;
        let handle = server.handle();
        let stopper = actix_web::rt::spawn(async move {
            stop.wanted().await;
            handle.stop(true).await;
        });
        println!("The witness is ready at http://{address}. Ctrl-C stops it.");
        let served = server.await.map_err(listen);
        stopper.abort();
        served
    })?;
    println!("Stopped.");
    Ok(ExitCode::SUCCESS)
}

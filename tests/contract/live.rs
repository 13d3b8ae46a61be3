//! A service for clients that somebody else made: the time is now, its workers work, and there is a login and
//! a key for everybody who takes part in a deal.

use std::process::Command;

use api::workers::{Shifts, Workers};
use domain::chain::signer::Signer as _;
use domain::chain::statement::PartyId;
use domain::kernel::ids::OrganisationId;
use domain::kernel::time::Clock as _;
use harness::platform::{MemorySigner, ORIGIN};
use harness::server::Service;
use harness::signing::registration;
use integrations::clock::SystemClock;
use serde_json::{Value, json};

/// The seeds of the partners' keys.
const INTRODUCER: u8 = 31;
const PROVIDER: u8 = 32;

/// The service.
pub struct Live {
    /// Its API and its database.
    pub service: Service,
    workers: Option<Workers>,
    /// Who takes part: `introducer`, `provider`, `finance`, `approver`.
    parties: Value,
}

impl Live {
    /// Starts it.
    pub fn start() -> Self {
        let service = Service::start();
        service.clock.set(SystemClock.now());
        let workers = Workers::start(&service.app, &Shifts::alone()).expect("threads");
        let (introducer, provider) = (service.platform.introducer, service.platform.provider);
        let mut parties = json!({
            "introducer": login(&service, "partner_admin", Some(introducer)),
            "provider": login(&service, "partner_admin", Some(provider)),
            "finance": login(&service, "finance", None),
            "approver": login(&service, "approver", None),
        });
        for (party, organisation, seed) in [("introducer", introducer, INTRODUCER), ("provider", provider, PROVIDER)] {
            let key = MemorySigner::new(seed);
            let body = json!({"registration": registration(PartyId::organisation(organisation), &key, ORIGIN)});
            let _ = service.post("/v1/signing-keys", &service.stranger_of(organisation), &body).expect(201);
            parties[party]["kid"] = key.kid().to_string().into();
            // PKCS #8 of an Ed25519 key (RFC 8410, 7) is this and the seed.
            let mut pkcs8 = hex::decode("302e020100300506032b657004220420").expect("hexadecimal");
            pkcs8.extend([seed; 32]);
            let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pkcs8);
            parties[party]["private_key"] =
                format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n").into();
        }
        let account = json!({
            "name": "Commission account", "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500",
            "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true,
            "account": {"bsb": "062-000", "account_number": "12345678", "account_name": "FLIP 360 PTY LTD"}
        });
        let account = service.post("/v1/bank-accounts", &service.operator(), &account).expect(201);
        parties["bank_account_id"] = account["id"].clone();
        Self { service, workers: Some(workers), parties }
    }

    /// Tells a program where the service is and who it may be.
    pub fn tell(&self, program: &mut Command) {
        program.env("FLIP360_URL", &self.service.url).env("FLIP360_PARTIES", self.parties.to_string());
    }

    /// One of those who take part.
    pub fn party(&self, name: &str) -> &Value {
        &self.parties[name]
    }
}

fn login(service: &Service, role: &str, organisation: Option<OrganisationId>) -> Value {
    let mut body = json!({"name": format!("Story: {role}"), "roles": [role]});
    if let Some(organisation) = organisation {
        body["organisation_id"] = organisation.to_string().into();
    }
    let made = service.post("/v1/api-clients", &service.operator(), &body).expect(201);
    json!({
        "client_id": made["id"], "client_secret": made["client_secret"],
        "organisation_id": organisation.map(|organisation| organisation.to_string())
    })
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(workers) = self.workers.take() {
            workers.stop();
        }
    }
}

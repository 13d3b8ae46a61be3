//! Step 1: onboard the partner and its members, exchange keys.

use std::collections::BTreeMap;

use domain::chain::signer::Signer;
use domain::chain::statement::{Assurance, KeyRegistration, PartyId, Salt, Statement, VERSION};
use domain::directory::sample;
use domain::kernel::ids::OrganisationId;
use domain::kernel::time::Randomness;
use integrations::key_file::KeyFile;
use integrations::randomness::SystemRandomness;
use serde_json::{Value, json};

use super::client::{Client, Credentials};
use super::site::Site;
use super::{DemoError, Say, text};

/// Everybody who takes part, each with a login of their own.
pub struct People {
    /// The operator's administrator.
    pub administrator: Client,
    /// Prepares and executes payouts.
    pub finance: Client,
    /// Approves what others propose.
    pub approver: Client,
    /// Reads everything, writes nothing.
    pub auditor: Client,
    /// The introducer, whose members refer.
    pub introducer: Partner,
    /// The provider, who sells.
    pub provider: Partner,
    /// Members by their reference.
    pub members: BTreeMap<String, String>,
}

/// A partner: its login and its key.
pub struct Partner {
    /// `org_…`
    pub id: String,
    /// Its administrator's login.
    pub client: Client,
    /// Its signing key; the private half never leaves this process.
    pub key: KeyFile,
}

/// One row of the members' file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// What the introducer calls the member.
    pub member_ref: String,
    /// Who stands above.
    pub upline_ref: Option<String>,
}

/// Reads `member_ref,upline_ref` and puts everybody after those above them.
///
/// # Errors
/// When the file has other columns, or an upline that is nowhere.
pub fn read_members(file: &[u8]) -> Result<Vec<MemberRow>, DemoError> {
    let text = std::str::from_utf8(file).map_err(|_| DemoError::Step("the members' file is not UTF-8".into()))?;
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    if lines.next().map(str::trim) != Some("member_ref,upline_ref") {
        return Err(DemoError::Step("the members' file starts with `member_ref,upline_ref`".into()));
    }
    let mut waiting: Vec<MemberRow> = lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (member, upline) = line.split_once(',').unwrap_or((line, ""));
            let upline = Some(upline.trim().to_owned()).filter(|upline| !upline.is_empty());
            MemberRow { member_ref: member.trim().to_owned(), upline_ref: upline }
        })
        .collect();
    let mut ordered: Vec<MemberRow> = Vec::with_capacity(waiting.len());
    let mut placed = std::collections::BTreeSet::new();
    while !waiting.is_empty() {
        let (ready, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|row| row.upline_ref.as_ref().is_none_or(|upline| placed.contains(upline)));
        if let (true, Some(first)) = (ready.is_empty(), rest.first()) {
            return Err(DemoError::Step(format!("member {} has an upline that is nowhere", first.member_ref)));
        }
        placed.extend(ready.iter().map(|row| row.member_ref.clone()));
        ordered.extend(ready);
        waiting = rest;
    }
    Ok(ordered)
}

/// Onboards everybody.
///
/// # Errors
/// What the service refuses.
pub fn onboard(site: &Site, rows: &[MemberRow], say: &Say) -> Result<People, DemoError> {
    let run = format!("demo-{}", std::process::id());
    let administrator = Client::log_in(&site.base, &site.administrator, &run)?;
    let staff = |role: &str| login(site, &administrator, &run, role, None);
    let (finance, auditor) = (staff("finance")?, staff("auditor")?);
    let approver = Client::log_in(&site.base, &site.approver, &run)?;
    say.line("three people of the operator: one prepares payouts, another approves them, a third audits");
    let introducer = partner(site, &administrator, &run, "introducer", "Harbour Referrals Pty Ltd")?;
    let provider = partner(site, &administrator, &run, "provider", "First Provider Bank Ltd")?;
    say.line(&format!("keys exchanged: introducer {}, provider {}", introducer.key.kid(), provider.key.kid()));
    let mut members = BTreeMap::new();
    for (n, row) in (1_u32..).zip(rows) {
        let id = member(&introducer, row, &members, n)?;
        members.insert(row.member_ref.clone(), id);
        say.progress("members onboarded, each with a payee", n as usize, rows.len());
    }
    Ok(People { administrator, finance, approver, auditor, introducer, provider, members })
}

/// A login of its own for a role.
fn login(
    site: &Site,
    administrator: &Client,
    run: &str,
    role: &str,
    organisation: Option<&str>,
) -> Result<Client, DemoError> {
    let mut body = json!({"name": format!("Demonstration: {role}"), "roles": [role]});
    if let Some(organisation) = organisation {
        body["organisation_id"] = organisation.into();
    }
    let made = administrator.post("/v1/api-clients", &body)?;
    let credentials = Credentials { id: text(&made, "id")?, secret: text(&made, "client_secret")? };
    Client::log_in(&site.base, &credentials, run)
}

fn partner(site: &Site, administrator: &Client, run: &str, kind: &str, name: &str) -> Result<Partner, DemoError> {
    let made = administrator.post("/v1/organisations", &json!({"kind": kind, "name": name}))?;
    let id = text(&made, "id")?;
    let client = login(site, administrator, run, "partner_admin", Some(&id))?;
    let key = KeyFile::draw(&SystemRandomness).map_err(|e| DemoError::Step(e.to_string()))?;
    let organisation = OrganisationId::parse(&id).map_err(|e| DemoError::Step(e.to_string()))?;
    let registration = registration(site, PartyId::organisation(organisation), &key)?;
    client.post("/v1/signing-keys", &json!({"registration": registration}))?;
    Ok(Partner { id, client, key })
}

/// The proof that a party holds its key: a registration signed by that very key.
fn registration(site: &Site, party: PartyId, key: &KeyFile) -> Result<String, DemoError> {
    let statement = Statement::KeyRegistration(KeyRegistration {
        assurance: Assurance::Own,
        jwk: key.public_key().jwk(),
        kid: key.kid(),
        log: site.origin()?,
        next: None,
        party,
        salt: salt(),
        v: VERSION,
    });
    statement.sign(key).map_err(|e| DemoError::Step(e.to_string()))
}

/// 32 random bytes for a statement.
#[must_use]
pub fn salt() -> Salt {
    let mut bytes = [0; 32];
    SystemRandomness.fill(&mut bytes);
    Salt(bytes)
}

/// A contact, a member and a payee, the numbers made up but well-formed.
fn member(
    introducer: &Partner,
    row: &MemberRow,
    known: &BTreeMap<String, String>,
    n: u32,
) -> Result<String, DemoError> {
    let client = &introducer.client;
    let name = format!("Member {}", row.member_ref);
    let person = json!({"organisation_id": introducer.id, "kind": "person", "name": name});
    let contact = text(&client.post("/v1/contacts", &person)?, "id")?;
    let mut body = json!({"organisation_id": introducer.id, "contact_id": contact, "member_ref": row.member_ref});
    if let Some(upline) = row.upline_ref.as_ref().and_then(|upline| known.get(upline)) {
        body["upline_id"] = Value::from(upline.clone());
    }
    let member = text(&client.post("/v1/members", &body)?, "id")?;
    let bsb = sample::BSBS[n as usize % sample::BSBS.len()].to_string();
    let payee = json!({
        "organisation_id": introducer.id, "legal_name": name, "abn": sample::abn(n).to_string(), "member_id": member,
        "from_on": "2020-01-01",
        "bank_account": {"bsb": bsb, "account_number": sample::account(n).to_string(), "account_name": name}
    });
    client.post("/v1/payees", &payee)?;
    Ok(member)
}

/// A member who is in no export, for the new referral. Returns its id.
///
/// # Errors
/// What the service refuses.
pub fn referrer(people: &People) -> Result<String, DemoError> {
    let row = MemberRow { member_ref: super::deals::REFERRER.to_owned(), upline_ref: None };
    let n = u32::try_from(people.members.len()).unwrap_or(0) + 1;
    member(&people.introducer, &row, &people.members, n)
}

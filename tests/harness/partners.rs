//! Two partners that both have one of everything, and everybody who could ask for it.
//!
//! The first partner's world is the platform's own: its introducer, its provider, the example export. The second is
//! as real, and has nothing to do with the first. What belongs to a partner here belongs to its introducer and, where
//! members have such things, to one member of it.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::Role;
use domain::chain::signer::Signer;
use domain::chain::statement::{Assurance, KeyRegistration, PartyId, Salt, Statement, VERSION};
use domain::directory::organisation::{OrganisationKind, OrganisationStatus};
use domain::directory::{LegalName, Organisation};
use domain::kernel::id::{IdSource, encode};
use domain::kernel::ids::{MemberId, OrganisationId, PayeeId};
use domain::payouts::stripe::{AccountName, KeptAccount};
use serde_json::json;
use uuid::Uuid;

use crate::owned;
use crate::platform::{MemorySigner, ORIGIN, Platform};
use crate::server::Service;

/// A deal of the second partner that is paid, one that is won, one that is new.
const EXPORT: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on
TWO-1,T2,Secret Client One,FIXED-3Y,2025-05-15,2025-06-14,2025-08-05,500000.00,0.00,
TWO-2,T2,Secret Client Two,FIXED-3Y,2026-09-20,2026-10-21,,,,
TWO-3,T1,Secret Client Three,VARIABLE-OO,2026-10-19,,,,,
";
const MEMBERS: &str = "member_ref,upline_ref\nT1,\nT2,T1\nT3,T2\n";

/// Who asks: a role, a browser with an embed token, or nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asker {
    /// An API client with this role.
    Has(Role),
    /// A page that reads as the partner's member.
    Embed,
    /// Somebody without a token.
    Nobody,
}

impl Asker {
    /// Everybody who could ask.
    #[must_use]
    pub fn all() -> Vec<Self> {
        Role::ALL.into_iter().map(Self::Has).chain([Self::Embed, Self::Nobody]).collect()
    }

    /// Operator staff and auditors; nobody else may ever be told what is another's.
    #[must_use]
    pub const fn sees_everything(self) -> bool {
        use Role::{Approver, Auditor, Finance, OperatorAdmin, Support};
        matches!(self, Self::Has(OperatorAdmin | Finance | Approver | Support | Auditor))
    }
}

/// A partner, and one of everything that is its own.
#[derive(Debug, Clone)]
pub struct Partner {
    /// Whose members refer.
    pub introducer: OrganisationId,
    /// Who sells to them.
    pub provider: OrganisationId,
    /// The member to whom what members have belongs.
    pub member: MemberId,
    /// Its real id for each prefix, and what else requests name of it: its `provider`, a member without a key
    /// (`keyless`), the member's `kid` and `registration`. What belongs to no partner is the same for both.
    pub ids: BTreeMap<&'static str, String>,
    /// The second halves of the ids of all that is its own and nobody else's.
    pub own: BTreeSet<String>,
}

/// A service with two partners.
pub struct Site {
    /// The service.
    pub service: Service,
    /// The first partner.
    pub ours: Partner,
    /// The second.
    pub theirs: Partner,
    /// A token of a page that reads as the first partner's member.
    pub embed: String,
}

impl Site {
    /// Everything, twice.
    #[must_use]
    pub fn open() -> Self {
        let mut platform = Platform::new();
        crate::site::import_example(&platform);
        let first = (platform.introducer, platform.provider);
        let second = second_partner(&mut platform);
        (platform.introducer, platform.provider) = first;
        let service = crate::site::served(platform);
        let [ours, theirs] = [first, second].map(|(introducer, provider)| own(&service, introducer, provider));
        let embed = json!({
            "member_id": ours.member.to_string(), "expires_in": 3600,
            "scopes": Role::Member.scopes().iter().map(|s| s.as_str()).filter(|s| s.ends_with(":read")).collect::<Vec<_>>()
        });
        let embed = service.post("/v1/embed-tokens", &service.partner(), &embed).expect(200);
        let embed = embed["access_token"].as_str().expect("a token").to_owned();
        let _ = service.dispatch();
        for partner in [&ours, &theirs] {
            crate::told::again(&service, &partner.ids["pstatement"]);
        }
        Self { service, ours, theirs, embed }
    }

    /// The token of somebody at the first partner's; none for nobody.
    #[must_use]
    pub fn token(&self, asker: Asker) -> Option<String> {
        let Partner { introducer, member, .. } = self.ours;
        match asker {
            Asker::Nobody => None,
            Asker::Embed => Some(self.embed.clone()),
            Asker::Has(Role::Member) => Some(self.service.token(&[Role::Member], Some(introducer), Some(member))),
            Asker::Has(role) if role.is_of_partner() => Some(self.service.token(&[role], Some(introducer), None)),
            Asker::Has(role) => Some(self.service.token(&[role], None, None)),
        }
    }

    /// Ids as good as [`Partner::ids`], of nothing at all.
    #[must_use]
    pub fn nothing(&self) -> BTreeMap<&'static str, String> {
        let fresh = |prefix: &&'static str| match *prefix {
            "kid" => MemorySigner::new(77).kid(),
            "registration" => {
                registration(PartyId::member(MemberId::new(self.service.app.ids.next())), &MemorySigner::new(78))
            }
            "provider" => OrganisationId::new(self.service.app.ids.next()).to_string(),
            "keyless" => MemberId::new(self.service.app.ids.next()).to_string(),
            prefix => format!("{prefix}_{}", encode(self.service.app.ids.next())),
        };
        self.ours.ids.keys().map(|prefix| (*prefix, fresh(prefix))).collect()
    }

    /// The first partner's ids under names that they do not have.
    #[must_use]
    pub fn misnamed(&self) -> BTreeMap<&'static str, String> {
        let other = |prefix: &'static str, id: &String| match id.rsplit_once('_') {
            Some((_, suffix)) if prefix == "deal" => format!("event_{suffix}"),
            Some((_, suffix)) => format!("deal_{suffix}"),
            None => id.clone(),
        };
        self.ours.ids.iter().map(|(prefix, id)| (*prefix, other(prefix, id))).collect()
    }
}

/// Another introducer and another provider with deals of their own.
fn second_partner(platform: &mut Platform) -> (OrganisationId, OrganisationId) {
    let organisation = |kind, name| Organisation {
        id: OrganisationId::new(platform.ids.next()),
        kind,
        name: LegalName::parse(name).expect("a name"),
        abn: None,
        external_ref: None,
        status: OrganisationStatus::Active,
    };
    let introducer = organisation(OrganisationKind::Introducer, "Secret Referrals Pty Ltd");
    let provider = organisation(OrganisationKind::Provider, "Secret Bank Ltd");
    platform
        .store()
        .transaction(|uow| {
            uow.directory().insert_organisation(&introducer, platform.now)?;
            uow.directory().insert_organisation(&provider, platform.now)
        })
        .expect("the organisations are kept");
    (platform.introducer, platform.provider) = (introducer.id, provider.id);
    platform.onboard(MEMBERS);
    let report = platform.import(EXPORT.as_bytes());
    assert_eq!((report.created, report.refused.len()), (3, 0), "{report:?}");
    (introducer.id, provider.id)
}

/// Everything that a partner makes by itself over HTTP, then one of each of its things.
fn own(service: &Service, introducer: OrganisationId, provider: OrganisationId) -> Partner {
    let paid = "select l.member_id as id from payout_line p join commission_line l on l.id = p.line_id join deal d on d.id = l.deal_id
        where d.introducer_id = $org and d.member_id = l.member_id order by d.id limit 1";
    let member = MemberId::new(the(service, paid, introducer, None));
    let token = service.token(&[Role::PartnerAdmin], Some(introducer), None);
    let client = if introducer == service.platform.introducer { "Jane Citizen" } else { "Secret Person" };
    refer(service, &token, (member, provider), client);
    let key = MemorySigner::new(introducer.uuid().as_bytes()[15]);
    let registration = registration(PartyId::member(member), &key);
    let itself = service.token(&[Role::Member], Some(introducer), Some(member));
    let _ = service.post("/v1/signing-keys", &itself, &json!({"registration": registration})).expect(201);
    let operator = service.operator();
    let organisation = introducer.to_string();
    let cohort = json!({"organisation_id": organisation, "code": "2026", "name": "Those of 2026"});
    let _ = service.post("/v1/cohorts", &token, &cohort).expect(201);
    let licence = json!({"kind": "credit", "number": "389328", "jurisdiction": "AU", "valid_from": "2024-07-01"});
    let _ = service.post(&format!("/v1/organisations/{organisation}/licences"), &operator, &licence).expect(201);
    let payee = id(
        "payee",
        the(
            service,
            "select payee_id as id from member_payee where member_id = $member limit 1",
            introducer,
            Some(member),
        ),
    );
    at_stripe(service, &payee, introducer);
    let account = json!({"bsb": "062-000", "account_number": "87654321", "account_name": "Another account"});
    let _ = service.post(&format!("/v1/payees/{payee}/bank-details"), &token, &account).expect(201);
    let accepted_by =
        id("contact", the(service, "select contact_id as id from member where id = $member", introducer, Some(member)));
    let agreement =
        json!({"wording_version": "2026-1", "accepted_by_contact_id": accepted_by, "accepted_on": "2026-07-01"});
    let _ = service.post(&format!("/v1/payees/{payee}/rcti-agreements"), &token, &agreement).expect(201);
    let client = json!({"name": "Their portal", "roles": ["partner_agent"], "organisation_id": organisation});
    let client = service.post("/v1/api-clients", &operator, &client).expect(201);
    let jwk = MemorySigner::new(introducer.uuid().as_bytes()[15] + 50).public_key().jwk();
    let keys = format!("/v1/api-clients/{}/keys", client["id"].as_str().expect("an id"));
    let _ = service.post(&keys, &operator, &json!({"jwk": jwk})).expect(201);
    let issuer = format!("https://login.{}.example", encode(introducer.uuid()));
    let issuer = json!({"issuer": issuer, "audience": "flip360", "organisation_id": organisation});
    let issuer = service.post("/v1/oidc-issuers", &operator, &issuer).expect(201);
    let user = json!({
        "email": format!("agent@{}.example", encode(introducer.uuid())), "password": "correct horse battery",
        "roles": ["partner_agent"], "organisation_id": organisation,
        "oidc": {"issuer_id": issuer["id"], "subject": "agent"}
    });
    let _ = service.post("/v1/users", &operator, &user).expect(201);
    let hook = json!({"url": "http://127.0.0.1:1/", "event_types": ["*"]});
    let hook = service.post("/v1/webhook-endpoints", &token, &hook).expect(201);
    let test = format!("/v1/webhook-endpoints/{}/test", hook["id"].as_str().expect("an id"));
    let _ = service.post(&test, &token, &json!({})).expect(202);
    crate::told::by(service, provider);
    put_aside(service, &payee, member);
    let other = "select id from payee where organisation_id = $org and id not in (select payee_id from member_payee where member_id = $member) order by id limit 1";
    let line = "select id from commission_line where member_id = $member and payee_id is not null order by id limit 1";
    let [other, line] = [other, line].map(|sql| the(service, sql, introducer, Some(member)));
    crate::assigned::by_hand(service, (&payee, other), (introducer, member), line);
    service.sequence();
    let _ = service.dispatch();
    let mut ids: BTreeMap<_, _> = owned::OWNED
        .iter()
        .map(|(prefix, sql)| (*prefix, id(prefix, the(service, sql, introducer, Some(member)))))
        .collect();
    ids.extend([("provider", provider.to_string()), ("kid", key.kid()), ("registration", registration)]);
    let own = ALL_OF.iter().flat_map(|sql| service.platform.ids_of(&filled(sql, introducer, Some(member))));
    let own = own.chain([introducer.uuid(), provider.uuid()]).map(encode).collect();
    Partner { introducer, provider, member, ids, own }
}

/// A file of returned payments and a bank statement, of which nothing is a payout.
pub(crate) fn take_back(service: &Service) {
    let finance = service.token(&[Role::Finance], None, None);
    let file = crate::bounced::file(&[crate::bounced::unknown("NOBODY KNOWS", 1)], "231126");
    let _ = service.upload("/v1/bank-returns", &finance, "text/plain", file.as_bytes()).expect(201);
    let statement = crate::camt::Statement {
        account: "06200012345678".into(),
        id: "STMT-1".into(),
        from: "2026-11-23".into(),
        to: "2026-11-23".into(),
        opening: 0,
        entries: vec![crate::camt::entry("2026-11-23", 1, "NOBODY KNOWS")],
    };
    let document = crate::camt::document("08", &[statement]);
    let _ = service.upload("/v1/bank-statements", &finance, "application/xml", document.as_bytes()).expect(201);
}

/// Money of the member is in question, and a plan by which its clawbacks are got back waits for a second person.
fn put_aside(service: &Service, payee: &str, member: MemberId) {
    let operator = service.operator();
    let line = format!(
        "select id from commission_line where member_id = '{}' and payee_id is not null order by id limit 1",
        member.uuid()
    );
    let line = id("line", service.platform.ids_of(&line)[0]);
    let hold = json!({
        "line_id": line, "amount": {"amount": 1, "currency": "AUD"}, "reason": "documents", "note": "The contract is missing"
    });
    let _ = service.post("/v1/holds", &operator, &hold).expect(201);
    let plan = json!({"max_share": "0.25", "from_on": "2026-12-01", "reason": "Agreed by telephone"});
    let _ = service.post(&format!("/v1/payees/{payee}/recovery-plans"), &operator, &plan).expect(201);
}

/// The payee has an account at Stripe too.
fn at_stripe(service: &Service, payee: &str, introducer: OrganisationId) {
    let payee = PayeeId::parse(payee).expect("an id");
    let begun = KeptAccount::begun(payee, service.platform.now);
    let account = AccountName::parse(&format!("acct_{}", introducer.uuid().simple())).expect("a name");
    let known = KeptAccount { account: Some(account), ..begun.clone() };
    let kept = service.platform.store().transaction(|uow| {
        uow.stripe().insert_account(&begun)?;
        uow.stripe().update_account(&known)
    });
    kept.expect("the account is kept");
}

/// A referral whose handshake waits for the provider.
fn refer(service: &Service, token: &str, (member, provider): (MemberId, OrganisationId), client: &str) {
    let referral = json!({
        "member_id": member.to_string(), "provider_id": provider.to_string(), "product": "FIXED-3Y",
        "external_ref": "REF-1", "referred_on": "2026-11-20", "assurance": "custodial",
        "client": {"kind": "person", "name": client},
        "consent": {"declared": true}, "disclosure": {"declared": true}
    });
    let _ = service.post("/v1/referrals", token, &referral).expect(201);
}

/// The registration of a party's key.
fn registration(party: PartyId, key: &MemorySigner) -> String {
    let statement = Statement::KeyRegistration(KeyRegistration {
        assurance: Assurance::Own,
        jwk: key.public_key().jwk(),
        kid: key.kid(),
        log: ORIGIN.to_owned(),
        next: None,
        party,
        salt: Salt([5; 32]),
        v: VERSION,
    });
    statement.sign(key).expect("an envelope")
}

fn id(prefix: &str, uuid: Uuid) -> String {
    let prefix = if prefix == "keyless" { "member" } else { prefix };
    format!("{prefix}_{}", encode(uuid))
}

fn filled(sql: &str, organisation: OrganisationId, member: Option<MemberId>) -> String {
    let member = member.map_or_else(|| "null".to_owned(), |member| format!("'{}'::uuid", member.uuid()));
    sql.replace("$org", &format!("'{}'::uuid", organisation.uuid())).replace("$member", &member)
}

/// The one id that a query gives.
fn the(service: &Service, sql: &str, organisation: OrganisationId, member: Option<MemberId>) -> Uuid {
    let sql = filled(sql, organisation, member);
    service.platform.ids_of(&sql).into_iter().next().unwrap_or_else(|| panic!("nothing: {sql}"))
}

/// All that is a partner's own: nobody else may ever be shown one of these ids.
const ALL_OF: &[&str] = &[
    "select id from contact where organisation_id = $org",
    "select id from member where organisation_id = $org",
    "select id from payee where organisation_id = $org",
    "select id from cohort where organisation_id = $org",
    "select id from licence where organisation_id = $org",
    "select c.id from payee_bank_change c join payee p on p.id = c.payee_id where p.organisation_id = $org",
    "select id from deal where introducer_id = $org",
    "select id from deal_import where organisation_id = $org",
    "select id from job where organisation_id = $org",
    "select h.id from handshake h join deal d on d.id = h.deal_id where d.introducer_id = $org",
    "select s.id from handshake_statement s join handshake h on h.id = s.handshake_id join deal d on d.id = h.deal_id where d.introducer_id = $org",
    "select a.id from ledger_account a join payee p on p.id = a.party_id where p.organisation_id = $org",
    "select id from ledger_account where party_id in (select id from member where organisation_id = $org)",
    "select e.id from ledger_entry e join deal d on d.id = e.deal_id where d.introducer_id = $org",
    "select e.id from ledger_entry e join payee p on p.id = e.payee_id where p.organisation_id = $org",
    "select l.id from commission_line l join deal d on d.id = l.deal_id where d.introducer_id = $org",
    "select c.id from calculation c join deal d on d.id = c.deal_id where d.introducer_id = $org",
    "select o.id from payout o join payee p on p.id = o.payee_id where p.organisation_id = $org",
    "select d.id from tax_document d join payee p on p.id = d.payee_id where p.organisation_id = $org",
    "select a.id from rcti_agreement a join payee p on p.id = a.payee_id where p.organisation_id = $org",
    "select h.id from line_hold h join payee p on p.id = h.payee_id where p.organisation_id = $org",
    "select r.id from recovery_plan r join payee p on p.id = r.payee_id where p.organisation_id = $org",
    "select id from assignment where organisation_id = $org",
    "select s.id from payee_supplier_statement s join payee p on p.id = s.payee_id where p.organisation_id = $org",
    "select id from event where $org = any (visible_to)",
    "select id from api_client where organisation_id = $org",
    "select k.id from api_client_key k join api_client c on c.id = k.client_id where c.organisation_id = $org",
    "select id from oidc_issuer where organisation_id = $org",
    "select id from app_user where organisation_id = $org",
    "select id from webhook_endpoint where organisation_id = $org",
    "select d.id from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint_id where e.organisation_id = $org",
    "select id from signing_key where organisation_id = $org",
];

//! The story of a referral, told with the generated Rust client: from a new member to money in the bank file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use flip360_client::apis::configuration::Configuration;
use flip360_client::apis::{Error, access_api, chain_api, deals_api, directory_api, events_api, payouts_api};
use flip360_client::models;
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

/// One of those who take part, logged in.
struct Party {
    api: Configuration,
    organisation: String,
    kid: String,
    key: Option<SigningKey>,
}

/// Each call has a key of its own: a retry with it has no second effect.
fn key() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static KEYS: AtomicU64 = AtomicU64::new(0);
    format!("story-{}-{}", std::process::id(), KEYS.fetch_add(1, Ordering::Relaxed))
}

fn login(url: &str, party: &Value) -> Result<Party, Failure> {
    let text = |name: &str| party[name].as_str().unwrap_or_default().to_owned();
    let mut api = Configuration { base_path: url.to_owned(), ..Configuration::new() };
    let params = access_api::CreateTokenParams {
        grant_type: "client_credentials".to_owned(),
        client_id: Some(text("client_id")),
        client_secret: Some(text("client_secret")),
        ..Default::default()
    };
    api.oauth_access_token = Some(access_api::create_token(&api, params)?.access_token);
    let key = party["private_key"].as_str().map(SigningKey::from_pkcs8_pem).transpose()?;
    Ok(Party { api, organisation: text("organisation_id"), kid: text("kid"), key })
}

impl Party {
    fn signed(&self, input: &str) -> Result<String, Failure> {
        let key = self.key.as_ref().ok_or("it has no key")?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).to_bytes())))
    }
}

/// A member, who is paid to an account.
fn member(introducer: &Party) -> Result<String, Failure> {
    let organisation = || introducer.organisation.clone();
    let person = models::CreateContact::new(organisation(), "person".into(), "Zoë O’Brien".into());
    let params = directory_api::CreateContactParams { idempotency_key: key(), create_contact: person };
    let contact = directory_api::create_contact(&introducer.api, params.clone())?.id;
    let again = directory_api::create_contact(&introducer.api, params)?.id;
    assert_eq!(again, contact, "a retry made a second contact");
    let create_member = models::CreateMember::new(organisation(), contact, "RS-1".into());
    let params = directory_api::CreateMemberParams { idempotency_key: key(), create_member };
    let member = directory_api::create_member(&introducer.api, params)?.id;
    let account = models::BankDetails::new("062-000".into(), "87654321".into(), "Zoe OBrien".into());
    let create_payee = models::CreatePayee {
        abn: Some(Some("51 824 753 556".into())),
        member_id: Some(Some(member.clone())),
        from_on: Some(Some("2026-01-01".parse()?)),
        ..models::CreatePayee::new(organisation(), "Zoë O’Brien".into(), account)
    };
    let params = directory_api::CreatePayeeParams { idempotency_key: key(), create_payee };
    directory_api::create_payee(&introducer.api, params)?;
    Ok(member)
}

/// What is wrong is told all at once, by field.
fn refused(introducer: &Party) -> Result<(), Failure> {
    let mut person = models::CreateContact::new(introducer.organisation.clone(), "alien".into(), String::new());
    person.email = Some(Some("no".into()));
    let params = directory_api::CreateContactParams { idempotency_key: key(), create_contact: person };
    let Err(Error::ResponseError(answer)) = directory_api::create_contact(&introducer.api, params) else {
        return Err("an alien became a contact".into());
    };
    let problem: Value = serde_json::from_str(&answer.content)?;
    let faults = problem["errors"].as_array().ok_or("faults")?;
    let mut pointers: Vec<&str> = faults.iter().filter_map(|fault| fault["pointer"].as_str()).collect();
    pointers.sort_unstable();
    assert_eq!((answer.status.as_u16(), pointers), (422, vec!["/email", "/kind", "/name"]));
    Ok(())
}

/// The introducer offers, the provider accepts; each signs.
fn refer(introducer: &Party, provider: &Party, member: &str) -> Result<models::Referral, Failure> {
    let declared = || models::DeclaredInput::new(true);
    let draft = models::PrepareHandshake {
        member_id: Some(Some(member.to_owned())),
        provider_id: Some(Some(provider.organisation.clone())),
        product: Some(Some("FIXED-3Y".into())),
        external_ref: Some(Some("RS-2026-1".into())),
        referred_on: Some(Some("2026-08-03".parse()?)),
        consent: Some(Some(Box::new(declared()))),
        disclosure: Some(Some(Box::new(declared()))),
        ..models::PrepareHandshake::new("offer".into(), introducer.kid.clone())
    };
    let params = chain_api::PrepareHandshakeParams { idempotency_key: key(), prepare_handshake: draft };
    let offer = chain_api::prepare_handshake(&introducer.api, params)?;
    let create_referral = models::CreateReferral {
        external_ref: Some(Some("RS-2026-1".into())),
        offer: Some(Some(introducer.signed(&offer.signing_input)?)),
        ..models::CreateReferral::new(
            member.to_owned(),
            provider.organisation.clone(),
            "FIXED-3Y".into(),
            "2026-08-03".parse()?,
            models::ReferralClient::new("person".into(), "Jane Citizen".into()),
            declared(),
            declared(),
        )
    };
    let params = deals_api::CreateReferralParams { idempotency_key: key(), create_referral };
    let referral = deals_api::create_referral(&introducer.api, params)?;
    let draft = models::PrepareHandshake {
        handshake_id: Some(Some(referral.handshake_id.clone())),
        ..models::PrepareHandshake::new("accept".into(), provider.kid.clone())
    };
    let params = chain_api::PrepareHandshakeParams { idempotency_key: key(), prepare_handshake: draft };
    let accept = chain_api::prepare_handshake(&provider.api, params)?;
    let params = chain_api::CountersignHandshakeParams {
        id: referral.handshake_id.clone(),
        idempotency_key: key(),
        countersign_handshake: models::CountersignHandshake::new(provider.signed(&accept.signing_input)?),
    };
    chain_api::countersign_handshake(&provider.api, params)?;
    Ok(referral)
}

/// It settles, and earns.
fn settle(provider: &Party, deal: &str) -> Result<(), Failure> {
    let amount = models::MoneyInput::new(50_000_000, "AUD".into());
    let contract = models::CreateDealFact {
        on: Some(Some("2026-08-10".parse()?)),
        ..models::CreateDealFact::new("contract".into())
    };
    let settlement = models::CreateDealFact {
        on: Some(Some("2026-08-20".parse()?)),
        amount: Some(Some(Box::new(amount))),
        ..models::CreateDealFact::new("settlement".into())
    };
    for create_deal_fact in [contract, settlement] {
        let id = deal.to_owned();
        let params = deals_api::CreateDealFactParams { id, idempotency_key: key(), create_deal_fact };
        deals_api::create_deal_fact(&provider.api, params)?;
    }
    Ok(())
}

/// It is paid, by two people.
fn pay(finance: &Party, approver: &Party, account: &str) -> Result<(models::PayoutRun, String), Failure> {
    let preview_payout_run = models::PreviewPayoutRun::new(account.to_owned());
    let params = payouts_api::CreatePayoutRunParams { idempotency_key: key(), preview_payout_run };
    let run = payouts_api::create_payout_run(&finance.api, params)?;
    let id = || run.id.clone();
    let params = payouts_api::ProposePayoutRunParams { id: id(), idempotency_key: key(), if_match: None };
    payouts_api::propose_payout_run(&finance.api, params)?;
    let params = payouts_api::ApprovePayoutRunParams {
        id: id(),
        idempotency_key: key(),
        approve_payout_run: models::ApprovePayoutRun::new(run.content_sha256.clone()),
        if_match: None,
    };
    payouts_api::approve_payout_run(&approver.api, params)?;
    let params = payouts_api::ExecutePayoutRunParams { id: id(), idempotency_key: key(), if_match: None };
    let executed = payouts_api::execute_payout_run(&finance.api, params)?;
    let file = payouts_api::get_payout_run_aba(&finance.api, payouts_api::GetPayoutRunAbaParams { id: id(), ..Default::default() })?;
    Ok((executed, file))
}

/// What happened, in order.
fn events(introducer: &Party, deal: &str) -> Result<Vec<String>, Failure> {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let params = events_api::ListEventsParams {
            after_sequence: Some(after),
            limit: Some(5),
            subject_id: Some(deal.to_owned()),
            ..Default::default()
        };
        let page = events_api::list_events(&introducer.api, params)?.data;
        let Some(last) = page.last() else { return Ok(events) };
        after = last.sequence;
        events.extend(page.into_iter().map(|event| event.r#type));
    }
}

fn main() -> Result<(), Failure> {
    let url = std::env::var("FLIP360_URL")?;
    let parties: Value = serde_json::from_str(&std::env::var("FLIP360_PARTIES")?)?;
    let login = |name: &str| login(&url, &parties[name]);
    let (introducer, provider) = (login("introducer")?, login("provider")?);
    let member = member(&introducer)?;
    refused(&introducer)?;
    let referral = refer(&introducer, &provider, &member)?;
    settle(&provider, &referral.deal_id)?;
    let params = deals_api::GetDealCommissionParams { id: referral.deal_id.clone() };
    let commission = deals_api::get_deal_commission(&introducer.api, params)?;
    let account = parties["bank_account_id"].as_str().ok_or("an account")?;
    let (executed, file) = pay(&login("finance")?, &login("approver")?, account)?;
    let params = payouts_api::GetStatementParams { member_id: Some(member), ..Default::default() };
    let statement = payouts_api::get_statement(&introducer.api, params)?;
    let params = chain_api::GetHandshakeReceiptParams { id: referral.handshake_id.clone() };
    let receipt = chain_api::get_handshake_receipt(&introducer.api, params)?;
    let earned: Vec<i64> = commission.lines.iter().map(|line| line.earned.amount).collect();
    let told = json!({
        "deal_id": referral.deal_id, "lines": earned, "paid_minor": executed.total.amount,
        "file_lines": file.lines().count(), "earned_minor": statement.totals.earned.amount,
        "events": events(&introducer, &referral.deal_id)?, "receipt": receipt.is_object()
    });
    println!("{told}");
    Ok(())
}

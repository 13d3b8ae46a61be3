//! The rail of Stripe: onboarding of payees, what Stripe tells us, its book against ours.
//!
//! Stripe is asked with no transaction open: what it answered is then the command of the transaction that keeps it.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, get, post};
use domain::access::Actor;
use domain::env::Env;
use domain::kernel::Faults;
use domain::kernel::ids::{BankAccountId, PayeeId};
use domain::ledger::book as ledger;
use domain::payouts::stripe::account::{self, Onboarding};
use domain::payouts::stripe::names::TransactionName;
use domain::payouts::stripe::rail::{AccountLink, StripeRail};
use domain::payouts::stripe::{KeptAccount, StripeEvent, book, event};
use domain::store::{StoreError, UnitOfWork};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::body::{self, Empty, LIMIT};
use crate::extract::{Caller, Command, Id};
use crate::once::{answered, once};
use crate::problem::Problem;
use crate::problem::stripe::not_configured;
use crate::views::stripe::{
    BookMovementRequest, BookingView, ReceivedEventView, StripeAccountView, StripeReconciliationView,
};

/// The header that carries Stripe's signature.
const SIGNATURE: &str = "Stripe-Signature";

/// Onboard a payee at Stripe
///
/// Makes the payee's account at Stripe if there is none, and answers a link to the pages on which Stripe asks for what it needs. A link is good once and for minutes; ask again with a new key for another one. The payee may be paid once `status` is `enabled`, which Stripe tells us by itself.
#[utoipa::path(operation_id = "create_stripe_account", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 201, description = "The account, and the link", body = StripeAccountView)))]
#[post("/payees/{id}/stripe-account")]
async fn create_stripe_account(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    if let Some(first) = answered(&app, &command).await? {
        return Ok(first);
    }
    let (asking, actor) = (app.clone(), command.caller.actor.clone());
    let asked = blocking(move || ask(&asking, &actor, payee)).await??;
    let command = command.parse(|Empty {}| Ok::<_, Problem>(asked))?;
    let work = move |uow: &mut dyn UnitOfWork, _: &Env<'_>, (kept, link): &(KeptAccount, AccountLink)| {
        // Kept by the transaction before; this one keeps the answer.
        let standing = uow.stripe().lock_account(payee)?.unwrap_or_else(|| kept.clone());
        Ok::<_, StoreError>((standing, link.clone()))
    };
    once(&app, command, work, move |(kept, link)| {
        let location = format!("/v1/payees/{payee}/stripe-account");
        let answer = Answer::created(location, payee.uuid(), &StripeAccountView::with_link(kept, link))?;
        Ok(answer.naming(&payee).private())
    })
    .await
}

/// Makes the account, and a link, with no transaction open while Stripe is asked.
fn ask(app: &App, actor: &Actor, payee: PayeeId) -> Result<(KeptAccount, AccountLink), Problem> {
    let begun = app.store.transaction(|uow| account::begin(uow, &app.env(actor), payee))?;
    let desk = app.stripe.as_ref().ok_or_else(not_configured)?;
    let kept = match begun {
        Onboarding::Kept(kept) => kept,
        Onboarding::ToMake(payee) => made(app, desk.rail.as_ref(), actor, payee)?,
    };
    let name = kept.account.as_ref().ok_or_else(Problem::unavailable)?;
    let link = desk.rail.create_account_link(name, &desk.pages)?;
    Ok((kept, link))
}

fn made(app: &App, rail: &dyn StripeRail, actor: &Actor, payee: PayeeId) -> Result<KeptAccount, Problem> {
    let asked_at = app.clock.now();
    let state = rail.create_account(payee)?;
    let kept = app.store.transaction(|uow| account::keep(uow, &app.env(actor), payee, &state, asked_at))?;
    app.wrote();
    kept.ok_or_else(Problem::not_found)
}

/// Get a payee's account at Stripe
///
/// As Stripe last told it.
#[utoipa::path(operation_id = "get_stripe_account", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The account", body = StripeAccountView)))]
#[get("/payees/{id}/stripe-account")]
async fn get_stripe_account(app: Data<App>, caller: Caller, Id(payee): Id<PayeeId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.stripe().find_account(payee)).await?;
    Answer::ok(&StripeAccountView::from(found.ok_or_else(Problem::not_found)?))
}

/// Take an event from Stripe
///
/// For Stripe alone, which signs what it sends (`Stripe-Signature`); an event is kept once by its id and applied later. Whatever is not signed by Stripe, about now, is refused and not kept. Without the secrets of the endpoint: 503, so that Stripe sends it again.
#[utoipa::path(operation_id = "receive_stripe_event", tag = "payouts", params(("Stripe-Signature" = String, Header, description = "Stripe's signature of the body.", example = "t=1700000000,v1=14c4f43763339dcb1c15f41a1ff31a94f2f09f8de278f8b4392ca0d7cbcd257e")), request_body(content = serde_json::Value, content_type = "application/json", description = "The event, as Stripe writes it", example = json!({"id": "evt_1RkT2v", "object": "event", "type": "transfer.created", "created": 1_700_000_000, "data": {"object": {"id": "tr_1RkT2v", "object": "transfer"}}})), responses((status = 200, description = "Kept, now or before", body = ReceivedEventView, example = json!({"received": true}))))]
#[post("/webhooks/stripe")]
async fn receive_stripe_event(app: Data<App>, request: HttpRequest, payload: Payload) -> Result<Answer, Problem> {
    let bytes = body::read(&request, payload.into_inner(), LIMIT).await?;
    let desk = app.stripe.as_ref().filter(|desk| !desk.secrets.is_empty()).ok_or_else(Problem::unavailable)?;
    let forged = || Problem::malformed("invalid_signature", "this was not signed by Stripe just now");
    let mut headers = request.headers().get_all(SIGNATURE);
    let (header, None) = (headers.next().ok_or_else(forged)?, headers.next()) else { return Err(forged()) };
    let header = header.to_str().map_err(|_| forged())?;
    desk.secrets.verify(header, &bytes, app.clock.now()).map_err(|_| forged())?;
    let event = StripeEvent::parse(&bytes).map_err(|e| Problem::malformed("not_an_event", e.to_string()))?;
    let keeping = app.clone();
    let new = blocking(move || {
        let service = Actor::service();
        keeping.store.transaction(|uow| event::receive(uow, &keeping.env(&service), &event))
    })
    .await??;
    if new {
        desk.bell.ring();
    }
    Answer::ok(&ReceivedEventView { received: true })
}

/// Compare Stripe's book with the ledger
///
/// The account `stripe_balance` against the movements of our balance that Stripe has, to the cent, movement by movement; where they differ, by name. Stripe's book is read every quarter of an hour. For those who see everything.
#[utoipa::path(operation_id = "get_stripe_reconciliation", tag = "payouts", security(("oauth2" = ["payouts:read"])), responses((status = 200, description = "The two books side by side", body = StripeReconciliationView)))]
#[get("/reconciliation/stripe")]
async fn get_stripe_reconciliation(app: Data<App>, caller: Caller) -> Result<Answer, Problem> {
    ledger::whole(&caller.actor)?;
    let compared = read(&app, &caller, |queries| queries.stripe().compare()).await?;
    Answer::ok(&StripeReconciliationView::from(compared))
}

/// Book a movement of the Stripe balance
///
/// One that is no transfer and no reversal: a top-up or a payout to our bank as a transfer of funds between the two accounts, anything else as a fee of the rail. Once.
#[utoipa::path(operation_id = "book_stripe_movement", tag = "payouts", security(("oauth2" = ["payouts:write"])), request_body = BookMovementRequest, responses((status = 201, description = "The entry", body = BookingView)))]
#[post("/reconciliation/stripe/bookings")]
async fn book_stripe_movement(app: Data<App>, command: Command<BookMovementRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| booking(&raw))?;
    let work = |uow: &mut dyn UnitOfWork, env: &Env<'_>, (movement, account): &(TransactionName, BankAccountId)| {
        book::book(uow, env, movement, *account)
    };
    once(&app, command, work, |entry| {
        Answer::created(
            format!("/v1/ledger/entries/{entry}"),
            entry.uuid(),
            &BookingView { entry_id: entry.to_string() },
        )
    })
    .await
}

fn booking(raw: &BookMovementRequest) -> Result<(TransactionName, BankAccountId), Faults> {
    let mut faults = Faults::default();
    let movement = raw.transaction_id.as_deref().and_then(TransactionName::parse);
    if movement.is_none() {
        faults.push("/transaction_id", "invalid_id", "expected the id of a movement of Stripe's, txn_…");
    }
    let account = raw.bank_account_id.as_deref().and_then(|text| BankAccountId::parse(text).ok());
    if account.is_none() {
        faults.push("/bank_account_id", "invalid_id", "expected the id of one of our bank accounts");
    }
    match (movement, account) {
        (Some(movement), Some(account)) => Ok((movement, account)),
        (None, _) | (_, None) => Err(faults),
    }
}

/// Routes beside `/v1`: where Stripe tells us.
pub fn register(config: &mut ServiceConfig) {
    config.service(receive_stripe_event);
}

/// Routes below `/v1`.
pub fn register_v1(config: &mut ServiceConfig) {
    config
        .service(create_stripe_account)
        .service(get_stripe_account)
        .service(get_stripe_reconciliation)
        .service(book_stripe_movement);
}

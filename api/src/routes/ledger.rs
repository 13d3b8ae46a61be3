//! The ledger as a book.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, get};
use domain::kernel::ids::{AccountId, DealId, EntryId, PayeeId};
use domain::kernel::{Instant, PageRequest};
use domain::ledger::account::AccountKind;
use domain::ledger::book::{self, AccountFilter, AccrualBy, AsOf, EntryFilter};
use domain::ledger::entry::EntryKind;
use domain::ledger::journal::{self, JournalFormat};
use domain::store::Queries;
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Filter, Id, List, ListQuery, Unfiltered};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::ledger::{AccountPostingView, AccountView, AccrualView, EntryView, TrialBalanceView};

/// Entries that an export reads at a time.
const EXPORT_BATCH: u32 = 500;
/// Accounts that an export reads at a time.
const EXPORT_ACCOUNTS: u16 = 1_000;

/// Which accounts are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AccountQuery {
    /// Of one kind.
    #[param(example = "payee_available")]
    kind: Option<String>,
    /// Of one provider, payee or member.
    party_id: Option<String>,
}

impl ListQuery for AccountQuery {}

/// Which moment is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AsOfQuery {
    /// What was recorded by then (RFC 3339).
    #[param(example = "2026-11-25T02:00:00Z")]
    as_of: Option<String>,
    /// What took effect on or before then.
    #[param(example = "2026-06-30")]
    effective_as_of: Option<String>,
}

/// Which entries are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntryQuery {
    /// Of one kind.
    #[param(example = "accrual")]
    kind: Option<String>,
    /// Of one deal.
    deal_id: Option<String>,
    /// Of one payee.
    payee_id: Option<String>,
    /// Effective on or after.
    effective_from: Option<String>,
    /// Effective on or before.
    effective_to: Option<String>,
}

impl ListQuery for EntryQuery {}

/// What accruals are summed by.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AccrualQuery {
    /// `vertical`, `cohort`, `partner`, `product`.
    #[param(example = "vertical")]
    by: String,
}

/// In which form the book is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `hledger`, `ndjson`, `csv`.
    #[param(example = "hledger")]
    format: String,
}

/// A query parameter read by a rule of the domain.
fn parsed<T>(name: &str, text: Option<&str>, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    let bad = || Problem::malformed_at(&format!("#{name}"), "invalid_value", format!("{name} is not such a value"));
    text.map(|text| parse(text).ok_or_else(bad)).transpose()
}

fn as_of(query: &AsOfQuery) -> Result<AsOf, Problem> {
    Ok(AsOf {
        recorded_at: parsed("as_of", query.as_of.as_deref(), |t| t.parse().ok().map(Instant::new))?,
        effective_on: parsed("effective_as_of", query.effective_as_of.as_deref(), |t| t.parse().ok())?,
    })
}

/// List accounts
///
/// With the balance of now; partners see their own.
#[utoipa::path(operation_id = "list_ledger_accounts", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(List<AccountQuery>), responses((status = 200, description = "A page of accounts", body = PageView<AccountView>)))]
#[get("/ledger/accounts")]
async fn list_ledger_accounts(app: Data<App>, list: List<AccountQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let filter = AccountFilter {
        kind: parsed("kind", query.kind.as_deref(), AccountKind::parse)?,
        party: parsed("party_id", query.party_id.as_deref(), book::parse_party)?,
        vertical: None,
    };
    let page = read(&app, &caller, move |queries| queries.book().list_accounts(&filter, &page)).await?;
    Answer::page(page, &cursors, AccountView::from)
}

/// Get an account
///
/// With its balance as of any past moment: `as_of` by when it was recorded, `effective_as_of` by business date.
#[utoipa::path(operation_id = "get_ledger_account", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(("id" = String, Path, description = "The account", example = "account_01k0w4q7v8e2rtf3k2m9x5c6dz"), AsOfQuery), responses((status = 200, description = "The account", body = AccountView)))]
#[get("/ledger/accounts/{id}")]
async fn get_ledger_account(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<AccountId>,
    Filter(query): Filter<AsOfQuery>,
) -> Result<Answer, Problem> {
    let as_of = as_of(&query)?;
    let found = read(&app, &caller, move |queries| queries.book().find_account(id, as_of)).await?;
    Answer::ok(&AccountView::from(found.ok_or_else(Problem::not_found)?))
}

/// List the entries of an account
///
/// Newest first, each with the balance after it.
#[utoipa::path(operation_id = "list_ledger_account_entries", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(("id" = String, Path, description = "The account", example = "account_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<Unfiltered>), responses((status = 200, description = "A page of postings", body = PageView<AccountPostingView>)))]
#[get("/ledger/accounts/{id}/entries")]
async fn list_ledger_account_entries(
    app: Data<App>,
    list: List<Unfiltered>,
    Id(id): Id<AccountId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let found = read(&app, &caller, move |queries| {
        let known = queries.book().find_account(id, AsOf::default())?.is_some();
        Ok((known, queries.book().account_postings(id, &page)?))
    })
    .await?;
    let (true, postings) = found else { return Err(Problem::not_found()) };
    Answer::page(postings, &cursors, AccountPostingView::from)
}

/// List entries
///
/// Newest first, with their postings.
#[utoipa::path(operation_id = "list_ledger_entries", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(List<EntryQuery>), responses((status = 200, description = "A page of entries", body = PageView<EntryView>)))]
#[get("/ledger/entries")]
async fn list_ledger_entries(app: Data<App>, list: List<EntryQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let filter = EntryFilter {
        kind: parsed("kind", query.kind.as_deref(), EntryKind::parse)?,
        deal: parsed("deal_id", query.deal_id.as_deref(), |t| DealId::parse(t).ok())?,
        payee: parsed("payee_id", query.payee_id.as_deref(), |t| PayeeId::parse(t).ok())?,
        source: None,
        effective_from: parsed("effective_from", query.effective_from.as_deref(), |t| t.parse().ok())?,
        effective_to: parsed("effective_to", query.effective_to.as_deref(), |t| t.parse().ok())?,
    };
    let page = read(&app, &caller, move |queries| queries.book().list_entries(&filter, &page)).await?;
    Answer::page(page, &cursors, EntryView::from)
}

/// Get an entry
///
/// With its postings and hashes.
#[utoipa::path(operation_id = "get_ledger_entry", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(("id" = String, Path, description = "The entry", example = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The entry", body = EntryView)))]
#[get("/ledger/entries/{id}")]
async fn get_ledger_entry(app: Data<App>, caller: Caller, Id(id): Id<EntryId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.book().find_entry(id)).await?;
    Answer::ok(&EntryView::from(found.ok_or_else(Problem::not_found)?))
}

/// Get the trial balance
///
/// Over all accounts by kind, as of any past moment; for those who see everything.
#[utoipa::path(operation_id = "get_trial_balance", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(AsOfQuery), responses((status = 200, description = "The trial balance", body = TrialBalanceView)))]
#[get("/ledger/trial-balance")]
async fn get_trial_balance(
    app: Data<App>,
    caller: Caller,
    Filter(query): Filter<AsOfQuery>,
) -> Result<Answer, Problem> {
    book::whole(&caller.actor)?;
    let as_of = as_of(&query)?;
    let rows = read(&app, &caller, move |queries| queries.book().trial_balance(as_of)).await?;
    Answer::ok(&TrialBalanceView::from(rows))
}

/// Sum accruals
///
/// What was earned and taken back by vertical, cohort, partner or product; partners see sums over what is theirs.
#[utoipa::path(operation_id = "list_accruals", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(AccrualQuery), responses((status = 200, description = "The sums", body = PageView<AccrualView>)))]
#[get("/ledger/accruals")]
async fn list_accruals(app: Data<App>, caller: Caller, Filter(query): Filter<AccrualQuery>) -> Result<Answer, Problem> {
    let unknown = || Problem::malformed_at("#by", "unknown_value", "by is one of: vertical, cohort, partner, product");
    let by = AccrualBy::parse(&query.by).ok_or_else(unknown)?;
    let rows = read(&app, &caller, move |queries| queries.book().accruals(by)).await?;
    Answer::whole(rows, AccrualView::from)
}

/// Export the ledger
///
/// Every entry in the order of the book, streamed: a journal that hledger reads, JSON by lines, or CSV by postings. For those who see everything: a part would not balance.
#[utoipa::path(operation_id = "export_ledger", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(ExportQuery), responses((status = 200, description = "The ledger", content((String = "text/plain"), (String = "application/x-ndjson"), (String = "text/csv")))))]
#[get("/ledger/export")]
async fn export_ledger(
    app: Data<App>,
    caller: Caller,
    Filter(query): Filter<ExportQuery>,
) -> Result<HttpResponse, Problem> {
    book::whole(&caller.actor)?;
    let unknown = || Problem::malformed_at("#format", "unknown_value", "format is one of: hledger, ndjson, csv");
    let format = JournalFormat::parse(&query.format).ok_or_else(unknown)?;
    // An empty piece would end the answer, so a format without a head begins with its entries.
    let begin = if format.head().is_empty() { Stage::Entries(0) } else { Stage::Head };
    let pieces = stream::unfold(Some((app, caller, begin)), move |at| piece(at, format));
    Ok(HttpResponse::Ok()
        .content_type(format.media_type())
        .insert_header(("Cache-Control", "no-store"))
        .streaming(pieces))
}

/// How far an export is.
enum Stage {
    /// At its head.
    Head,
    /// After the entry with this number.
    Entries(i64),
    /// At the accounts that it declares, after this key.
    Accounts(Option<Vec<u8>>),
}

type At = (Data<App>, Caller, Stage);

/// The next piece of an export: the head first, then batches of entries, then the accounts, which are all known by then.
async fn piece(at: Option<At>, format: JournalFormat) -> Option<(std::io::Result<Bytes>, Option<At>)> {
    let (app, caller, stage) = at?;
    let written = match stage {
        Stage::Head => Ok(Some((format.head().to_owned(), Some(Stage::Entries(0))))),
        Stage::Entries(seq) => entries(&app, &caller, format, seq).await,
        Stage::Accounts(after) => accounts(&app, &caller, format, after).await,
    };
    match written {
        Ok(Some((text, next))) => Some((Ok(text.into()), next.map(|stage| (app, caller, stage)))),
        Ok(None) => None,
        Err(problem) => Some((Err(std::io::Error::other(problem.to_string())), None)),
    }
}

/// Text, and what comes after it; nothing when there is nothing left.
type Written = Result<Option<(String, Option<Stage>)>, Problem>;

async fn entries(app: &Data<App>, caller: &Caller, format: JournalFormat, seq: i64) -> Written {
    let entries = read(app, caller, move |queries| queries.book().entries_after(seq, EXPORT_BATCH)).await?;
    match entries.last().map(|entry| entry.seq) {
        Some(last) => {
            let text = entries.iter().map(|entry| format.write(entry)).collect();
            Ok(Some((text, Some(Stage::Entries(last)))))
        }
        None => accounts(app, caller, format, None).await,
    }
}

async fn accounts(app: &Data<App>, caller: &Caller, format: JournalFormat, after: Option<Vec<u8>>) -> Written {
    if !format.declares_accounts() {
        return Ok(None);
    }
    let page = PageRequest { after, ..PageRequest::of(EXPORT_ACCOUNTS) };
    let list = move |queries: &mut dyn Queries| queries.book().list_accounts(&AccountFilter::default(), &page);
    let page = read(app, caller, list).await?;
    let text: String = page.data.iter().map(journal::declaration).collect();
    Ok((!text.is_empty()).then_some((text, page.next.map(|after| Stage::Accounts(Some(after))))))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_ledger_accounts)
        .service(list_ledger_account_entries)
        .service(get_ledger_account)
        .service(list_ledger_entries)
        .service(get_ledger_entry)
        .service(get_trial_balance)
        .service(list_accruals)
        .service(export_ledger);
}

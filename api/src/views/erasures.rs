//! Erasures of contacts as they go out.

use domain::directory::erasure::Kept;
use domain::directory::erasure_repository::SeenErasure;
use serde::Serialize;
use utoipa::ToSchema;

/// What stays after an erasure, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeptAfterErasure)]
pub struct KeptView {
    /// `handshakes`, `payee` or `bank_files`.
    #[schema(example = "payee")]
    what: &'static str,
    /// `paid`: the tax law wants it kept for five years. `owed`: money is still owed. `shared`: others are paid to it.
    /// `one_record`: it is one record with those of others.
    #[schema(example = "paid")]
    why: &'static str,
    /// How many.
    #[schema(example = 1)]
    count: u64,
    /// The day from which on erasing again takes all of them; absent when none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2031-11-23")]
    until: Option<String>,
}

impl From<Kept> for KeptView {
    fn from(kept: Kept) -> Self {
        Self {
            what: kept.what.as_str(),
            why: kept.why.as_str(),
            count: kept.count,
            until: kept.until.map(|day| day.to_string()),
        }
    }
}

/// An erasure of a contact: what it took, what stays, and the leaf that says so.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Erasure)]
pub struct ErasureView {
    /// Its id.
    #[schema(example = "erasure_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The contact.
    #[schema(example = "contact_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    contact_id: String,
    /// When.
    #[schema(example = "2026-11-29T09:30:00Z")]
    erased_at: String,
    /// Whether name, e-mail address and telephone number were still there.
    #[schema(example = true)]
    contact: bool,
    /// Deals whose signed words, salts and lane secrets went.
    #[schema(example = 1)]
    deals: u64,
    /// Leaves of the log that lost what they commit to.
    #[schema(example = 3)]
    leaves: u32,
    /// Payees whose name, ABN and accounts went.
    #[schema(example = 0)]
    payees: u64,
    /// Users who do not log in any more.
    #[schema(example = 0)]
    users: u64,
    /// API clients that acted as the member and are revoked.
    #[schema(example = 0)]
    clients: u64,
    /// The index of the erasure's own leaf; absent until it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 4711)]
    leaf_index: Option<u64>,
    /// What stays.
    kept: Vec<KeptView>,
}

impl From<SeenErasure> for ErasureView {
    fn from(seen: SeenErasure) -> Self {
        let SeenErasure { record, index } = seen;
        let report = record.report;
        Self {
            id: record.id.to_string(),
            contact_id: record.contact.to_string(),
            erased_at: record.erased_at.to_string(),
            contact: report.contact,
            deals: report.deals,
            leaves: record.leaves,
            payees: report.payees,
            users: report.users,
            clients: report.clients,
            leaf_index: index,
            kept: report.kept.into_iter().map(KeptView::from).collect(),
        }
    }
}

//! Tax papers: what a payment owes in GST or withholding, and the documents that say so.
//!
//! `rates` and `decide` are pure: rates are dated data, a decision is a function of what is known of a payee and its
//! lines. `facts` are what payees and operators tell (registration, agreements, statements), `document` is what a
//! paper says, `issue` numbers papers without a gap and chains their digests, `logged` commits to them in the log, `adjust` takes GST back when an
//! invoiced amount is clawed back, `due` writes invoices that no payment has brought about, `report` sums up for the
//! tax office. Invariants: GST is due once per amount of a line, whatever becomes of its payment; a paper is never
//! changed; GST in the books equals GST on papers. Sources: A New Tax System (Goods and Services Tax) Act 1999,
//! s 9-90, 29-10, 29-70; LI 2023/20; GSTR 2000/10; Taxation Administration Act 1953, sch 1, s 12-190, 16-167.

pub mod adjust;
pub mod decide;
pub mod document;
pub mod due;
pub mod facts;
pub mod issue;
pub mod logged;
pub mod papers;
pub mod rates;
pub mod remit;
pub mod report;
pub mod repository;
pub mod service;

pub use decide::{TaxFacts, TaxedPayment, Treatment};
pub use document::{DocumentKind, TaxDocument};

//! Pages of a list: keyset paging, stable while rows are inserted.
//!
//! A list is in the order of its key, which follows the order in which rows came about. A key names the row
//! after which the next page starts, so rows that come in meanwhile move none from one page to another: what
//! was there when the first page was read is seen exactly once.

use super::Instant;

/// The rule that a key breaks which no page of that list gave.
pub const INVALID_CURSOR: &str = "invalid_cursor";

/// Which way a list goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    Ascending,
    /// The newest first.
    Descending,
}

/// Which page is asked for, and of which rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many rows, 1–200.
    pub limit: u16,
    /// The key after which the page starts, as the previous page gave it; opaque to callers of the API.
    pub after: Option<Vec<u8>>,
    /// Which way; the list's usual one when it is not said.
    pub order: Option<Order>,
    /// Only rows that came about later than this, of lists whose rows say when they did.
    pub later_than: Option<Instant>,
    /// Only rows that came about earlier than this.
    pub earlier_than: Option<Instant>,
}

impl PageRequest {
    /// The first page of the usual size.
    #[must_use]
    pub const fn first() -> Self {
        Self::of(50)
    }

    /// The first page of a size, in the list's usual order.
    #[must_use]
    pub const fn of(limit: u16) -> Self {
        Self { limit, after: None, order: None, later_than: None, earlier_than: None }
    }
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, at most as many as asked for.
    pub data: Vec<T>,
    /// The key of the next page; `None` when this was the last.
    pub next: Option<Vec<u8>>,
}

impl<T> Page<T> {
    /// The same page with every row made into something else.
    #[must_use]
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(make).collect(), next: self.next }
    }

    /// Cuts `limit + 1` fetched rows to a page; `key` names the row after which the next page starts.
    #[must_use]
    pub fn cut(mut rows: Vec<T>, limit: u16, key: impl Fn(&T) -> Vec<u8>) -> Self {
        let more = rows.len() > usize::from(limit);
        rows.truncate(usize::from(limit));
        let next = if more { rows.last().map(key) } else { None };
        Self { data: rows, next }
    }
}

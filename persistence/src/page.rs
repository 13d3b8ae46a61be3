//! Pages of lists in SQL: a list has two fixed texts, which differ in the direction of its key alone.
//!
//! [`listed!`] puts the texts together, [`Paging`] binds what they have in common. The key is the first
//! column of an index; times only narrow what it finds.

use diesel::sql_types::{BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use domain::kernel::page::INVALID_CURSOR;
use domain::kernel::{Order, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{id_key, instant};
use crate::statement::Statement;

/// The text of a list in the order that is asked for: `select … where ` (with conditions of its own, if it
/// binds them before the page), the key, the time at which a row came about where rows have one, and what
/// else must hold (` and …`). It ends with its order and its limit.
macro_rules! listed {
    ($order:expr, $select:expr, $key:literal, $more:expr) => {
        match $order {
            domain::kernel::Order::Ascending => {
                concat!($select, $key, " > $1", $more, " order by ", $key, " limit $2")
            }
            domain::kernel::Order::Descending => {
                concat!($select, $key, " < $1", $more, " order by ", $key, " desc limit $2")
            }
        }
    };
    ($order:expr, $select:expr, $key:literal, at $at:literal, $more:expr) => {
        match $order {
            domain::kernel::Order::Ascending => concat!(
                $select,
                $key,
                " > $1 and ",
                $at,
                " > coalesce($2, '-infinity') and ",
                $at,
                " < coalesce($3, 'infinity')",
                $more,
                " order by ",
                $key,
                " limit $4"
            ),
            domain::kernel::Order::Descending => concat!(
                $select,
                $key,
                " < $1 and ",
                $at,
                " > coalesce($2, '-infinity') and ",
                $at,
                " < coalesce($3, 'infinity')",
                $more,
                " order by ",
                $key,
                " desc limit $4"
            ),
        }
    };
}
pub(crate) use listed;

/// A page that is asked for, of a list whose usual order is known.
#[derive(Clone, Copy)]
pub struct Paging<'p> {
    /// Which way the list goes.
    pub order: Order,
    page: &'p PageRequest,
}

impl<'p> Paging<'p> {
    /// Of a list that shows its oldest rows first.
    pub fn oldest_first(page: &'p PageRequest) -> Self {
        Self { order: page.order.unwrap_or(Order::Ascending), page }
    }

    /// Of a list that shows its newest rows first.
    pub fn newest_first(page: &'p PageRequest) -> Self {
        Self { order: page.order.unwrap_or(Order::Descending), page }
    }

    /// The id after which the page starts; beyond all of them when it is the first page.
    fn id(&self) -> Result<Uuid, StoreError> {
        match (&self.page.after, self.order) {
            (Some(key), _) => Uuid::from_slice(key).map_err(|_| StoreError::Violates(INVALID_CURSOR.to_owned())),
            (None, Order::Ascending) => Ok(Uuid::nil()),
            (None, Order::Descending) => Ok(Uuid::max()),
        }
    }

    /// The number after which the page starts; beyond all of them when it is the first page.
    pub fn number(&self) -> Result<i64, StoreError> {
        match (&self.page.after, self.order) {
            (Some(key), _) => {
                let bytes = key.as_slice().try_into();
                bytes.map(i64::from_be_bytes).map_err(|_| StoreError::Violates(INVALID_CURSOR.to_owned()))
            }
            (None, Order::Ascending) => Ok(i64::MIN),
            (None, Order::Descending) => Ok(i64::MAX),
        }
    }
}

impl<'v, ST> Statement<'v, ST> {
    /// Binds all of a page of a list by id whose text ends with it.
    pub fn page_by_id(self, paging: Paging<'_>) -> Result<Self, StoreError> {
        Ok(self.after_id(paging)?.between(paging).limit(paging))
    }

    /// Binds all of a page of a list by number whose text ends with it.
    pub fn page_by_number(self, paging: Paging<'_>) -> Result<Self, StoreError> {
        Ok(self.after_number(paging)?.between(paging).limit(paging))
    }

    /// Binds the key of a list by id.
    pub fn after_id(self, paging: Paging<'_>) -> Result<Self, StoreError> {
        Ok(self.bind::<SqlUuid, _>(paging.id()?))
    }

    /// Binds the key of a list by number.
    pub fn after_number(self, paging: Paging<'_>) -> Result<Self, StoreError> {
        Ok(self.bind::<BigInt, _>(paging.number()?))
    }

    /// Binds the times between which rows came about.
    #[must_use]
    pub fn between(self, paging: Paging<'_>) -> Self {
        self.bind::<Nullable<Timestamptz>, _>(paging.page.later_than.map(instant))
            .bind::<Nullable<Timestamptz>, _>(paging.page.earlier_than.map(instant))
    }

    /// Binds how many rows to fetch: one more than the page holds tells whether there is another page.
    #[must_use]
    pub fn limit(self, paging: Paging<'_>) -> Self {
        self.bind::<BigInt, _>(i64::from(paging.page.limit) + 1)
    }
}

/// Restores fetched rows and cuts them to a page; the id of the last one is the key of the next.
pub fn by_id<R, T>(
    rows: Vec<R>,
    page: &PageRequest,
    restore: impl Fn(R) -> Result<T, StoreError>,
    id: impl Fn(&T) -> Uuid,
) -> Result<Page<T>, StoreError> {
    let rows = rows.into_iter().map(restore).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, page.limit, |row| id_key(id(row))))
}

/// The same of a list by number.
pub fn by_number<R, T>(
    rows: Vec<R>,
    page: &PageRequest,
    restore: impl Fn(R) -> Result<T, StoreError>,
    number: impl Fn(&T) -> i64,
) -> Result<Page<T>, StoreError> {
    let rows = rows.into_iter().map(restore).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(rows, page.limit, |row| number(row).to_be_bytes().to_vec()))
}

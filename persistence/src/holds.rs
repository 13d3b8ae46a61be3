//! Money of lines that is put aside.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::Grounds;
use domain::kernel::ids::{DealId, HoldId, LineId, PayeeId};
use domain::kernel::{Page, PageRequest};
use domain::ledger::hold::{
    Hold, HoldFilter, HoldQueries, HoldReason, HoldRecord, HoldRepository, HoldState, Parts, Place, Release, left_minor,
};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type HoldColumns = (
    (SqlUuid, SqlUuid, SqlUuid, SqlUuid, BigInt, BigInt, BigInt, Text, Text, Text, SqlUuid, Timestamptz),
    (
        Nullable<SqlUuid>,
        Nullable<Timestamptz>,
        Nullable<Text>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Array<SqlUuid>,
        Integer,
    ),
    (BigInt, BigInt, Bool),
);
type Placed = (Uuid, Uuid, Uuid, Uuid, i64, i64, i64, String, String, String, Uuid, jiff_diesel::Timestamp);
type Released =
    (Option<Uuid>, Option<jiff_diesel::Timestamp>, Option<String>, Option<i64>, Option<i64>, Vec<Uuid>, i32);
type HoldRow = (Placed, Released, (i64, i64, bool));

/// What is selected of a hold `h`, and where it stands among those of its line.
macro_rules! hold_columns {
    () => {
        "h.id, h.line_id, h.deal_id, h.payee_id, h.asked_minor, h.from_available_minor, h.from_accrued_minor, h.reason, h.note, h.state,
         h.placed_by, h.placed_at, h.released_by, h.released_at, h.release_reason, h.to_available_minor, h.to_accrued_minor, h.visible_to, h.version,
         (select l.held_minor from commission_line l where l.id = h.line_id),
         (select coalesce(sum(o.from_available_minor + o.from_accrued_minor), 0)::bigint from line_hold o
          where o.line_id = h.line_id and o.state = 'active' and o.id < h.id),
         not exists (select from line_hold o where o.line_id = h.line_id and o.state = 'active' and o.id > h.id)"
    };
}

fn placed((placed, released, place): HoldRow) -> Result<(Hold, Place), StoreError> {
    let (id, line, deal, payee, asked_minor, available_minor, accrued_minor, reason, note, state, by, at) = placed;
    let (released_by, released_at, why, to_available, to_accrued, visible_to, version) = released;
    let release = match (HoldState::parse(&state), released_by, released_at, why, to_available, to_accrued) {
        (Some(HoldState::Active), ..) => None,
        (Some(HoldState::Released), Some(by), Some(at), Some(reason), Some(available_minor), Some(accrued_minor)) => {
            Some(Release { by, at: from_instant(at), reason, back: Parts { available_minor, accrued_minor } })
        }
        _ => return Err(unreadable("the state of a hold")),
    };
    let hold = Hold {
        id: HoldId::new(id),
        line: LineId::new(line),
        deal: DealId::new(deal),
        payee: PayeeId::new(payee),
        asked_minor,
        from: Parts { available_minor, accrued_minor },
        reason: HoldReason::parse(&reason).map_err(|_| unreadable("the reason of a hold"))?,
        note: Grounds::parse(&note).map_err(|_| unreadable("the note of a hold"))?,
        placed_by: by,
        placed_at: from_instant(at),
        release,
        version: u32::try_from(version).map_err(|_| unreadable("a version"))?,
        visible_to,
    };
    let (line_held_minor, older_minor, is_youngest) = place;
    Ok((hold, Place { line_held_minor, older_minor, is_youngest }))
}

fn record(row: HoldRow) -> Result<HoldRecord, StoreError> {
    let (hold, place) = placed(row)?;
    let held_minor = match hold.state() {
        HoldState::Active => left_minor(hold.from.sum_minor(), place),
        HoldState::Released => 0,
    };
    Ok(HoldRecord { hold, held_minor })
}

fn version(hold: &Hold) -> Result<i32, StoreError> {
    i32::try_from(hold.version).map_err(|_| unreadable("a version"))
}

impl HoldRepository for PgUnitOfWork<'_> {
    fn find_held_line(&mut self, id: HoldId) -> Result<Option<LineId>, StoreError> {
        let line: Option<Uuid> = query::<SqlUuid>("select line_id from line_hold where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        Ok(line.map(LineId::new))
    }

    fn lock_hold(&mut self, id: HoldId) -> Result<Option<(Hold, Place)>, StoreError> {
        let row: Option<HoldRow> = query::<HoldColumns>(concat!(
            "select ",
            hold_columns!(),
            " from line_hold h where h.id = $1 for update of h"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(placed).transpose()
    }

    fn put_aside_minor(&mut self, line: LineId) -> Result<i64, StoreError> {
        query::<BigInt>(
            "select coalesce(sum(from_available_minor + from_accrued_minor), 0)::bigint from line_hold where line_id = $1 and state = 'active'",
        )
        .bind::<SqlUuid, _>(line.uuid())
        .get_result(self.pg)
        .map_err(store_error)
    }

    fn insert_hold(&mut self, hold: &Hold) -> Result<(), StoreError> {
        command(
            "insert into line_hold (id, line_id, deal_id, payee_id, asked_minor, from_available_minor, from_accrued_minor, reason, note, state,
               placed_by, placed_at, visible_to, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind::<SqlUuid, _>(hold.id.uuid())
        .bind::<SqlUuid, _>(hold.line.uuid())
        .bind::<SqlUuid, _>(hold.deal.uuid())
        .bind::<SqlUuid, _>(hold.payee.uuid())
        .bind::<BigInt, _>(hold.asked_minor)
        .bind::<BigInt, _>(hold.from.available_minor)
        .bind::<BigInt, _>(hold.from.accrued_minor)
        .bind::<Text, _>(hold.reason.as_str())
        .bind::<Text, _>(hold.note.as_str())
        .bind::<Text, _>(hold.state().as_str())
        .bind::<SqlUuid, _>(hold.placed_by)
        .bind::<Timestamptz, _>(instant(hold.placed_at))
        .bind::<Array<SqlUuid>, _>(hold.visible_to.clone())
        .bind::<Integer, _>(version(hold)?)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn update_hold(&mut self, hold: &Hold) -> Result<(), StoreError> {
        let ended = hold.release.as_ref();
        command(
            "update line_hold set state = $1, released_by = $2, released_at = $3, release_reason = $4, to_available_minor = $5,
               to_accrued_minor = $6, version = $7 where id = $8",
        )
        .bind::<Text, _>(hold.state().as_str())
        .bind::<Nullable<SqlUuid>, _>(ended.map(|ended| ended.by))
        .bind::<Nullable<Timestamptz>, _>(ended.map(|ended| instant(ended.at)))
        .bind::<Nullable<Text>, _>(ended.map(|ended| ended.reason.clone()))
        .bind::<Nullable<BigInt>, _>(ended.map(|ended| ended.back.available_minor))
        .bind::<Nullable<BigInt>, _>(ended.map(|ended| ended.back.accrued_minor))
        .bind::<Integer, _>(version(hold)?)
        .bind::<SqlUuid, _>(hold.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

impl HoldQueries for PgQueries<'_> {
    fn list_holds(&mut self, filter: &HoldFilter, page: &PageRequest) -> Result<Page<HoldRecord>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<HoldRow> = query::<HoldColumns>(listed!(
            paging.order,
            concat!("select ", hold_columns!(), " from line_hold h where "),
            "h.id", at "h.placed_at",
            " and coalesce(h.line_id = $4, true) and h.payee_id = coalesce($5, h.payee_id) and coalesce(h.state = $6, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<SqlUuid>, _>(filter.line.map(LineId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.payee.map(PayeeId::uuid))
        .bind::<Nullable<Text>, _>(filter.state.map(HoldState::as_str))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, record, |found| found.hold.id.uuid())
    }

    fn find_hold(&mut self, id: HoldId) -> Result<Option<HoldRecord>, StoreError> {
        let row: Option<HoldRow> =
            query::<HoldColumns>(concat!("select ", hold_columns!(), " from line_hold h where h.id = $1"))
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        row.map(record).transpose()
    }
}

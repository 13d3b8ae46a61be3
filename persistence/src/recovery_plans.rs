//! Plans by which clawbacks are got back.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::Grounds;
use domain::kernel::ids::{PayeeId, RecoveryPlanId};
use domain::kernel::{Page, PageRequest, Rate};
use domain::payouts::recovery::{Cap, PlanState, RecoveryPlan, RecoveryPlanQueries, RecoveryPlanRepository, Term};
use domain::payouts::run::Act;
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, from_instant, instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

/// When a plan bounds what a run sets off, and by how much.
pub(crate) fn term(
    from_on: jiff_diesel::Date,
    ended_on: Option<jiff_diesel::Date>,
    (max_share_ppm, max_minor): (Option<i64>, Option<i64>),
) -> Result<Term, StoreError> {
    let max_share = max_share_ppm.map(Rate::try_new).transpose().map_err(|_| unreadable("a share"))?;
    Ok(Term { from_on: from_on.into(), ended_on: ended_on.map(Into::into), cap: Cap { max_share, max_minor } })
}

type PlanColumns = (
    (SqlUuid, SqlUuid, Nullable<BigInt>, Nullable<BigInt>, Date, Nullable<Date>, Text, Text, Integer),
    (SqlUuid, Timestamptz, Nullable<SqlUuid>, Nullable<Timestamptz>, Nullable<SqlUuid>, Nullable<Timestamptz>),
);
type Said = (Uuid, Uuid, Option<i64>, Option<i64>, jiff_diesel::Date, Option<jiff_diesel::Date>, String, String, i32);
type Acts = (
    Uuid,
    jiff_diesel::Timestamp,
    Option<Uuid>,
    Option<jiff_diesel::Timestamp>,
    Option<Uuid>,
    Option<jiff_diesel::Timestamp>,
);
type PlanRow = (Said, Acts);

/// The columns of [`PlanRow`], in its order.
macro_rules! plan_columns {
    () => {
        "id, payee_id, max_share_ppm, max_minor, from_on, ended_on, reason, state, version,
         proposed_by, proposed_at, decided_by, decided_at, ended_by, ended_at"
    };
}

fn plan((said, acts): PlanRow) -> Result<RecoveryPlan, StoreError> {
    let (id, payee, max_share_ppm, max_minor, from_on, ended_on, reason, state, version) = said;
    let (proposed_by, proposed_at, decided_by, decided_at, ended_by, ended_at) = acts;
    let act = |by: Option<Uuid>, at: Option<jiff_diesel::Timestamp>| by.zip(at.map(from_instant));
    Ok(RecoveryPlan {
        id: RecoveryPlanId::new(id),
        payee: PayeeId::new(payee),
        term: term(from_on, ended_on, (max_share_ppm, max_minor))?,
        reason: Grounds::parse(&reason).map_err(|_| unreadable("the reason of a plan"))?,
        state: PlanState::parse(&state).ok_or_else(|| unreadable("the state of a plan"))?,
        proposed: Act { by: proposed_by, at: from_instant(proposed_at) },
        decided: act(decided_by, decided_at).map(|(by, at)| Act { by, at }),
        ended: act(ended_by, ended_at).map(|(by, at)| Act { by, at }),
        version: u32::try_from(version).map_err(|_| unreadable("a version"))?,
    })
}

fn version(plan: &RecoveryPlan) -> Result<i32, StoreError> {
    i32::try_from(plan.version).map_err(|_| unreadable("a version"))
}

impl RecoveryPlanRepository for PgUnitOfWork<'_> {
    fn lock_plan(&mut self, payee: PayeeId, id: RecoveryPlanId) -> Result<Option<RecoveryPlan>, StoreError> {
        let row: Option<PlanRow> = query::<PlanColumns>(concat!(
            "select ",
            plan_columns!(),
            " from recovery_plan where payee_id = $1 and id = $2 for update"
        ))
        .bind::<SqlUuid, _>(payee.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(plan).transpose()
    }

    fn insert_plan(&mut self, plan: &RecoveryPlan) -> Result<(), StoreError> {
        command(
            "insert into recovery_plan (id, payee_id, max_share_ppm, max_minor, from_on, reason, state, proposed_by, proposed_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind::<SqlUuid, _>(plan.id.uuid())
        .bind::<SqlUuid, _>(plan.payee.uuid())
        .bind::<Nullable<BigInt>, _>(plan.term.cap.max_share.map(Rate::ppm))
        .bind::<Nullable<BigInt>, _>(plan.term.cap.max_minor)
        .bind::<Date, _>(date(plan.term.from_on))
        .bind::<Text, _>(plan.reason.as_str())
        .bind::<Text, _>(plan.state.as_str())
        .bind::<SqlUuid, _>(plan.proposed.by)
        .bind::<Timestamptz, _>(instant(plan.proposed.at))
        .bind::<Integer, _>(version(plan)?)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn update_plan(&mut self, plan: &RecoveryPlan) -> Result<(), StoreError> {
        command(
            "update recovery_plan set state = $1, decided_by = $2, decided_at = $3, ended_on = $4, ended_by = $5, ended_at = $6,
               version = $7 where id = $8",
        )
        .bind::<Text, _>(plan.state.as_str())
        .bind::<Nullable<SqlUuid>, _>(plan.decided.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(plan.decided.map(|act| instant(act.at)))
        .bind::<Nullable<Date>, _>(maybe_date(plan.term.ended_on))
        .bind::<Nullable<SqlUuid>, _>(plan.ended.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(plan.ended.map(|act| instant(act.at)))
        .bind::<Integer, _>(version(plan)?)
        .bind::<SqlUuid, _>(plan.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

impl RecoveryPlanQueries for PgQueries<'_> {
    fn list_plans(&mut self, payee: PayeeId, request: &PageRequest) -> Result<Page<RecoveryPlan>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<PlanRow> = query::<PlanColumns>(listed!(
            paging.order,
            concat!("select ", plan_columns!(), " from recovery_plan where payee_id = $1 and "),
            "id", at "proposed_at", ""
        ))
        .bind::<SqlUuid, _>(payee.uuid())
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, plan, |plan| plan.id.uuid())
    }
}

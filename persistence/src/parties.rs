//! Members and organisations as parties, by their ids.

use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::deals::frozen::{Frozen, LEVELS};
use domain::directory::OrganisationKind;
use domain::directory::party::{MemberParty, OrganisationParty, PartyRepository};
use domain::kernel::ids::{ContactId, MemberId, OrganisationId};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, from_instant};
use crate::error::{store_error, unreadable};
use crate::statement::query;
use crate::store::PgUnitOfWork;

type FrozenColumns = (SqlUuid, Nullable<Text>, Timestamptz, Array<SqlUuid>, Array<SmallInt>);
type FrozenRow = (Uuid, Option<String>, jiff_diesel::Timestamp, Vec<Uuid>, Vec<i16>);

fn frozen((id, cohort, joined_at, uplines, own): FrozenRow) -> Result<(MemberId, Frozen), StoreError> {
    let level = |level: i16| u8::try_from(level).map_err(|_| unreadable("a level of upline"));
    let frozen = Frozen {
        uplines: uplines.into_iter().map(MemberId::new).collect(),
        own_uplines: own.into_iter().map(level).collect::<Result<_, _>>()?,
        participants: Vec::new(),
        cohort,
        joined_on: Some(from_instant(joined_at).sydney_date()),
    };
    Ok((MemberId::new(id), frozen))
}

impl PartyRepository for PgUnitOfWork<'_> {
    fn find_members_by_id(&mut self, ids: &[MemberId]) -> Result<Vec<MemberParty>, StoreError> {
        let rows: Vec<(Uuid, Uuid, Option<Uuid>, bool)> = query::<(SqlUuid, SqlUuid, Nullable<SqlUuid>, Bool)>(
            "select id, organisation_id, upline_id, status = 'active' from member where id = any($1)",
        )
        .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let party = |(id, organisation, upline, active): (Uuid, Uuid, Option<Uuid>, bool)| MemberParty {
            id: MemberId::new(id),
            organisation: OrganisationId::new(organisation),
            upline: upline.map(MemberId::new),
            active,
        };
        Ok(rows.into_iter().map(party).collect())
    }

    fn find_frozen(
        &mut self,
        members: &[MemberId],
        on: jiff::civil::Date,
    ) -> Result<Vec<(MemberId, Frozen)>, StoreError> {
        if members.is_empty() {
            return Ok(Vec::new());
        }
        // Of two facts of one day the one that was recorded last counts, for uplines as for payees.
        let rows: Vec<FrozenRow> = query::<FrozenColumns>(
            "with recursive asked (on_day) as (select $1::date), above (referrer, member_id, level) as (
               select id, id, 0 from unnest($2::uuid[]) as r (id)
               union all
               select a.referrer, u.upline_id, a.level + 1 from above a cross join asked
               cross join lateral (select m.upline_id from member_upline m where m.member_id = a.member_id and m.effective_on <= on_day
                 order by m.effective_on desc, m.recorded_at desc limit 1) u
               where u.upline_id is not null and a.level < $3
             ), standing as (
               select a.referrer, a.member_id, a.level, m.contact_id, m.cohort, m.created_at, p.payee_id
               from above a cross join asked join member m on m.id = a.member_id
               left join lateral (select p.payee_id from member_payee p where p.member_id = a.member_id and p.effective_on <= on_day
                 order by p.effective_on desc, p.recorded_at desc limit 1) p on true
             )
             select r.member_id, r.cohort, r.created_at,
               array(select u.member_id from standing u where u.referrer = r.member_id and u.level > 0 order by u.level),
               array(select u.level::smallint from standing u where u.referrer = r.member_id and u.level > 0
                 and (u.contact_id = r.contact_id or u.payee_id = r.payee_id) order by u.level)
             from standing r where r.level = 0",
        )
        .bind::<Date, _>(date(on))
        .bind::<Array<SqlUuid>, _>(members.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .bind::<Integer, _>(i32::from(LEVELS))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(frozen).collect()
    }

    fn find_organisations_by_id(&mut self, ids: &[OrganisationId]) -> Result<Vec<OrganisationParty>, StoreError> {
        let rows: Vec<(Uuid, String, bool)> =
            query::<(SqlUuid, Text, Bool)>("select id, kind, status = 'active' from organisation where id = any($1)")
                .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
                .load(self.pg)
                .map_err(store_error)?;
        rows.into_iter()
            .map(|(id, kind, active)| {
                let kind = OrganisationKind::parse(&kind).map_err(|_| unreadable("the kind of an organisation"))?;
                Ok(OrganisationParty { id: OrganisationId::new(id), kind, active })
            })
            .collect()
    }

    fn find_taken_contacts(&mut self, ids: &[ContactId]) -> Result<Vec<ContactId>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Uuid> = query::<SqlUuid>("select id from contact where id = any($1)")
            .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
            .load(self.pg)
            .map_err(store_error)?;
        Ok(rows.into_iter().map(ContactId::new).collect())
    }
}

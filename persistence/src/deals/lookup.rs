//! Looking deals up: lists, timelines, participants, commission, the pipeline.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::access::Subject;
use domain::catalogue::{VerticalCode, reference};
use domain::deals::deal::Stage;
use domain::deals::lookup::{
    Commission, DealFilter, Event, FoundCalculation, FoundDeal, Happened, Participant, Party, PipelineStage,
};
use domain::deals::repository::{DealQueries, StageCount};
use domain::kernel::ids::{
    AgreementId, ApiClientId, CalculationId, ContactId, DealId, DealImportId, HandshakeId, MemberId, OrganisationId,
    UserId,
};
use domain::kernel::{Instant, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use super::{DealColumns, DealRow, deal_columns, sold};
use crate::bind::{date, digest, to_u64};
use crate::error::{store_error, unreadable};
use crate::ledger::{LineColumns, LineRow, line_columns};
use crate::page::{Paging, by_id, listed};
use crate::statement::query;
use crate::store::PgQueries;

type FoundColumns = (DealColumns, (Text, Text, Timestamptz, Timestamptz, Integer));
type FoundRow = (DealRow, (String, String, jiff_diesel::Timestamp, jiff_diesel::Timestamp, i32));

fn found((row, (product, vertical, created_at, updated_at, version)): FoundRow) -> Result<FoundDeal, StoreError> {
    let (product, vertical) = sold(&product, &vertical)?;
    let deal = row.restore()?;
    let (created_at, updated_at) = (Instant::new(created_at.into()), Instant::new(updated_at.into()));
    Ok(FoundDeal { deal, product, vertical, created_at, updated_at, version })
}

/// What [`found`] reads, up to where the condition goes.
macro_rules! select_deals {
    ($condition:literal) => {
        concat!(
            "select ",
            deal_columns!(),
            ", p.code, v.code, d.created_at, d.updated_at, d.version
             from deal d join product p on p.id = d.product_id join vertical v on v.id = d.vertical_id where ",
            $condition
        )
    };
}

fn stage(text: &str) -> Result<Stage, StoreError> {
    Stage::parse(text).ok_or_else(|| unreadable("a stage"))
}

/// One row of the union of moves, facts and statements.
type EventRow = (
    String,
    Option<jiff_diesel::Date>,
    jiff_diesel::Timestamp,
    String,
    Option<String>,
    Option<String>,
    Option<Uuid>,
    Option<Uuid>,
    Option<Uuid>,
    Option<Vec<u8>>,
    Option<String>,
);
type EventColumns = (
    Text,
    Nullable<Date>,
    Timestamptz,
    Text,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
    Nullable<Bytea>,
    Nullable<Text>,
);

fn subject(kind: Option<&str>, id: Uuid) -> Option<Subject> {
    match kind? {
        "user" => Some(Subject::User(UserId::new(id))),
        _ => Some(Subject::Client(ApiClientId::new(id))),
    }
}

fn event(row: EventRow) -> Result<Event, StoreError> {
    let (what, occurred_on, known_at, name, first, second, one, two, three, body, third) = row;
    let missing = || unreadable("an event of a deal");
    let happened = match what.as_str() {
        "moved" => Happened::Moved {
            from: first.as_deref().map(stage).transpose()?,
            to: stage(&name)?,
            reason: second.ok_or_else(missing)?,
            actor: one.and_then(|id| subject(third.as_deref(), id)),
        },
        "said" => Happened::Said {
            id: one.ok_or_else(missing)?,
            kind: name,
            body: body.ok_or_else(missing)?,
            source: OrganisationId::new(two.ok_or_else(missing)?),
            import: three.map(DealImportId::new),
        },
        "stated" => Happened::Stated {
            handshake: HandshakeId::new(one.ok_or_else(missing)?),
            kind: name,
            kid: first.ok_or_else(missing)?,
            assurance: second.ok_or_else(missing)?,
        },
        _ => return Err(missing()),
    };
    Ok(Event { occurred_on: occurred_on.map(Into::into), known_at: Instant::new(known_at.into()), happened })
}

fn participant((role, level, id, name): (String, i32, Uuid, Option<String>)) -> Result<Participant, StoreError> {
    let (party, role) = match role.as_str() {
        "provider" => (Party::Organisation(OrganisationId::new(id)), "provider"),
        "introducer" => (Party::Organisation(OrganisationId::new(id)), "introducer"),
        "member" => (Party::Member(MemberId::new(id)), "member"),
        "upline" => (Party::Member(MemberId::new(id)), "upline"),
        "participant" => (Party::Member(MemberId::new(id)), "participant"),
        "client" => (Party::Contact(ContactId::new(id)), "client"),
        _ => return Err(unreadable("a part in a deal")),
    };
    let level = u8::try_from(level).map_err(|_| unreadable("a level of upline"))?;
    Ok(Participant { party, role, level: Some(level).filter(|level| *level > 0), name })
}

type CalculationRow = (Uuid, Uuid, i32, Option<jiff_diesel::Date>, i16, Vec<u8>, Vec<u8>, jiff_diesel::Timestamp);

fn calculation(
    (id, agreement, number, period, engine, input, output, known_at): CalculationRow,
) -> Result<FoundCalculation, StoreError> {
    Ok(FoundCalculation {
        id: CalculationId::new(id),
        version: (AgreementId::new(agreement), u32::try_from(number).map_err(|_| unreadable("a version number"))?),
        period: period.map(Into::into),
        engine: u16::try_from(engine).map_err(|_| unreadable("an engine"))?,
        input_sha256: digest(&input)?,
        output_sha256: digest(&output)?,
        known_at: Instant::new(known_at.into()),
    })
}

impl DealQueries for PgQueries<'_> {
    fn count_by_stage(&mut self) -> Result<Vec<StageCount>, StoreError> {
        let rows: Vec<(String, i64)> =
            query::<(Text, BigInt)>("select stage, count(*) from deal group by stage order by stage")
                .load(self.pg)
                .map_err(store_error)?;
        Ok(rows.into_iter().map(|(stage, deals)| StageCount { stage, deals }).collect())
    }

    fn list(&mut self, filter: &DealFilter, page: &PageRequest) -> Result<Page<FoundDeal>, StoreError> {
        let paging = Paging::newest_first(page);
        let vertical = filter.vertical.map(|code| reference::vertical_id(code).uuid());
        // A reference has a statement of its own: a condition that may be absent would not use its index.
        let statement = match &filter.external_ref {
            Some(external_ref) => query::<FoundColumns>(listed!(
                paging.order,
                select_deals!("d.external_ref = $1 and "),
                "d.id", at "d.created_at", " and d.stage = coalesce($5, d.stage) and d.vertical_id = coalesce($6, d.vertical_id)
                 and d.member_id = coalesce($7, d.member_id)"
            ))
            .bind::<Text, _>(external_ref.as_str()),
            None => query::<FoundColumns>(listed!(
                paging.order,
                select_deals!(""),
                "d.id", at "d.created_at", " and d.stage = coalesce($4, d.stage) and d.vertical_id = coalesce($5, d.vertical_id)
                 and d.member_id = coalesce($6, d.member_id)"
            )),
        };
        let rows: Vec<FoundRow> = statement
            .after_id(paging)?
            .between(paging)
            .bind::<Nullable<Text>, _>(filter.stage.map(Stage::as_str))
            .bind::<Nullable<SqlUuid>, _>(vertical)
            .bind::<Nullable<SqlUuid>, _>(filter.member.map(MemberId::uuid))
            .limit(paging)
            .load(self.pg)
            .map_err(store_error)?;
        by_id(rows, page, found, |found| found.deal.id.uuid())
    }

    fn find(&mut self, deal: DealId) -> Result<Option<FoundDeal>, StoreError> {
        let row: Option<FoundRow> = query::<FoundColumns>(select_deals!("d.id = $1"))
            .bind::<SqlUuid, _>(deal.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        row.map(found).transpose()
    }

    fn timeline(&mut self, deal: DealId) -> Result<Vec<Event>, StoreError> {
        let rows: Vec<EventRow> = query::<EventColumns>(
            "select what, occurred_on, known_at, name, first, second, one, two, three, body,
               case when exists (select from app_user u where u.id = one) then 'user' when exists (select from api_client c where c.id = one) then 'api_client' end
             from (
               select 'said' as what, occurred_on, known_at, 0 as place, kind as name, null::text as first, null::text as second,
                 id as one, source_organisation_id as two, import_id as three, body from deal_fact where deal_id = $1
               union all
               select 'moved', occurred_on, known_at, n + 1, to_stage, from_stage, reason, actor_id, null, null, null from deal_transition where deal_id = $2
               union all
               select 'stated', null, s.created_at, array_position(array['offer', 'accept', 'seal'], s.kind) - 10, s.kind, s.kid, coalesce(s.assurance, h.assurance), h.id, null, null, null
                 from handshake h join handshake_statement s on s.handshake_id = h.id where h.deal_id = $3
             ) e order by known_at, place",
        )
        .bind::<SqlUuid, _>(deal.uuid())
        .bind::<SqlUuid, _>(deal.uuid())
        .bind::<SqlUuid, _>(deal.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(event).collect()
    }

    fn participants(&mut self, deal: DealId) -> Result<Vec<Participant>, StoreError> {
        let rows: Vec<(String, i32, Uuid, Option<String>)> = query::<(Text, Integer, SqlUuid, Nullable<Text>)>(
            "select role, level, party, coalesce(o.name, n.name) from deal d
             cross join lateral (
               values (1, 'provider', 0, d.provider_id), (2, 'introducer', 0, d.introducer_id), (3, 'member', 0, d.member_id), (6, 'client', 0, d.client_id)
               union all select 4, 'upline', u.level::int, u.id from unnest(coalesce(d.upline_ids, array[d.upline_id])) with ordinality as u (id, level)
               union all select 5, 'participant', o.place::int, o.id from unnest(d.participant_ids) with ordinality as o (id, place)
             ) as p (place, role, level, party)
             left join organisation o on o.id = party
             left join member m on m.id = party
             left join personal_data n on n.subject_kind = 'contact' and n.subject_id = coalesce(m.contact_id, party)
             where d.id = $1 and party is not null order by place, level",
        )
        .bind::<SqlUuid, _>(deal.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(participant).collect()
    }

    fn commission(&mut self, deal: DealId) -> Result<Commission, StoreError> {
        let lines: Vec<LineRow> = query::<LineColumns>(concat!(
            "select ",
            line_columns!(),
            " from commission_line where deal_id = $1 order by period nulls first, component, role, level"
        ))
        .bind::<SqlUuid, _>(deal.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let calculations: Vec<CalculationRow> =
            query::<(SqlUuid, SqlUuid, Integer, Nullable<Date>, SmallInt, Bytea, Bytea, Timestamptz)>(
                "select id, agreement_id, version_number, period, engine_version, input_sha256, output_sha256, known_at
                 from calculation where deal_id = $1 order by known_at, id",
            )
            .bind::<SqlUuid, _>(deal.uuid())
            .load(self.pg)
            .map_err(store_error)?;
        Ok(Commission {
            lines: lines.into_iter().map(LineRow::restore).collect::<Result<_, _>>()?,
            calculations: calculations.into_iter().map(calculation).collect::<Result<_, _>>()?,
        })
    }

    fn pipeline(
        &mut self,
        vertical: Option<VerticalCode>,
        today: jiff::civil::Date,
    ) -> Result<Vec<PipelineStage>, StoreError> {
        let rows: Vec<(String, Vec<i64>)> = query::<(Text, Array<BigInt>)>(
            "select stage, array[count(*), least(coalesce(sum(settled_minor), 0), 9223372036854775807)::bigint,
               count(*) filter (where age <= 30), count(*) filter (where age between 31 and 90), count(*) filter (where age > 90), greatest(max(age), 0)]
             from (select d.stage, d.settled_minor, $1::date - coalesce(
                     (select t.occurred_on from deal_transition t where t.deal_id = d.id order by t.n desc limit 1), d.referred_on) as age
                   from deal d where d.vertical_id = coalesce($2, d.vertical_id)) d
             group by stage",
        )
        .bind::<Date, _>(date(today))
        .bind::<Nullable<SqlUuid>, _>(vertical.map(|code| reference::vertical_id(code).uuid()))
        .load(self.pg)
        .map_err(store_error)?;
        let mut stages = rows.into_iter().map(pipeline_stage).collect::<Result<Vec<_>, _>>()?;
        stages.sort_by_key(|row| row.stage);
        Ok(stages)
    }
}

fn pipeline_stage((name, figures): (String, Vec<i64>)) -> Result<PipelineStage, StoreError> {
    let [deals, settled_minor, young, middle, old, oldest] =
        figures.try_into().map_err(|_| unreadable("the figures of a stage"))?;
    Ok(PipelineStage {
        stage: stage(&name)?,
        deals: to_u64(deals)?,
        settled_minor,
        up_to_30_days: to_u64(young)?,
        up_to_90_days: to_u64(middle)?,
        over_90_days: to_u64(old)?,
        oldest_days: u32::try_from(oldest).map_err(|_| unreadable("an age"))?,
    })
}

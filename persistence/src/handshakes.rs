//! Handshakes: known offers, handshakes to countersign, and handshakes to show.

use std::collections::BTreeMap;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::agreements::facts::DealFacts;
use domain::catalogue::VerticalCode;
use domain::chain::statement::Assurance;
use domain::deals::deal::Stage;
use domain::deals::handshake_repository::{
    HandshakeQueries, HandshakeRepository, KnownReferral, LockedHandshake, PreviousSeal, SealedDeal, SeenHandshake,
    SeenStatement, StatementDigests,
};
use domain::deals::repository::HandshakeStatement;
use domain::directory::contact::PersonalData;
use domain::directory::{Email, PersonName, Phone};
use domain::kernel::ids::{AgreementId, ContactId, DealId, HandshakeId, MemberId, OrganisationId};
use domain::kernel::{Digest, Instant, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, instant, to_u64};
use crate::deals::FrozenSets;
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type KnownColumns = (
    (SqlUuid, SqlUuid, SqlUuid, SqlUuid, Nullable<Text>),
    (Nullable<Bytea>, Text, Nullable<Bytea>, Nullable<Bytea>),
    (Nullable<Text>, Nullable<Text>, Nullable<Text>),
);
type KnownRow = (
    (Uuid, Uuid, Uuid, Uuid, Option<String>),
    (Option<Vec<u8>>, String, Option<Vec<u8>>, Option<Vec<u8>>),
    (Option<String>, Option<String>, Option<String>),
);

/// What identifies a client, while it is there.
fn personal(
    (name, email, phone): (Option<String>, Option<String>, Option<String>),
) -> Result<Option<PersonalData>, StoreError> {
    let Some(name) = name else { return Ok(None) };
    Ok(Some(PersonalData {
        name: PersonName::parse(&name).map_err(|_| unreadable("a name"))?,
        email: email.map(|text| Email::parse(&text).map_err(|_| unreadable("an e-mail address"))).transpose()?,
        phone: phone.map(|text| Phone::parse(&text).map_err(|_| unreadable("a telephone number"))).transpose()?,
    }))
}

/// A deal without a handshake has no offer: nothing can equal its zero digests.
fn known(row: KnownRow) -> Result<KnownReferral, StoreError> {
    let ((deal, handshake, client, source, external_ref), (terms, assurance, payload, envelope), said) = row;
    let or_none = |bytes: Option<Vec<u8>>| bytes.map_or(Ok(Digest([0; 32])), |bytes| digest(&bytes));
    Ok(KnownReferral {
        deal: DealId::new(deal),
        handshake: HandshakeId::new(handshake),
        client: ContactId::new(client),
        personal: personal(said)?,
        source: OrganisationId::new(source),
        external_ref,
        terms_sha256: terms.map(|bytes| digest(&bytes)).transpose()?,
        assurance,
        offer_payload_sha256: or_none(payload)?,
        offer_sha256: or_none(envelope)?,
    })
}

/// A handshake and its deal, without its statements.
#[derive(Queryable)]
struct LockedRow {
    id: Uuid,
    deal_id: Uuid,
    provider_id: Uuid,
    introducer_id: Uuid,
    member_id: Uuid,
    vertical: String,
    referred_on: jiff_diesel::Date,
    contracted_on: Option<jiff_diesel::Date>,
    stage: String,
    transitions: i32,
    assurance: String,
    terms: Option<Vec<u8>>,
    agreement_id: Option<Uuid>,
    version_number: Option<i32>,
    last_hop: i32,
    previous_id: Option<Uuid>,
    previous_seal: Option<Vec<u8>>,
    from_organisation_id: Option<Uuid>,
    to_organisation_id: Uuid,
    passed_by: bool,
    handed_over: bool,
    erased: bool,
}

type LockedColumns = (
    SqlUuid,
    SqlUuid,
    SqlUuid,
    SqlUuid,
    SqlUuid,
    Text,
    Date,
    Nullable<Date>,
    Text,
    Integer,
    Text,
    Nullable<Bytea>,
    Nullable<SqlUuid>,
    Nullable<Integer>,
    Integer,
    Nullable<SqlUuid>,
    Nullable<Bytea>,
    Nullable<SqlUuid>,
    SqlUuid,
    Bool,
    Bool,
    Bool,
);

type Made = BTreeMap<(Uuid, String), StatementDigests>;

impl LockedRow {
    fn restore(self, made: &Made) -> Result<LockedHandshake, StoreError> {
        let statement = |kind: &str| made.get(&(self.id, kind.to_owned())).copied();
        let agreement = match (self.agreement_id, self.version_number) {
            (Some(id), Some(number)) => {
                Some((AgreementId::new(id), u32::try_from(number).map_err(|_| unreadable("a version number"))?))
            }
            _ => None,
        };
        Ok(LockedHandshake {
            id: HandshakeId::new(self.id),
            last_hop: self.last_hop,
            previous: self
                .previous_id
                .map(|id| PreviousSeal { handshake: HandshakeId::new(id), envelope: self.previous_seal }),
            from: self.from_organisation_id.map(OrganisationId::new),
            to: OrganisationId::new(self.to_organisation_id),
            passed_by: self.passed_by,
            handed_over: self.handed_over,
            deal: DealId::new(self.deal_id),
            provider: OrganisationId::new(self.provider_id),
            introducer: OrganisationId::new(self.introducer_id),
            member: MemberId::new(self.member_id),
            vertical: VerticalCode::parse(&self.vertical).map_err(|_| unreadable("a vertical's code"))?,
            facts: DealFacts {
                referred_on: self.referred_on.into(),
                contracted_on: self.contracted_on.map(Into::into),
                settlement: None,
                discharged_on: None,
            },
            stage: Stage::parse(&self.stage).ok_or_else(|| unreadable("a stage"))?,
            transitions: self.transitions,
            offer: statement("offer").ok_or_else(|| unreadable("a handshake without offer"))?,
            accept: statement("accept"),
            seal: statement("seal"),
            assurance: self.assurance,
            terms: self.terms,
            agreement,
            erased: self.erased,
        })
    }
}

/// The digests of the statements of handshakes.
fn made(pg: &mut PgConnection, ids: &[Uuid]) -> Result<Made, StoreError> {
    let rows: Vec<(Uuid, String, Vec<u8>, Vec<u8>)> = query::<(SqlUuid, Text, Bytea, Bytea)>(
        "select handshake_id, kind, payload_sha256, envelope_sha256 from handshake_statement where handshake_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(pg)
    .map_err(store_error)?;
    rows.into_iter()
        .map(|(handshake, kind, payload, envelope)| {
            Ok(((handshake, kind), StatementDigests { payload: digest(&payload)?, envelope: digest(&envelope)? }))
        })
        .collect()
}

impl HandshakeRepository for PgUnitOfWork<'_> {
    fn find_by_offers(&mut self, payloads: &[Digest]) -> Result<Vec<KnownReferral>, StoreError> {
        if payloads.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<KnownRow> = query::<KnownColumns>(
            "select d.id, h.id, d.client_id, d.source_organisation_id, d.external_ref, d.source_sha256, h.assurance, s.payload_sha256, s.envelope_sha256, p.name, p.email, p.phone
             from handshake_statement s join handshake h on h.id = s.handshake_id join deal d on d.id = h.deal_id
             left join personal_data p on p.subject_id = d.client_id
             where s.kind = 'offer' and s.payload_sha256 = any($1)",
        )
        .bind::<Array<Bytea>, _>(payloads.iter().map(|p| p.bytes().as_slice()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(known).collect()
    }

    fn find_by_references(
        &mut self,
        sources: &[OrganisationId],
        refs: &[String],
    ) -> Result<Vec<KnownReferral>, StoreError> {
        if refs.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<KnownRow> = query::<KnownColumns>(
            "select d.id, coalesce(h.id, d.id), d.client_id, d.source_organisation_id, d.external_ref, d.source_sha256, coalesce(h.assurance, 'attested'), s.payload_sha256, s.envelope_sha256, p.name, p.email, p.phone
             from (select distinct source_id, external_ref from unnest($1::uuid[], $2::text[]) as w (source_id, external_ref)) w
             join deal d on d.source_organisation_id = w.source_id and d.external_ref = w.external_ref
             left join handshake h on h.deal_id = d.id and h.hop = 0
             left join handshake_statement s on s.handshake_id = h.id and s.kind = 'offer'
             left join personal_data p on p.subject_id = d.client_id",
        )
        .bind::<Array<SqlUuid>, _>(sources.iter().map(|s| s.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(refs)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(known).collect()
    }

    fn find_taken(&mut self, ids: &[HandshakeId]) -> Result<Vec<HandshakeId>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Uuid> = query::<SqlUuid>("select id from handshake where id = any($1)")
            .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
            .load(self.pg)
            .map_err(store_error)?;
        Ok(rows.into_iter().map(HandshakeId::new).collect())
    }

    fn lock(&mut self, ids: &[HandshakeId]) -> Result<Vec<LockedHandshake>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        // Locked before anything is read: a read in the same statement would see what was there before the wait.
        command("select d.id from deal d where d.id in (select deal_id from handshake where id = any($1)) order by d.id for update")
            .bind::<Array<SqlUuid>, _>(&ids)
            .execute(self.pg)
            .map_err(store_error)?;
        let rows: Vec<LockedRow> = query::<LockedColumns>(
            "select h.id, d.id, d.provider_id, d.introducer_id, d.member_id, v.code, d.referred_on, d.contracted_on, d.stage,
                    (select count(*)::int from deal_transition t where t.deal_id = d.id), h.assurance,
                    (select f.body from deal_fact f where f.deal_id = d.id and f.kind = 'referral' and f.import_id is null order by f.known_at, f.id limit 1),
                    d.agreement_id, d.version_number, (select max(o.hop) from handshake o where o.deal_id = d.id), h.previous_id,
                    (select c.secret from handshake_statement s join chain_secret c on c.source_id = s.id and c.kind = 'envelope'
                       where s.handshake_id = h.previous_id and s.kind = 'seal'),
                    h.from_organisation_id, coalesce(h.to_organisation_id, d.provider_id),
                    exists (select from handshake o join handshake_statement s on s.handshake_id = o.id and s.kind = 'seal' where o.previous_id = h.previous_id and o.id <> h.id),
                    exists (select from handshake o join handshake_statement s on s.handshake_id = o.id and s.kind = 'seal' where o.previous_id = h.id),
                    exists (select from handshake_statement s join chain_erased e on e.source_id = s.id where s.handshake_id = h.id)
             from handshake h join deal d on d.id = h.deal_id join vertical v on v.id = d.vertical_id
             where h.id = any($1)",
        )
        .bind::<Array<SqlUuid>, _>(&ids)
        .load(self.pg)
        .map_err(store_error)?;
        let made = made(self.pg, &ids)?;
        rows.into_iter().map(|row| row.restore(&made)).collect()
    }

    fn append_statements(&mut self, statements: &[HandshakeStatement], at: Instant) -> Result<(), StoreError> {
        command(
            "insert into handshake_statement (created_at, id, handshake_id, kind, kid, payload_sha256, envelope_sha256, assurance)
             select $1, * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::bytea[], $8::text[])",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(statements.iter().map(|s| s.id).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(statements.iter().map(|s| s.handshake.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(statements.iter().map(|s| s.kind).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(statements.iter().map(|s| s.kid.as_str()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(statements.iter().map(|s| s.payload_sha256.bytes().as_slice()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(statements.iter().map(|s| s.envelope_sha256.bytes().as_slice()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(statements.iter().map(|s| s.assurance.as_str()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn seal_deals(&mut self, deals: &[SealedDeal], at: Instant) -> Result<(), StoreError> {
        if deals.is_empty() {
            return Ok(());
        }
        let parties = FrozenSets::of(deals.iter().map(|d| (d.frozen.uplines.first().copied(), Some(&d.frozen))));
        let numbers: Vec<i32> = deals
            .iter()
            .map(|d| i32::try_from(d.agreement.1).map_err(|_| unreadable("a version number")))
            .collect::<Result<_, _>>()?;
        command(
            "update deal set updated_at = $1, version = deal.version + 1, stage = d.stage, upline_id = d.upline_id, agreement_id = d.agreement_id, version_number = d.number,
               upline_ids = d.upline_ids::uuid[], own_uplines = d.own_uplines::smallint[], participant_ids = d.participant_ids::uuid[], cohort = d.cohort, joined_on = d.joined_on
             from unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::int[], $7::text[], $8::text[], $9::text[], $10::text[], $11::date[])
               as d (id, stage, upline_id, agreement_id, number, upline_ids, own_uplines, participant_ids, cohort, joined_on) where deal.id = d.id",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(deals.iter().map(|d| d.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(deals.iter().map(|d| d.stage.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(parties.upline)
        .bind::<Array<SqlUuid>, _>(deals.iter().map(|d| d.agreement.0.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(numbers)
        .bind::<Array<Nullable<Text>>, _>(parties.uplines)
        .bind::<Array<Nullable<Text>>, _>(parties.own_uplines)
        .bind::<Array<Nullable<Text>>, _>(parties.participants)
        .bind::<Array<Nullable<Text>>, _>(parties.cohort)
        .bind::<Array<Nullable<Date>>, _>(parties.joined_on)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

type SeenColumns = (SqlUuid, Text, Text, Text, Bytea, Bytea, Nullable<Bytea>, Nullable<BigInt>, Timestamptz);
type SeenRow = (Uuid, String, String, String, Vec<u8>, Vec<u8>, Option<Vec<u8>>, Option<i64>, jiff_diesel::Timestamp);

fn seen(row: SeenRow) -> Result<SeenStatement, StoreError> {
    let (id, kind, kid, assurance, payload, envelope_sha256, envelope, index, at) = row;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| unreadable("an envelope"));
    Ok(SeenStatement {
        id,
        kind,
        kid,
        assurance: Assurance::parse(&assurance).ok_or_else(|| unreadable("the assurance of a statement"))?,
        payload_sha256: digest(&payload)?,
        envelope_sha256: digest(&envelope_sha256)?,
        envelope: envelope.map(text).transpose()?,
        index: index.map(to_u64).transpose()?,
        created_at: Instant::new(at.into()),
    })
}

impl HandshakeQueries for PgQueries<'_> {
    fn find_handshake(&mut self, id: HandshakeId) -> Result<Option<SeenHandshake>, StoreError> {
        type Found = (Uuid, String, String, Option<Uuid>, jiff_diesel::Timestamp);
        let found: Option<Found> = query::<(SqlUuid, Text, Text, Nullable<SqlUuid>, Timestamptz)>(
            "select deal_id, stage_of_handshake(id), assurance, previous_id, created_at from handshake where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        let Some((deal, stage, assurance, previous, created_at)) = found else { return Ok(None) };
        let rows: Vec<SeenRow> = query::<SeenColumns>(
            "select s.id, s.kind, s.kid, coalesce(s.assurance, h.assurance), s.payload_sha256, s.envelope_sha256, c.secret, l.index, s.created_at
             from handshake_statement s join handshake h on h.id = s.handshake_id left join chain_secret c on c.source_id = s.id and c.kind = 'envelope'
             left join chain_leaf l on l.source_id = s.id
             where s.handshake_id = $1 order by array_position(array['offer', 'accept', 'seal'], s.kind)",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        Ok(Some(SeenHandshake {
            id,
            deal: DealId::new(deal),
            stage,
            assurance,
            previous: previous.map(HandshakeId::new),
            created_at: Instant::new(created_at.into()),
            statements: rows.into_iter().map(seen).collect::<Result<_, _>>()?,
        }))
    }

    fn list_handshake_ids(&mut self, page: &PageRequest) -> Result<Page<HandshakeId>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<(Uuid,)> = query::<(SqlUuid,)>(listed!(
            paging.order,
            "select id from handshake where ",
            "id", at "created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, |(id,)| Ok(HandshakeId::new(id)), |id| id.uuid())
    }
}

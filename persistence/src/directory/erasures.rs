//! Erasures of contacts: their traces, what is taken away, and what is kept of it.

use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Date as SqlDate, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use domain::deals::deal::Stage;
use domain::directory::erasure::{DealTrace, ERASED_NAME, Footprint, Part, PayeeTrace};
use domain::directory::erasure_repository::{
    ErasableSecret, ErasureQueries, ErasureRecord, ErasureRepository, SeenErasure,
};
use domain::kernel::ids::{ApiClientId, ContactId, DealId, ErasureId, MemberId, PayeeId, UserId};
use domain::kernel::{Page, PageRequest, jcs};
use domain::store::StoreError;
use jiff::civil::Date;
use uuid::Uuid;

use crate::bind::{date, digest, from_instant, instant, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type TraceRow = (Uuid, bool, bool, Option<jiff_diesel::Timestamp>);
type TraceColumns = (SqlUuid, Bool, Bool, Nullable<Timestamptz>);

type ErasureColumns = (SqlUuid, SqlUuid, Integer, Bytea, Text, SqlUuid, Timestamptz, Nullable<BigInt>);

#[derive(Queryable)]
struct ErasureRow {
    id: Uuid,
    contact: Uuid,
    leaves: i32,
    commitments: Vec<u8>,
    report: String,
    erased_by: Uuid,
    erased_at: jiff_diesel::Timestamp,
    index: Option<i64>,
}

impl ErasureRow {
    fn restore(self) -> Result<SeenErasure, StoreError> {
        let record = ErasureRecord {
            id: ErasureId::new(self.id),
            contact: ContactId::new(self.contact),
            leaves: u32::try_from(self.leaves).map_err(|_| unreadable("a number of leaves"))?,
            commitments_sha256: digest(&self.commitments)?,
            report: serde_json::from_str(&self.report).map_err(|_| unreadable("the report of an erasure"))?,
            erased_by: self.erased_by,
            erased_at: from_instant(self.erased_at),
        };
        Ok(SeenErasure { record, index: self.index.map(to_u64).transpose()? })
    }
}

fn uuids(deals: &[DealId]) -> Vec<Uuid> {
    deals.iter().map(|deal| deal.uuid()).collect()
}

/// The stages of deals that may still be settled.
fn open_stages() -> Vec<&'static str> {
    Stage::ALL.into_iter().filter(|stage| stage.is_open()).map(Stage::as_str).collect()
}

impl PgUnitOfWork<'_> {
    /// A deal that may still settle is owed, whatever lies on its lines today. What is in transit was paid: what comes back of it comes within days, and the retention lasts for years.
    fn deal_traces(&mut self, contact: ContactId) -> Result<Vec<DealTrace>, StoreError> {
        let rows: Vec<TraceRow> = query::<TraceColumns>(
            "with asked (contact) as (select $1::uuid)
             select d.id, d.client_id = asked.contact,
               money.owed or d.stage = any ($2), paid.at
             from asked join deal d on d.client_id = asked.contact
               or d.member_id in (select m.id from member m where m.contact_id = asked.contact)
             cross join lateral (select coalesce(bool_or((suspense_minor, accrued_minor, held_minor, available_minor, recoverable_minor)
               <> (0, 0, 0, 0, 0)), false) from commission_line l where l.deal_id = d.id and l.member_id is not null) money (owed)
             cross join lateral (select max(p.created_at) from commission_line l join payout_line s on s.line_id = l.id
               join payout p on p.id = s.payout_id and p.state <> 'returned' where l.deal_id = d.id) paid (at)
             where exists (select from chain_secret c where c.subject_id = d.id) order by d.id",
        )
        .bind::<SqlUuid, _>(contact.uuid())
        .bind::<Array<Text>, _>(open_stages())
        .load(self.pg)
        .map_err(store_error)?;
        let trace = |(deal, client, owed, paid): TraceRow| DealTrace {
            deal: DealId::new(deal),
            part: if client { Part::Client } else { Part::Referrer },
            owed,
            paid_at: paid.map(from_instant),
        };
        Ok(rows.into_iter().map(trace).collect())
    }

    fn payee_traces(&mut self, contact: ContactId) -> Result<Vec<PayeeTrace>, StoreError> {
        let rows: Vec<TraceRow> = query::<TraceColumns>(
            "with asked (contact) as (select $1::uuid)
             select p.id,
               exists (select from member_payee o join member m on m.id = o.member_id
                 where o.payee_id = p.id and m.contact_id is distinct from asked.contact),
               exists (select from ledger_account a join ledger_balance b on b.account_id = a.id
                 where a.party_id = p.id and a.kind <> 'payee_in_transit' and b.balance_minor <> 0)
                 or exists (select from member_payee o join deal d on d.member_id = o.member_id or o.member_id = any (d.upline_ids)
                   where o.payee_id = p.id and d.stage = any ($2)),
               (select max(o.created_at) from payout o where o.payee_id = p.id and o.state <> 'returned')
             from asked join payee p on p.id in (select s.payee_id from member m join member_payee s on s.member_id = m.id
               where m.contact_id = asked.contact)
             where p.erased_at is null order by p.id for update of p",
        )
        .bind::<SqlUuid, _>(contact.uuid())
        .bind::<Array<Text>, _>(open_stages())
        .load(self.pg)
        .map_err(store_error)?;
        let trace = |(payee, shared, owed, paid): TraceRow| PayeeTrace {
            payee: PayeeId::new(payee),
            shared,
            owed,
            paid_at: paid.map(from_instant),
        };
        Ok(rows.into_iter().map(trace).collect())
    }
}

impl ErasureRepository for PgUnitOfWork<'_> {
    fn find_footprint(&mut self, contact: ContactId) -> Result<Footprint, StoreError> {
        let payees = self.payee_traces(contact)?;
        let users: Vec<Uuid> = query::<SqlUuid>(
            "select u.id from app_user u join member m on m.id = u.member_id left join personal_data p on p.subject_id = u.id
             where m.contact_id = $1 and (p.email is not null or u.oidc_subject_sha256 is not null) order by u.id",
        )
        .bind::<SqlUuid, _>(contact.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let clients: Vec<Uuid> = query::<SqlUuid>(
            "select c.id from api_client c join member m on m.id = c.member_id where m.contact_id = $1 and c.revoked_at is null order by c.id",
        )
        .bind::<SqlUuid, _>(contact.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let users = users.into_iter().map(UserId::new).collect();
        let clients = clients.into_iter().map(ApiClientId::new).collect();
        Ok(Footprint { deals: self.deal_traces(contact)?, payees, users, clients })
    }

    fn lock_deals(&mut self, contact: ContactId) -> Result<(), StoreError> {
        command(
            "with asked (contact) as (select $1::uuid)
             select d.id from deal d where d.client_id = (select contact from asked)
               or d.member_id in (select m.id from member m where m.contact_id = (select contact from asked))
             order by d.id for update",
        )
        .bind::<SqlUuid, _>(contact.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn list_erasable(&mut self, deals: &[DealId]) -> Result<Vec<ErasableSecret>, StoreError> {
        let rows: Vec<(Uuid, bool, Option<Vec<u8>>)> = query::<(SqlUuid, Bool, Nullable<Bytea>)>(
            "select c.source_id, c.kind = 'envelope', coalesce(l.leaf, p.leaf) from chain_secret c
             left join chain_leaf l using (source_id) left join chain_pending p using (source_id)
             where c.subject_id = any($1) order by c.source_id",
        )
        .bind::<Array<SqlUuid>, _>(uuids(deals))
        .load(self.pg)
        .map_err(store_error)?;
        let secret = |(source, is_envelope, leaf)| ErasableSecret { source, is_envelope, leaf };
        Ok(rows.into_iter().map(secret).collect())
    }

    fn append_erasure(&mut self, erasure: &ErasureRecord, named: &[Uuid]) -> Result<(), StoreError> {
        let failed = |why: String| StoreError::Failed(why);
        let report = jcs::to_bytes(&erasure.report).map_err(|e| failed(e.to_string()))?;
        let report = String::from_utf8(report).map_err(|e| failed(e.to_string()))?;
        let leaves = i32::try_from(erasure.leaves).map_err(|e| failed(e.to_string()))?;
        command(
            "insert into chain_erasure (id, contact_id, leaf_count, commitments_sha256, report, erased_by, erased_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind::<SqlUuid, _>(erasure.id.uuid())
        .bind::<SqlUuid, _>(erasure.contact.uuid())
        .bind::<Integer, _>(leaves)
        .bind::<Bytea, _>(erasure.commitments_sha256.bytes().as_slice())
        .bind::<Text, _>(report)
        .bind::<SqlUuid, _>(erasure.erased_by)
        .bind::<Timestamptz, _>(instant(erasure.erased_at))
        .execute(self.pg)
        .map_err(store_error)?;
        command("insert into chain_erased (erasure_id, source_id) select $1, * from unnest($2::uuid[])")
            .bind::<SqlUuid, _>(erasure.id.uuid())
            .bind::<Array<SqlUuid>, _>(named)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn erase_secrets(&mut self, erasure: ErasureId) -> Result<u64, StoreError> {
        let erased: i64 = query::<BigInt>("select erase_chain_secrets($1)")
            .bind::<SqlUuid, _>(erasure.uuid())
            .get_result(self.pg)
            .map_err(store_error)?;
        to_u64(erased)
    }

    fn erase_row_digests(&mut self, deals: &[DealId]) -> Result<(), StoreError> {
        // Whatever it is of now: an import that corrects a signed referral puts the digest of its row there.
        command("update deal set source_sha256 = null where id = any($1)")
            .bind::<Array<SqlUuid>, _>(uuids(deals))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn erase_payees(&mut self, erasure: ErasureId, payees: &[PayeeId], up_to: Date) -> Result<(), StoreError> {
        let payees: Vec<Uuid> = payees.iter().map(|payee| payee.uuid()).collect();
        command("update personal_data set name = $1 where subject_id = any($2) and subject_kind = 'payee'")
            .bind::<Text, _>(ERASED_NAME)
            .bind::<Array<SqlUuid>, _>(payees.as_slice())
            .execute(self.pg)
            .map_err(store_error)?;
        command(
            "update payee set abn = null, gst_registered_on = null, version = version + 1,
               erased_at = (select e.erased_at from chain_erasure e where e.id = $1) where id = any($2)",
        )
        .bind::<SqlUuid, _>(erasure.uuid())
        .bind::<Array<SqlUuid>, _>(payees.as_slice())
        .execute(self.pg)
        .map_err(store_error)?;
        for erase in ["select erase_bank_details($1, $2)", "select erase_tax_papers($1, $2)"] {
            command(erase)
                .bind::<SqlUuid, _>(erasure.uuid())
                .bind::<Array<SqlUuid>, _>(payees.as_slice())
                .execute(self.pg)
                .map_err(store_error)?;
        }
        command("select erase_words_of_outsiders($1, $2, $3)")
            .bind::<SqlUuid, _>(erasure.uuid())
            .bind::<Array<SqlUuid>, _>(payees.as_slice())
            .bind::<SqlDate, _>(date(up_to))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn is_contact_erased(&mut self, contact: ContactId) -> Result<bool, StoreError> {
        command("select from contact where id = $1 for key share")
            .bind::<SqlUuid, _>(contact.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        query::<Bool>("select exists (select from chain_erasure where contact_id = $1)")
            .bind::<SqlUuid, _>(contact.uuid())
            .get_result(self.pg)
            .map_err(store_error)
    }

    fn is_member_erased(&mut self, member: MemberId) -> Result<bool, StoreError> {
        let contact: Option<Option<Uuid>> = query::<Nullable<SqlUuid>>("select contact_id from member where id = $1")
            .bind::<SqlUuid, _>(member.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        contact.flatten().map_or(Ok(false), |contact| self.is_contact_erased(ContactId::new(contact)))
    }

    fn is_payee_erased(&mut self, payee: PayeeId) -> Result<bool, StoreError> {
        query::<Bool>("select exists (select from payee where id = $1 and erased_at is not null)")
            .bind::<SqlUuid, _>(payee.uuid())
            .get_result(self.pg)
            .map_err(store_error)
    }
}

impl ErasureQueries for PgQueries<'_> {
    fn list_erasures(&mut self, contact: ContactId, request: &PageRequest) -> Result<Page<SeenErasure>, StoreError> {
        let paging = Paging::oldest_first(request);
        let rows: Vec<ErasureRow> = query::<ErasureColumns>(listed!(
            paging.order,
            "select e.id, e.contact_id, e.leaf_count, e.commitments_sha256, e.report, e.erased_by, e.erased_at, l.index
             from chain_erasure e left join chain_leaf l on l.source_id = e.id where e.contact_id = $1 and ",
            "e.id", at "e.erased_at", ""
        ))
        .bind::<SqlUuid, _>(contact.uuid())
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, ErasureRow::restore, |seen| seen.record.id.uuid())
    }
}

//! Look-ups of the directory: keyset pages by id, under row-level security.

use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text, Uuid as SqlUuid};
use domain::directory::record::{ContactFilter, MemberFilter, OrganisationFilter, PayeeFilter};
use domain::directory::repository::DirectoryQueries;
use domain::directory::{
    ContactKind, ContactRecord, Downline, MemberRecord, OrganisationKind, OrganisationRecord, OrganisationStatus,
    PayeeRecord, Rail,
};
use domain::kernel::ids::{ContactId, MemberId, OrganisationId, PayeeId};
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;

use super::rows::{
    ContactColumns, ContactRow, MemberColumns, MemberRow, OrganisationColumns, OrganisationRow, PayeeColumns, PayeeRow,
};
use crate::error::store_error;
use crate::page::{Paging, by_id, listed};
use crate::statement::query;
use crate::store::PgQueries;

impl DirectoryQueries for PgQueries<'_> {
    fn list_organisations(
        &mut self,
        filter: &OrganisationFilter,
        request: &PageRequest,
    ) -> Result<Page<OrganisationRecord>, StoreError> {
        let paging = Paging::oldest_first(request);
        let rows: Vec<OrganisationRow> = query::<OrganisationColumns>(listed!(
            paging.order,
            "select id, kind, name, abn, external_ref, status, created_at, version from organisation where ",
            "id", at "created_at", " and coalesce(kind = $4, true) and coalesce(status = $5, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<Text>, _>(filter.kind.map(OrganisationKind::code))
        .bind::<Nullable<Text>, _>(filter.status.map(OrganisationStatus::code))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, OrganisationRow::restore, |r| r.organisation.id.uuid())
    }

    fn find_organisation(&mut self, id: OrganisationId) -> Result<Option<OrganisationRecord>, StoreError> {
        let row: Option<OrganisationRow> = query::<OrganisationColumns>(
            "select id, kind, name, abn, external_ref, status, created_at, version from organisation where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(OrganisationRow::restore).transpose()
    }

    fn list_contacts(
        &mut self,
        filter: &ContactFilter,
        request: &PageRequest,
    ) -> Result<Page<ContactRecord>, StoreError> {
        let paging = Paging::oldest_first(request);
        let rows: Vec<ContactRow> = query::<ContactColumns>(listed!(
            paging.order,
            "select c.id, c.organisation_id, c.kind, d.name, d.email, d.phone, c.created_at, c.version
             from contact c left join personal_data d on d.subject_id = c.id where ",
            "c.id", at "c.created_at", " and coalesce(c.organisation_id = $4, true) and coalesce(c.kind = $5, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<SqlUuid>, _>(filter.organisation.map(OrganisationId::uuid))
        .bind::<Nullable<Text>, _>(filter.kind.map(ContactKind::code))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, ContactRow::restore, |r| r.contact.id.uuid())
    }

    fn find_contact(&mut self, id: ContactId) -> Result<Option<ContactRecord>, StoreError> {
        let row: Option<ContactRow> = query::<ContactColumns>(
            "select c.id, c.organisation_id, c.kind, d.name, d.email, d.phone, c.created_at, c.version
             from contact c left join personal_data d on d.subject_id = c.id where c.id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(ContactRow::restore).transpose()
    }

    fn list_members(&mut self, filter: &MemberFilter, request: &PageRequest) -> Result<Page<MemberRecord>, StoreError> {
        let paging = Paging::oldest_first(request);
        let rows: Vec<MemberRow> = query::<MemberColumns>(listed!(
            paging.order,
            "select id, organisation_id, contact_id, member_ref, cohort, upline_id, status, created_at, version from member where ",
            "id", at "created_at", " and coalesce(organisation_id = $4, true) and coalesce(member_ref = $5, true)
               and ($6::text is null or cohort = $7) and ($8::uuid is null or upline_id = $9) and coalesce(status = $10, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<SqlUuid>, _>(filter.organisation.map(OrganisationId::uuid))
        .bind::<Nullable<Text>, _>(filter.member_ref.as_deref())
        .bind::<Nullable<Text>, _>(filter.cohort.as_deref())
        .bind::<Nullable<Text>, _>(filter.cohort.as_deref())
        .bind::<Nullable<SqlUuid>, _>(filter.upline.map(MemberId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.upline.map(MemberId::uuid))
        .bind::<Nullable<Text>, _>(filter.status.map(OrganisationStatus::code))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, MemberRow::restore, |r| r.member.id.uuid())
    }

    fn find_member(&mut self, id: MemberId) -> Result<Option<MemberRecord>, StoreError> {
        let row: Option<MemberRow> = query::<MemberColumns>(
            "select id, organisation_id, contact_id, member_ref, cohort, upline_id, status, created_at, version from member where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(MemberRow::restore).transpose()
    }

    fn list_downline(
        &mut self,
        top: MemberId,
        levels: i32,
        request: &PageRequest,
    ) -> Result<Page<Downline>, StoreError> {
        let paging = Paging::oldest_first(request);
        let rows: Vec<(MemberRow, i32)> = query::<(MemberColumns, Integer)>(listed!(
            paging.order,
            "with recursive below (id, level) as (
               select id, 1 from member where upline_id = $1
               union all select m.id, b.level + 1 from below b join member m on m.upline_id = b.id where b.level < $2
             ) select m.id, m.organisation_id, m.contact_id, m.member_ref, m.cohort, m.upline_id, m.status, m.created_at, m.version, b.level
             from below b join member m on m.id = b.id where ",
            "m.id", at "m.created_at", ""
        ))
        .bind::<SqlUuid, _>(top.uuid())
        .bind::<Integer, _>(levels)
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        let restore = |(row, level): (MemberRow, i32)| Ok(Downline { record: row.restore()?, level });
        by_id(rows, request, restore, |below| below.record.member.id.uuid())
    }

    fn list_payees(&mut self, filter: &PayeeFilter, request: &PageRequest) -> Result<Page<PayeeRecord>, StoreError> {
        let paging = Paging::oldest_first(request);
        let rows: Vec<PayeeRow> = query::<PayeeColumns>(listed!(
            paging.order,
            "select p.id, p.organisation_id, d.name, p.abn, p.gst_registered_on, p.rail, p.minimum_payout_minor,
               b.bsb, b.account_number, b.account_title, m.members, m.from_on, p.created_at, p.version
             from payee p left join personal_data d on d.subject_id = p.id
             left join lateral (select bsb, account_number, account_title from payee_bank_details where payee_id = p.id
               order by usable_from_at desc, created_at desc limit 1) b on true
             left join lateral (select array_agg(member_id order by effective_on, member_id) members,
               array_agg(effective_on order by effective_on, member_id) from_on from member_payee where payee_id = p.id) m on true where ",
            "p.id", at "p.created_at", " and coalesce(p.organisation_id = $4, true)
               and coalesce($5 = any (m.members), $6::uuid is null) and coalesce(p.rail = $7, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<SqlUuid>, _>(filter.organisation.map(OrganisationId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.member.map(MemberId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.member.map(MemberId::uuid))
        .bind::<Nullable<Text>, _>(filter.rail.map(Rail::code))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, PayeeRow::restore, |r| r.payee.id.uuid())
    }

    fn find_payee(&mut self, id: PayeeId) -> Result<Option<PayeeRecord>, StoreError> {
        let row: Option<PayeeRow> = query::<PayeeColumns>(
            "select p.id, p.organisation_id, d.name, p.abn, p.gst_registered_on, p.rail, p.minimum_payout_minor,
               b.bsb, b.account_number, b.account_title, m.members, m.from_on, p.created_at, p.version
             from payee p left join personal_data d on d.subject_id = p.id
             left join lateral (select bsb, account_number, account_title from payee_bank_details where payee_id = p.id
               order by usable_from_at desc, created_at desc limit 1) b on true
             left join lateral (select array_agg(member_id order by effective_on, member_id) members,
               array_agg(effective_on order by effective_on, member_id) from_on from member_payee where payee_id = p.id) m on true
             where p.id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(PayeeRow::restore).transpose()
    }

    fn contact_name(&mut self, contact: ContactId) -> Result<Option<String>, StoreError> {
        let name: Option<Option<String>> = query::<Nullable<Text>>(
            "select name from personal_data where subject_id = $1 and subject_kind = 'contact'",
        )
        .bind::<SqlUuid, _>(contact.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        Ok(name.flatten())
    }
}

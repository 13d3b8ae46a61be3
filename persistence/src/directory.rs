//! Organisations, contacts, members, payees. Personal data goes to its own table.

mod bank_changes;
mod cohorts;
mod erasures;
mod licences;
mod queries;
mod rows;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::member::MAX_UPLINE_DEPTH;
use domain::directory::repository::{DirectoryRepository, MemberStanding, NewContact};
use domain::directory::{
    ClusterText, ContactRecord, ExternalRef, Member, MemberRecord, Organisation, OrganisationRecord, Payee,
    PayeeMapping, PayeeRecord,
};
use domain::kernel::Instant;
use domain::kernel::ids::{ContactId, MemberId, OrganisationId, PayeeId};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, instant};
use crate::error::store_error;
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;
use rows::{
    ContactColumns, ContactRow, MemberColumns, MemberRow, OrganisationColumns, OrganisationRow, PayeeColumns, PayeeRow,
};

impl PgUnitOfWork<'_> {
    fn insert_personal_data(&mut self, rows: &[PersonalRow]) -> Result<(), StoreError> {
        command("insert into personal_data (subject_id, subject_kind, name, email, phone) select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])")
            .bind::<Array<SqlUuid>, _>(rows.iter().map(|r| r.subject).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(rows.iter().map(|r| r.kind).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(rows.iter().map(|r| r.name.as_str()).collect::<Vec<_>>())
            .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|r| r.email.clone()).collect::<Vec<_>>())
            .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|r| r.phone.clone()).collect::<Vec<_>>())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}

/// What identifies a contact, user or payee.
struct PersonalRow {
    subject: Uuid,
    kind: &'static str,
    name: String,
    email: Option<String>,
    phone: Option<String>,
}

impl DirectoryRepository for PgUnitOfWork<'_> {
    fn insert_organisation(&mut self, organisation: &Organisation, at: Instant) -> Result<(), StoreError> {
        command("insert into organisation (id, kind, name, abn, external_ref, status, created_at) values ($1, $2, $3, $4, $5, $6, $7)")
            .bind::<SqlUuid, _>(organisation.id.uuid())
            .bind::<Text, _>(organisation.kind.code())
            .bind::<Text, _>(organisation.name.as_str())
            .bind::<Nullable<Text>, _>(organisation.abn.as_ref().map(ToString::to_string))
            .bind::<Nullable<Text>, _>(organisation.external_ref.as_ref().map(ExternalRef::as_str))
            .bind::<Text, _>(organisation.status.code())
            .bind::<Timestamptz, _>(instant(at))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn insert_contacts(&mut self, contacts: &[NewContact], at: Instant) -> Result<(), StoreError> {
        if contacts.is_empty() {
            return Ok(());
        }
        command("insert into contact (created_at, id, organisation_id, kind) select $1, * from unnest($2::uuid[], $3::uuid[], $4::text[])")
            .bind::<Timestamptz, _>(instant(at))
            .bind::<Array<SqlUuid>, _>(contacts.iter().map(|c| c.contact.id.uuid()).collect::<Vec<_>>())
            .bind::<Array<SqlUuid>, _>(contacts.iter().map(|c| c.organisation.uuid()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(contacts.iter().map(|c| c.contact.kind.code()).collect::<Vec<_>>())
            .execute(self.pg)
            .map_err(store_error)?;
        let rows: Vec<PersonalRow> = contacts
            .iter()
            .filter_map(|c| c.contact.personal.as_ref().map(|personal| (c.contact.id, personal)))
            .map(|(id, personal)| PersonalRow {
                subject: id.uuid(),
                kind: "contact",
                name: personal.name.as_str().to_owned(),
                email: personal.email.as_ref().map(ToString::to_string),
                phone: personal.phone.as_ref().map(ToString::to_string),
            })
            .collect();
        self.insert_personal_data(&rows)
    }

    fn insert_members(&mut self, members: &[Member], at: Instant) -> Result<(), StoreError> {
        command(
            "insert into member (created_at, id, organisation_id, contact_id, member_ref, cohort, upline_id)
             select $1, * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::uuid[])",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(members.iter().map(|m| m.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(members.iter().map(|m| m.organisation.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(members.iter().map(|m| m.contact.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(members.iter().map(|m| m.member_ref.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(
            members.iter().map(|m| m.cohort.as_ref().map(ToString::to_string)).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<SqlUuid>>, _>(members.iter().map(|m| m.upline.map(MemberId::uuid)).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        command("insert into member_upline (recorded_at, effective_on, member_id, upline_id) select $1, $2, * from unnest($3::uuid[], $4::uuid[])")
            .bind::<Timestamptz, _>(instant(at))
            .bind::<Date, _>(date(at.sydney_date()))
            .bind::<Array<SqlUuid>, _>(members.iter().map(|m| m.id.uuid()).collect::<Vec<_>>())
            .bind::<Array<Nullable<SqlUuid>>, _>(members.iter().map(|m| m.upline.map(MemberId::uuid)).collect::<Vec<_>>())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn insert_payees(&mut self, payees: &[Payee], ids: &[Uuid], at: Instant) -> Result<(), StoreError> {
        command(
            "insert into payee (created_at, id, organisation_id, abn, gst_registered_on, rail)
             select $1, * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::date[], $6::text[])",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(payees.iter().map(|p| p.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(payees.iter().map(|p| p.organisation.uuid()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(
            payees.iter().map(|p| p.abn.as_ref().map(ToString::to_string)).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Date>>, _>(
            payees.iter().map(|p| p.gst.facts().iter().find(|f| f.1).map(|f| date(f.0))).collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(payees.iter().map(|p| p.rail.code()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        let names: Vec<PersonalRow> = payees
            .iter()
            .map(|p| PersonalRow {
                subject: p.id.uuid(),
                kind: "payee",
                name: p.legal_name.as_str().to_owned(),
                email: None,
                phone: None,
            })
            .collect();
        self.insert_personal_data(&names)?;
        let banked: Vec<_> =
            payees.iter().zip(ids).filter_map(|(p, id)| p.bank.as_ref().map(|b| (p.id, id, b))).collect();
        command(
            "insert into payee_bank_details (created_at, usable_from_at, id, payee_id, bsb, account_number, account_title)
             select t.at, t.at, b.* from (select $1::timestamptz as at) t, unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[]) as b",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(banked.iter().map(|b| *b.1).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(banked.iter().map(|b| b.0.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(banked.iter().map(|b| b.2.bsb.to_string()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(banked.iter().map(|b| b.2.account.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(banked.iter().map(|b| b.2.title.as_str()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_payee_mappings(&mut self, mappings: &[PayeeMapping], at: Instant) -> Result<(), StoreError> {
        command("insert into member_payee (recorded_at, member_id, effective_on, payee_id) select $1, * from unnest($2::uuid[], $3::date[], $4::uuid[])")
            .bind::<Timestamptz, _>(instant(at))
            .bind::<Array<SqlUuid>, _>(mappings.iter().map(|m| m.member.uuid()).collect::<Vec<_>>())
            .bind::<Array<Date>, _>(mappings.iter().map(|m| date(m.from_on)).collect::<Vec<_>>())
            .bind::<Array<SqlUuid>, _>(mappings.iter().map(|m| m.payee.uuid()).collect::<Vec<_>>())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn find_members(
        &mut self,
        organisation: OrganisationId,
        refs: &[String],
    ) -> Result<Vec<MemberStanding>, StoreError> {
        let rows: Vec<(Uuid, String)> = query::<(SqlUuid, Text)>(
            "select id, member_ref from member where organisation_id = $1 and member_ref = any($2)",
        )
        .bind::<SqlUuid, _>(organisation.uuid())
        .bind::<Array<Text>, _>(refs)
        .load(self.pg)
        .map_err(store_error)?;
        let standing = |(id, member_ref): (Uuid, String)| MemberStanding { id: MemberId::new(id), member_ref };
        Ok(rows.into_iter().map(standing).collect())
    }

    fn find_payees(
        &mut self,
        members: &[MemberId],
        on: jiff::civil::Date,
    ) -> Result<Vec<(MemberId, PayeeId)>, StoreError> {
        let rows: Vec<(Uuid, Uuid)> = query::<(SqlUuid, SqlUuid)>(
            "select distinct on (member_id) member_id, payee_id from member_payee
             where member_id = any($1) and effective_on <= $2 order by member_id, effective_on desc, recorded_at desc",
        )
        .bind::<Array<SqlUuid>, _>(members.iter().map(|m| m.uuid()).collect::<Vec<_>>())
        .bind::<Date, _>(date(on))
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(|(member, payee)| (MemberId::new(member), PayeeId::new(payee))).collect())
    }

    fn lock_organisation(&mut self, id: OrganisationId) -> Result<Option<OrganisationRecord>, StoreError> {
        let row: Option<OrganisationRow> = query::<OrganisationColumns>(
            "select id, kind, name, abn, external_ref, status, created_at, version from organisation where id = $1 for update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(OrganisationRow::restore).transpose()
    }

    fn update_organisation(&mut self, record: &OrganisationRecord) -> Result<(), StoreError> {
        let organisation = &record.organisation;
        command("update organisation set name = $1, abn = $2, status = $3, version = $4 where id = $5")
            .bind::<Text, _>(organisation.name.as_str())
            .bind::<Nullable<Text>, _>(organisation.abn.map(|abn| abn.to_string()))
            .bind::<Text, _>(organisation.status.code())
            .bind::<Integer, _>(record.version)
            .bind::<SqlUuid, _>(organisation.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn owner_of_contact(&mut self, id: ContactId) -> Result<Option<OrganisationId>, StoreError> {
        let owner: Option<Uuid> = query::<SqlUuid>("select organisation_id from contact where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        Ok(owner.map(OrganisationId::new))
    }

    fn lock_contact(&mut self, id: ContactId) -> Result<Option<ContactRecord>, StoreError> {
        let row: Option<ContactRow> = query::<ContactColumns>(
            "select c.id, c.organisation_id, c.kind, d.name, d.email, d.phone, c.created_at, c.version
             from contact c left join personal_data d on d.subject_id = c.id where c.id = $1 for update of c",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(ContactRow::restore).transpose()
    }

    fn update_contact(&mut self, record: &ContactRecord) -> Result<(), StoreError> {
        command("update contact set version = $1 where id = $2")
            .bind::<Integer, _>(record.version)
            .bind::<SqlUuid, _>(record.contact.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        let personal = record.contact.personal.as_ref();
        command("update personal_data set name = $1, email = $2, phone = $3 where subject_id = $4 and subject_kind = 'contact'")
            .bind::<Nullable<Text>, _>(personal.map(|p| p.name.as_str()))
            .bind::<Nullable<Text>, _>(personal.and_then(|p| p.email.as_ref()).map(ToString::to_string))
            .bind::<Nullable<Text>, _>(personal.and_then(|p| p.phone.as_ref()).map(ToString::to_string))
            .bind::<SqlUuid, _>(record.contact.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn lock_member(&mut self, id: MemberId) -> Result<Option<MemberRecord>, StoreError> {
        let row: Option<MemberRow> = query::<MemberColumns>(
            "select id, organisation_id, contact_id, member_ref, cohort, upline_id, status, created_at, version from member where id = $1 for update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(MemberRow::restore).transpose()
    }

    fn list_lineage(&mut self, id: MemberId) -> Result<Vec<(MemberId, OrganisationId)>, StoreError> {
        let rows: Vec<(Uuid, Uuid)> = query::<(SqlUuid, SqlUuid)>(
            "with recursive above (id, organisation_id, upline_id, n) as (
               select id, organisation_id, upline_id, 0 from member where id = $1
               union all select m.id, m.organisation_id, m.upline_id, a.n + 1 from above a join member m on m.id = a.upline_id where a.n < $2
             ) select id, organisation_id from above order by n",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Integer, _>(i32::try_from(MAX_UPLINE_DEPTH).unwrap_or(i32::MAX))
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(|(id, owner)| (MemberId::new(id), OrganisationId::new(owner))).collect())
    }

    fn update_member(
        &mut self,
        record: &MemberRecord,
        moved_on: Option<jiff::civil::Date>,
        at: Instant,
    ) -> Result<(), StoreError> {
        let member = &record.member;
        command("update member set cohort = $1, upline_id = $2, status = $3, version = $4 where id = $5")
            .bind::<Nullable<Text>, _>(member.cohort.as_ref().map(ClusterText::as_str))
            .bind::<Nullable<SqlUuid>, _>(member.upline.map(MemberId::uuid))
            .bind::<Text, _>(record.status.code())
            .bind::<Integer, _>(record.version)
            .bind::<SqlUuid, _>(member.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        let Some(moved_on) = moved_on else { return Ok(()) };
        command("insert into member_upline (member_id, effective_on, upline_id, recorded_at) values ($1, $2, $3, $4)")
            .bind::<SqlUuid, _>(member.id.uuid())
            .bind::<Date, _>(date(moved_on))
            .bind::<Nullable<SqlUuid>, _>(member.upline.map(MemberId::uuid))
            .bind::<Timestamptz, _>(instant(at))
            .execute(self.pg)
            .map_err(|error| match store_error(error) {
                // Two moves within one microsecond: the facts need an order, so this one waits for the next.
                StoreError::Violates(rule) if rule == "member_upline_pkey" => StoreError::Contention,
                other => other,
            })?;
        Ok(())
    }

    fn lock_payee(&mut self, id: PayeeId) -> Result<Option<PayeeRecord>, StoreError> {
        let row: Option<PayeeRow> = query::<PayeeColumns>(
            "select p.id, p.organisation_id, d.name, p.abn, p.gst_registered_on, p.rail, p.minimum_payout_minor,
               b.bsb, b.account_number, b.account_title, m.members, m.from_on, p.created_at, p.version
             from payee p left join personal_data d on d.subject_id = p.id
             left join lateral (select bsb, account_number, account_title from payee_bank_details where payee_id = p.id
               order by usable_from_at desc, created_at desc limit 1) b on true
             left join lateral (select array_agg(member_id order by effective_on, member_id) members,
               array_agg(effective_on order by effective_on, member_id) from_on from member_payee where payee_id = p.id) m on true
             where p.id = $1 for no key update of p",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(PayeeRow::restore).transpose()
    }

    fn update_payee(&mut self, record: &PayeeRecord) -> Result<(), StoreError> {
        let payee = &record.payee;
        command("update personal_data set name = $1 where subject_id = $2 and subject_kind = 'payee'")
            .bind::<Text, _>(payee.legal_name.as_str())
            .bind::<SqlUuid, _>(payee.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        command(
            "update payee set abn = $1, gst_registered_on = $2, minimum_payout_minor = $3, version = $4 where id = $5",
        )
        .bind::<Nullable<Text>, _>(payee.abn.map(|abn| abn.to_string()))
        .bind::<Nullable<Date>, _>(payee.gst.facts().iter().find(|f| f.1).map(|f| date(f.0)))
        .bind::<BigInt, _>(record.minimum_payout_minor)
        .bind::<Integer, _>(record.version)
        .bind::<SqlUuid, _>(payee.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

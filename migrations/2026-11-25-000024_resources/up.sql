-- One payee a day for a member: two that begin on the same day would leave open who is paid.
create unique index member_payee_one_a_day on member_payee (member_id, effective_on);

-- An upload that turned out to be a request answered before leaves no import behind; rows that an import
-- never came to are no report. Nothing else of an import can be deleted.
grant delete on deal_import, deal_import_row to flip360_writer;
create policy only_uploads on deal_import as restrictive for delete to flip360_writer using (state = 'uploading');
create policy only_pending on deal_import_row as restrictive for delete to flip360_writer using (outcome = 'pending');

-- Products are added and renamed; their codes stand in deals and stay.
alter table product add column version integer not null default 1;
grant update (name, version) on product to flip360_writer;

-- What the service may do, and what a reader may see.
grant select, insert on all tables in schema public to flip360_writer;
grant usage on all sequences in schema public to flip360_writer;
grant update on organisation, contact, member, payee, payee_bank_details, personal_data, app_user, api_client,
  agreement_version, deal, deal_import, deal_import_row, ledger_balance, ledger_head, commission_line,
  bank_account, payout_run, payout, job, chain_lane, chain_head to flip360_writer;
grant delete on chain_pending, deal_import_chunk, outbox to flip360_writer;
grant execute on function keep_partitions(date) to flip360_writer;

grant select on all tables in schema public to flip360_reader;
revoke select on app_user, api_client, idempotency_record, chain_secret, personal_data, deal_import_chunk from flip360_reader;
grant select (id, roles, organisation_id, member_id, disabled_at, created_at, version) on app_user to flip360_reader;
grant select (id, name, roles, organisation_id, member_id, created_at, revoked_at) on api_client to flip360_reader;
grant select on chain_secret, personal_data to flip360_reader;

-- Rows that carry whom they concern.
create procedure guard_by(target regclass, condition text) language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('create policy seen on %s for select to flip360_reader using ((select viewer_sees_all()) or %s)', target, condition);
  execute format('create policy written on %s to flip360_writer using (true) with check (true)', target);
end $$;

call guard_by('deal', 'visible_to && (select viewer_parties())');
call guard_by('commission_line', 'visible_to && (select viewer_parties())');
call guard_by('ledger_account', 'visible_to && (select viewer_parties())');
call guard_by('ledger_entry', 'visible_to && (select viewer_parties())');
call guard_by('payout', 'visible_to && (select viewer_parties())');
call guard_by('job', 'visible_to && (select viewer_parties())');
call guard_by('outbox', 'visible_to && (select viewer_parties())');
-- Rows that concern an organisation.
call guard_by('contact', 'organisation_id = any ((select viewer_parties())::uuid[])');
call guard_by('payee', 'organisation_id = any ((select viewer_parties())::uuid[]) or exists (select from member_payee m where m.payee_id = payee.id and m.member_id = any ((select viewer_parties())::uuid[]))');
call guard_by('member', 'organisation_id = any ((select viewer_parties())::uuid[]) or id = any ((select viewer_parties())::uuid[]) or upline_id = any ((select viewer_parties())::uuid[])');
call guard_by('deal_import', 'organisation_id = any ((select viewer_parties())::uuid[])');
call guard_by('app_user', 'organisation_id = any ((select viewer_parties())::uuid[])');
call guard_by('api_client', 'organisation_id = any ((select viewer_parties())::uuid[])');
-- Rows that inherit from another one.
call guard_by('ledger_posting', 'exists (select from ledger_account a where a.id = account_id)');
call guard_by('ledger_balance', 'exists (select from ledger_account a where a.id = account_id)');
call guard_by('deal_transition', 'exists (select from deal d where d.id = deal_id)');
call guard_by('deal_fact', 'exists (select from deal d where d.id = deal_id)');
call guard_by('calculation', 'exists (select from deal d where d.id = deal_id)');
call guard_by('handshake', 'exists (select from deal d where d.id = deal_id)');
call guard_by('handshake_statement', 'exists (select from handshake h where h.id = handshake_id)');
call guard_by('deal_import_row', 'exists (select from deal_import i where i.id = import_id)');
call guard_by('payee_bank_details', 'exists (select from payee p where p.id = payee_id)');
call guard_by('payout_line', 'exists (select from payout p where p.id = payout_id)');
call guard_by('personal_data', 'exists (select from contact c where c.id = subject_id) or exists (select from payee p where p.id = subject_id) or exists (select from app_user u where u.id = subject_id)');
call guard_by('chain_secret', 'exists (select from deal d where d.id = subject_id) or subject_id = any ((select viewer_parties())::uuid[])');
-- Only those who see everything.
call guard_by('payout_run', 'false');
call guard_by('bank_account', 'false');
call guard_by('audit_record', 'false');
call guard_by('member_upline', 'exists (select from member m where m.id = member_id)');
call guard_by('member_payee', 'exists (select from member m where m.id = member_id)');

insert into ledger_head (last_seq, last_sha256) values (0, sha256('flip360/ledger/v1'));
insert into chain_head (size, root) values (0, sha256(''));

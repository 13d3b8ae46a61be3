-- To whom a hand-over was offered learns where the deal stands while the offer is open, and once it has accepted; of what is
-- neither, that it is closed.
create or replace function stage_of_handshake(wanted uuid) returns text language sql stable security definer set search_path = public, pg_temp as $$
  select case
    when (select viewer_sees_all()) or d.visible_to && (select viewer_parties())
      or h.from_organisation_id = any ((select viewer_parties())::uuid[])
      or exists (select from handshake_statement s where s.handshake_id = h.id and s.kind = 'seal')
      or d.stage in ('referred', 'accepted', 'in_progress', 'contracted')
        and not exists (select from handshake o join handshake_statement s on s.handshake_id = o.id and s.kind = 'seal'
          where o.previous_id = h.previous_id and o.id <> h.id)
        and not exists (select from handshake_statement s join chain_erased e on e.source_id = s.id where s.handshake_id = h.id)
    then d.stage else 'closed' end
  from handshake h join deal d on d.id = h.deal_id
  where h.id = wanted and ((select viewer_sees_all()) or d.visible_to && (select viewer_parties())
    or h.from_organisation_id = any ((select viewer_parties())::uuid[]) or h.to_organisation_id = any ((select viewer_parties())::uuid[]))
$$;

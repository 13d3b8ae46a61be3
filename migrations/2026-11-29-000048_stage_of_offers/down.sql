create or replace function stage_of_handshake(wanted uuid) returns text language sql stable security definer set search_path = public, pg_temp as $$
  select d.stage from handshake h join deal d on d.id = h.deal_id
  where h.id = wanted and ((select viewer_sees_all()) or d.visible_to && (select viewer_parties())
    or h.from_organisation_id = any ((select viewer_parties())::uuid[]) or h.to_organisation_id = any ((select viewer_parties())::uuid[]))
$$;

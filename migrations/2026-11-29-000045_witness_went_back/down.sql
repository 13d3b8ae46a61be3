drop index chain_evidence_behind;
alter table chain_evidence drop constraint chain_evidence_kind_check;
-- What was kept stays: evidence is never taken back.
alter table chain_evidence add constraint chain_evidence_kind_check check (kind in ('fork', 'ahead', 'refused')) not valid;

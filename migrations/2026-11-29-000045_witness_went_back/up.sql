-- A witness that says to have cosigned less than it did: evidence against the witness, which counts no more.
alter table chain_evidence drop constraint chain_evidence_kind_check;
alter table chain_evidence add constraint chain_evidence_kind_check check (kind in ('fork', 'ahead', 'refused', 'behind'));
create index chain_evidence_behind on chain_evidence (witness) where kind = 'behind';

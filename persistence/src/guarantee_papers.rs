//! The checks of the guarantees that compare tax papers with their lines, their payouts, the books and the log: one fixed
//! text each, as in [`crate::guarantee_checks`].

pub const PAYOUT_PAPERS: &str = "select subject, detail, count(*) over () from (
  select p.id, format('it carries %s of GST and withholds %s; its invoices say %s, its payment summaries %s', p.gst_minor, p.withheld_minor, gst, withheld) from payout p
  cross join lateral (
    select coalesce(sum(d.gst_minor) filter (where d.kind = 'rcti'), 0), coalesce(sum(d.withheld_minor) filter (where d.kind = 'payment_summary'), 0)
    from tax_document d where d.payout_id = p.id) papers (gst, withheld)
  where (p.gst_minor, p.withheld_minor) <> (gst, withheld)
) v (subject, detail) order by subject limit $1";

pub const PAPER_DIFFERS: &str = "select subject, detail, count(*) over () from (
  select d.id, format('paper %s', d.number) from tax_document d join tax_document_content c on c.document_id = d.id
  cross join lateral (select convert_from(c.content, 'UTF8')::jsonb) bytes (j)
  cross join lateral (
    select coalesce(sum(l.net_minor), 0), coalesce(sum(l.gst_minor), 0), coalesce(sum(l.withheld_minor), 0)
    from tax_document_line l where l.document_id = d.id) lines (net, gst, withheld)
  where sha256(c.content) <> d.content_sha256 or (d.net_minor, d.gst_minor, d.withheld_minor) <> (net, gst, withheld)
     or (j->>'number', j->>'kind', j->>'seq', j->>'previous_sha256', j->>'net', j->>'gst', j->>'withheld')
        is distinct from (d.number, d.kind, d.seq::text, encode(d.previous_sha256, 'hex'), d.net_minor::text, d.gst_minor::text, d.withheld_minor::text)
) v (subject, detail) order by subject limit $1";

pub const PAPER_GAP: &str = "select subject, detail, count(*) over () from (
  select id, format('paper %s does not follow the one before it', number) from (
    select id, number, seq, serial, previous_sha256, lag(seq, 1, 0::bigint) over (order by seq) before,
      lag(content_sha256, 1, sha256('flip360/tax-documents/v1')) over (order by seq) digest,
      lag(serial, 1, 0) over (partition by kind, financial_year order by serial) serial_before
    from tax_document) d
  where seq <> before + 1 or previous_sha256 <> digest or serial <> serial_before + 1
  union all
  select '00000000-0000-0000-0000-000000000000', format('the head says %s papers, there are %s', h.last_seq, n) from tax_head h
  cross join lateral (select count(*) from tax_document) papers (n) where h.last_seq <> n
) v (subject, detail) order by subject limit $1";

pub const PAPER_GST: &str = "select subject, detail, count(*) over () from (
  select l.id, format('its GST is %s, its papers say %s', l.gst_minor, gst) from commission_line l
  left join (select line_id, sum(t.gst_minor) gst from tax_document_line t join tax_document d on d.id = t.document_id and d.kind <> 'payment_summary'
    group by line_id) papers on papers.line_id = l.id
  where l.gst_minor <> coalesce(gst, 0)
) v (subject, detail) order by subject limit $1";

/// From the first paper that was logged up to the last one, each has one leaf, pending or integrated; no other has any.
pub const PAPER_UNLOGGED: &str = "select subject, detail, count(*) over () from (
  select d.id, format('paper %s has %s leaves', d.number, n) from tax_document d
  left join tax_document_envelope e on e.document_id = d.id
  cross join lateral (select (select count(*) from chain_pending p where p.source_id = d.id)
                           + (select count(*) from chain_leaf l where l.source_id = d.id)) leaves (n)
  where n <> case when e.document_id is not null
      or d.seq between (select min(f.seq) from tax_document f join tax_document_envelope g on g.document_id = f.id) and (select logged_seq from tax_head)
    then 1 else 0 end
) v (subject, detail) order by subject limit $1";

/// `c` commits to the statement: SHA-256("flip360/leaf/v1\0" ‖ statement).
pub const PAPER_STATEMENT: &str = r"select subject, detail, count(*) over () from (
  select d.id, format('paper %s', d.number) from tax_document d
  join (select source_id, leaf from chain_leaf where kind = 'tax_document' union all
        select source_id, leaf from chain_pending where kind = 'tax_document') l on l.source_id = d.id
  left join tax_document_envelope e on e.document_id = d.id
  cross join lateral (select convert_from(l.leaf, 'UTF8')::jsonb ->> 'c', convert_from(e.envelope, 'UTF8')::jsonb) bytes (c, j)
  where c is distinct from encode(sha256('flip360/leaf/v1\000'::bytea || e.envelope), 'base64')
     or (j->>'seq', j->>'kind', j->>'number', j->>'issued_on', j->>'content_sha256', j->>'previous_sha256')
        is distinct from (d.seq::text, d.kind, d.number, d.issued_on::text, encode(d.content_sha256, 'hex'), encode(d.previous_sha256, 'hex'))
) v (subject, detail) order by subject limit $1";

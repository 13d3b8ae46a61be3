-- Parts of transfers at Stripe that somebody asked to take back: asked under the id, looked up before it is asked again.
create table stripe_recall (
  id uuid primary key,
  payout_id uuid not null references payout,
  transfer text not null check (transfer ~ '^tr_[A-Za-z0-9]{1,64}$'),
  amount_minor bigint not null check (amount_minor > 0),
  reason text not null check (length(reason) between 1 and 500),
  state text not null check (state in ('asked', 'unknown', 'made', 'refused')),
  reversal text constraint stripe_recall_reversal_taken unique check (reversal ~ '^trr_[A-Za-z0-9]{1,64}$'),
  detail text,
  attempts integer not null default 0 check (attempts >= 0),
  next_at timestamptz,
  leased_until timestamptz,
  asked_by uuid not null,
  asked_at timestamptz not null,
  done_at timestamptz,
  constraint stripe_recall_ends check ((state in ('made', 'refused')) = (done_at is not null) and (state = 'made') = (reversal is not null)
    and (done_at is null) = (next_at is not null))
);
create unique index stripe_recall_one_open on stripe_recall (payout_id) where state in ('asked', 'unknown');
create index stripe_recall_due on stripe_recall (next_at) where next_at is not null;
create index stripe_recall_by_payout on stripe_recall (payout_id, id);
call guard_by('stripe_recall', 'false');
grant select, insert, update (state, reversal, detail, attempts, next_at, leased_until, done_at) on stripe_recall to flip360_writer;
grant select on stripe_recall to flip360_reader;

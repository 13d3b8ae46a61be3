//! A superuser cheats about what two people decide on in the ledger: the report names the entry.

use domain::guarantees::Guarantee::Integrity;

use crate::broken::{Cheat, prove};

#[test]
fn what_two_people_decide_on_in_the_ledger() {
    prove(&[
        Cheat {
            guarantee: Integrity,
            code: "entry_without_approval",
            prefix: "entry",
            of: "select id from ledger_entry where seq = 1",
            sql: "update ledger_entry set kind = 'reversal' where seq = 1",
        },
        Cheat {
            guarantee: Integrity,
            code: "entry_in_closed_period",
            prefix: "entry",
            of: "select id from ledger_entry where date_trunc('month', effective_on) = (select date_trunc('month', effective_on) from ledger_entry where seq = 1) order by id limit 1",
            sql: "insert into accounting_period (id, month, state, content, content_sha256, proposed_by, proposed_at, decided_by, decided_at)
                    select gen_random_uuid(), date_trunc('month', effective_on), 'closed', 'x', sha256('x'), gen_random_uuid(), now(), gen_random_uuid(), now() from ledger_entry where seq = 1;
                  insert into accounting_period_step (period_id, n, step, actor_id, at, last_seq) select id, 1, 'closed', gen_random_uuid(), now(), 0 from accounting_period",
        },
    ]);
}

//! Whose a line is, and with whom its money lies.

use domain::guarantees::Guarantee::ExactlyOnce;

use crate::broken::{Cheat, prove};

#[test]
fn a_line_that_becomes_anothers_without_its_money_is_named() {
    prove(&[Cheat {
        guarantee: ExactlyOnce,
        code: "line_lies_with_another",
        prefix: "line",
        of: "select id from commission_line where in_transit_minor > 0 and payee_id is not null order by id limit 1",
        sql: "update commission_line l set payee_id = (select id from payee where id <> l.payee_id order by id limit 1)
              where id = (select id from commission_line where in_transit_minor > 0 and payee_id is not null order by id limit 1)",
    }]);
}

//! A payee is erased: what banks wrote of its payments goes when the law lets go of it, and its digests stay.

use domain::directory::erase;
use domain::kernel::Instant;
use domain::kernel::ids::ContactId;
use harness::bounced;
use harness::camt::{Entry, document, entry};
use harness::platform::Platform;

use crate::bank::{day, take_in};
use crate::returns::send;
use crate::runs::with_deals;
use crate::world::{file, keep, paid, people};

const RETURN: &str = "select count(*) from bank_return where position('Member M016' in encode(bytes, 'escape')) > 0";
const DOCUMENT: &str =
    "select count(*) from bank_document where position('Member M016' in encode(bytes, 'escape')) > 0";
const LINE: &str = "select count(*) from bank_statement_line where position('Member M016' in text) > 0";

fn later(platform: &mut Platform, day: &str) {
    platform.now = Instant::new(format!("{day}T02:00:00Z").parse().expect("a time"));
}

/// Erases who is paid for a member; gives how many payees went.
fn erased(platform: &Platform, member: &str) -> usize {
    let contact = platform.ids_of(&format!("select contact_id as id from member where member_ref = '{member}'"))[0];
    let version = platform.number(&format!("select version from contact where id = '{contact}'"));
    let version = i32::try_from(version).expect("a version");
    let erased = platform
        .store()
        .transaction(|uow| erase::erase_contact(uow, &platform.env(), ContactId::new(contact), version));
    erased.expect("erased").payees.len()
}

fn found(platform: &Platform) -> [i64; 3] {
    [RETURN, DOCUMENT, LINE].map(|sql| platform.number(sql))
}

#[test]
fn what_banks_wrote_of_somebody_goes_when_the_law_lets_go_of_it() {
    let mut platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let run = paid(&platform, &people, &account);
    let payments = bounced::payments(&file(&platform, &run));
    let dear = payments.iter().find(|p| p[20..30].ends_with("78000")).expect("the payment");
    let _ = send(&platform, &people, &[bounced::record(dear, '6')]);
    later(&mut platform, "2026-11-27");
    let _ = paid(&platform, &people, &account);
    later(&mut platform, "2026-11-28");
    let named = Entry {
        end_to_end: dear[62..80].trim().to_owned(),
        remittance: "NO ACCOUNT Member M016".to_owned(),
        ..entry("2026-11-26", 78_000, "RETURN")
    };
    let lines = vec![entry("2026-11-24", -91_000, "COMMISSION"), named, entry("2026-11-27", -78_000, "COMMISSION")];
    let xml = document("08", &[day(0, "2026-11-28", lines)]);
    assert_eq!(take_in(&platform, &people, &xml).statements[0].matched, 3);
    assert_eq!(found(&platform), [1, 1, 1], "what is looked for is there to be found");

    later(&mut platform, "2031-11-26");
    assert_eq!((erased(&platform, "M016"), found(&platform)), (0, [1, 1, 1]));
    // The last payment is five years old; the statement is not yet.
    later(&mut platform, "2031-11-27");
    assert_eq!((erased(&platform, "M016"), found(&platform)), (1, [0, 1, 0]));
    // It goes with the next erasure, whosever it is.
    later(&mut platform, "2031-11-28");
    assert_eq!((erased(&platform, "M004"), found(&platform)), (1, [0, 0, 0]));
    for table in ["bank_return", "bank_document"] {
        let blank =
            format!("select count(*) from {table} where bytes = '' and length(sha256) = 32 and erased_at is not null");
        assert_eq!(platform.number(&blank), 1, "{table}: its digest is kept");
    }
    assert_eq!(platform.number("select count(*) from bank_statement_line where erased_at is not null"), 1);
    // What was taken in once is known still.
    assert!(!take_in(&platform, &people, &xml).is_new);
    assert_eq!(platform.number("select count(*) from bank_document where bytes <> ''"), 0);
}

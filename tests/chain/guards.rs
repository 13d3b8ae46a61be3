//! The database itself lets nobody take a secret of the log away but by an erasure that names it and is logged.

use diesel::connection::SimpleConnection as _;
use harness::platform::Platform;

use crate::support::example;

const ERASURE: &str = "insert into chain_erasure (id, contact_id, leaf_count, commitments_sha256, report, erased_by, erased_at)
  select '01990000-0000-7000-8000-00000000ffff', client_id, 0, sha256(''), '{}', id, now() from deal order by id limit 1";
const PENDING: &str = "insert into chain_pending (source_id, kind, lane, n, leaf, created_at)
  values ('01990000-0000-7000-8000-00000000ffff', 'erasure', sha256('lane'), 0, '', now())";
const NAMED: &str = "insert into chain_erased (source_id, erasure_id)
  select source_id, '01990000-0000-7000-8000-00000000ffff' from chain_secret where kind = 'envelope' order by source_id limit 1";
const ERASE: &str = "select erase_chain_secrets('01990000-0000-7000-8000-00000000ffff')";

/// What the database says to these statements of the service's own role, together in one transaction that is taken
/// back.
fn refused(platform: &Platform, statements: &[&str]) -> Option<String> {
    platform.refusal_of(&format!("begin; {}; rollback", statements.join("; ")))
}

/// The same for the owner of the tables.
fn refused_to_owner(platform: &Platform, statements: &[&str]) -> Option<String> {
    let script = format!("begin; {}; rollback", statements.join("; "));
    platform.owner().batch_execute(&script).err().map(|error| error.to_string())
}

#[test]
fn secrets_go_by_an_erasure_that_names_them_and_is_logged_and_by_nothing_else() {
    let platform = example();
    let said = |refusal: Option<String>, word: &str| {
        let refusal = refusal.unwrap_or_else(|| panic!("it was done; expected {word}"));
        assert!(refusal.contains(word), "{refusal}");
    };
    let delete = "delete from chain_secret where kind = 'envelope'";
    said(refused(&platform, &[delete]), "permission denied");
    said(refused(&platform, &[ERASURE, NAMED, PENDING, delete]), "permission denied");
    said(refused(&platform, &[ERASE]), "append-only");
    said(refused(&platform, &[ERASURE, NAMED, ERASE]), "no erasure of this transaction names it");
    assert_eq!(refused(&platform, &[ERASURE, NAMED, PENDING, ERASE]), None, "this is the way");
    // Whoever owns the tables, too, takes away what is named, and no row beside it.
    said(refused_to_owner(&platform, &[delete]), "append-only");
    said(refused_to_owner(&platform, &[ERASURE, NAMED, PENDING, delete]), "no erasure of this transaction names it");
    let update = "update chain_secret set secret = '' where kind = 'envelope'";
    said(refused_to_owner(&platform, &[ERASURE, NAMED, PENDING, update]), "append-only");
    said(refused_to_owner(&platform, &[ERASURE, NAMED, PENDING, "truncate chain_secret"]), "append-only");
    // An erasure of yesterday erases nothing today.
    platform.tamper(&format!("{ERASURE}; {NAMED}; {PENDING}"));
    said(refused(&platform, &[ERASE]), "append-only");
    let bank = "select erase_bank_details('01990000-0000-7000-8000-00000000ffff', (select array_agg(id) from payee))";
    said(refused(&platform, &[bank]), "no erasure of this transaction is of that payee");
}

#[test]
fn an_erasure_is_logged_when_its_transaction_ends() {
    let platform = example();
    let lose = "delete from chain_pending where source_id = '01990000-0000-7000-8000-00000000ffff'";
    let change = "update chain_pending set kind = 'offer' where source_id = '01990000-0000-7000-8000-00000000ffff'";
    let count = || platform.number("select count(*) from chain_secret");
    let before = count();
    // What looks at the leaf is asked early, and the leaf is taken away after that.
    let early = "set constraints all immediate";
    for script in [
        vec![ERASURE, NAMED, PENDING, ERASE, lose],
        vec![ERASURE, NAMED, PENDING, ERASE, early, lose],
        vec![ERASURE, NAMED, PENDING, early, ERASE, lose],
        vec![ERASURE],
    ] {
        let committed = format!("begin; {}; commit", script.join("; "));
        let refusal = platform.refusal_of(&committed).unwrap_or_else(|| panic!("it was done: {committed}"));
        assert!(refusal.contains("the erasure has no leaf"), "{refusal}");
    }
    let script = format!("begin; {}; commit", [ERASURE, NAMED, PENDING, ERASE, change].join("; "));
    let refusal = platform.owner().batch_execute(&script).err().map(|error| error.to_string());
    assert!(refusal.as_ref().is_some_and(|refusal| refusal.contains("the erasure has no leaf")), "{refusal:?}");
    assert_eq!(count(), before);
}

#[test]
fn a_table_of_the_same_name_does_not_stand_in_for_an_erasure() {
    let platform = example();
    // What the functions with the owner's rights would look at first, made by the service's own role.
    let stand_ins = "create temporary table chain_erasure (id uuid); create temporary table chain_erased (source_id uuid, erasure_id uuid)";
    let all =
        "insert into pg_temp.chain_erased select source_id, '01990000-0000-7000-8000-00000000ffff' from chain_secret";
    let mine = "insert into pg_temp.chain_erasure values ('01990000-0000-7000-8000-00000000ffff')";
    let script = [stand_ins, "grant all on pg_temp.chain_erasure, pg_temp.chain_erased to public", all, mine, ERASE];
    let refusal = refused(&platform, &script).expect("it was done");
    assert!(refusal.contains("append-only") || refusal.contains("temporary"), "{refusal}");
    assert_eq!(platform.number("select count(*) from pg_proc where prosecdef and pronamespace = 'public'::regnamespace and proconfig::text not like '%pg_temp%'"), 0);
}

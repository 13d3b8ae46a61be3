//! What the roles of the database may do: the service owns nothing, and secrets are out of the reader's reach.

use harness::platform::Platform;

use crate::eyes::lines;

/// Columns whose names sound like secrets, that the reader may read all the same, and why.
const READABLE: &[(&str, &str)] = &[
    ("access_revocation.token_or_subject_id", "names a token by its id, which opens nothing; for staff only"),
    ("bank_file.bytes", "the bank file; for staff only, and its route asks for `payouts:execute`"),
    ("chain_secret.secret", "salts and envelopes of what one takes part in: proofs need them"),
    ("payee_bank_details.salt", "of one's own payees: what is approved commits to their details under it"),
];

#[test]
fn the_service_owns_nothing_and_can_grant_itself_nothing() {
    let platform = Platform::new();
    let mut owner = platform.owner();
    let owned = "select c.relname::text as line from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname like 'flip360_%' and r.rolname <> 'flip360_owner'
      union all select p.proname::text from pg_proc p join pg_roles r on r.oid = p.proowner where r.rolname in ('flip360_writer', 'flip360_reader', 'flip360_service')
      union all select n.nspname::text from pg_namespace n join pg_roles r on r.oid = n.nspowner where r.rolname in ('flip360_writer', 'flip360_reader', 'flip360_service')";
    assert_eq!(lines(&mut owner, owned), Vec::<String>::new());
    let powers = "select rolname::text as line from pg_roles where rolname in ('flip360_writer', 'flip360_reader', 'flip360_service')
      and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
      union all select r.rolname || ' may create in ' || n.nspname from pg_roles r, pg_namespace n
        where r.rolname in ('flip360_writer', 'flip360_reader', 'flip360_service') and has_schema_privilege(r.oid, n.oid, 'create')
      union all select r.rolname || ' may grant ' || c.relname from pg_class c, aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
        where a.is_grantable and r.rolname in ('flip360_writer', 'flip360_reader')
      union all select 'anybody may ' || a.privilege_type || ' ' || c.relname from pg_class c, aclexplode(c.relacl) a
        where a.grantee = 0 and c.relnamespace = 'public'::regnamespace";
    assert_eq!(lines(&mut owner, powers), Vec::<String>::new());
}

#[test]
fn the_reader_reads_no_secret_and_writes_nothing() {
    let platform = Platform::new();
    let mut owner = platform.owner();
    let secrets = "select c.relname || '.' || a.attname as line from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      and (a.attname ~ 'password|secret|token|sealed|totp|otp|private|salt|credential' or c.relname ~ 'idempotency|refresh_token|chunk' or (c.relname, a.attname) = ('bank_file', 'bytes'))
      and has_column_privilege('flip360_reader', c.oid, a.attnum, 'select') order by 1";
    let listed: Vec<&str> = READABLE.iter().map(|(column, _)| *column).collect();
    assert_eq!(lines(&mut owner, secrets), listed);
    let writes = "select c.relname || ' ' || p as line from pg_class c, unnest(array['insert', 'update', 'references']) p
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and has_any_column_privilege('flip360_reader', c.oid, p)
      union all select c.relname || ' ' || p from pg_class c, unnest(array['delete', 'truncate', 'trigger']) p
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege('flip360_reader', c.oid, p)";
    assert_eq!(lines(&mut owner, writes), Vec::<String>::new());
}

#[test]
fn a_partition_is_reached_through_its_table_only_and_refuses_change_like_it() {
    let platform = Platform::new();
    let mut owner = platform.owner();
    let reached = "select r.rolname || ' ' || p || ' ' || c.relname as line from pg_class c, pg_roles r, unnest(array['select', 'insert', 'update', 'delete', 'truncate']) p
      where c.relispartition and c.relkind = 'r' and r.rolname in ('flip360_writer', 'flip360_reader') and has_table_privilege(r.oid, c.oid, p) order by 1";
    assert_eq!(lines(&mut owner, reached), Vec::<String>::new());
    let changeable = "select c.relname::text as line from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where exists (select from pg_trigger t where t.tgrelid = i.inhparent and t.tgname = 'append_only')
      and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'append_only') order by 1";
    assert_eq!(lines(&mut owner, changeable), Vec::<String>::new());
    let may_change = "select c.relname::text as line from pg_class c where exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'append_only')
      and (has_any_column_privilege('flip360_writer', c.oid, 'update') or has_table_privilege('flip360_writer', c.oid, 'delete') or has_table_privilege('flip360_writer', c.oid, 'truncate'))";
    assert_eq!(lines(&mut owner, may_change), Vec::<String>::new());
    let not_at_statement =
        "select tgrelid::regclass::text as line from pg_trigger where tgname = 'append_only' and tgtype & 1 = 1";
    assert_eq!(lines(&mut owner, not_at_statement), Vec::<String>::new());
}

#[test]
fn what_is_appended_is_changed_neither_by_the_service_nor_by_its_owner() {
    let platform = Platform::new();
    let mut owner = platform.owner();
    let guarded = lines(
        &mut owner,
        "select tgrelid::regclass::text as line from pg_trigger where tgname = 'append_only' order by 1",
    );
    assert!(guarded.len() > 20, "{guarded:?}");
    for table in guarded {
        for statement in [format!("delete from {table}"), format!("truncate {table} cascade")] {
            let refused = diesel::connection::SimpleConnection::batch_execute(&mut owner, &statement);
            let refused = refused.expect_err(&statement).to_string();
            assert!(refused.contains("append-only"), "{statement}: {refused}");
            assert!(platform.refusal_of(&statement).is_some(), "{statement}");
        }
    }
}

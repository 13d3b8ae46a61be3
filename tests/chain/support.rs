//! Exports and audits of a platform, receipts, and a look through every column of its database.

use std::collections::BTreeSet;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use diesel::RunQueryDsl as _;
use domain::access::Viewer;
use domain::chain::audit::{Against, AuditReport, audit_against};
use domain::chain::checkpoint::Checkpoint;
use domain::chain::export::{At, Line, piece};
use domain::chain::mirror::{LiveLog, LogFiles};
use domain::chain::receipt::Receipt;
use domain::chain::receipts::{self, Wanted, Withheld};
use domain::kernel::ids::{EntryId, HandshakeId};
use domain::store::StoreError;
use harness::platform::Platform;
use integrations::export_lines::LinesOf;

pub const EXAMPLE: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
pub const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");
pub const ALL: &[u8] = include_bytes!("../../data/v01/v01-deals.csv");
pub const ALL_MEMBERS: &str = include_str!("../../data/v01/v01-members.csv");
pub const HEADER: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";

/// The example, logged and signed.
pub fn example() -> Platform {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    let _ = platform.sequence();
    platform
}

/// The export of a platform, as it goes out.
pub fn exported(platform: &Platform) -> Vec<u8> {
    let written = platform.store().read_snapshot(&Viewer::Everything, |queries| {
        let (mut bytes, mut next) = (Vec::new(), Some(At::Head));
        while let Some(at) = next {
            let (more, then) = piece(queries.chain(), at)?.expect("a signed log");
            bytes.extend(more);
            next = then;
        }
        Ok(bytes)
    });
    written.expect("the store answers")
}

/// The lines of an export.
pub fn lines(export: &[u8]) -> Vec<Line> {
    let text = std::str::from_utf8(export).expect("UTF-8");
    text.lines().map(|line| Line::parse(line.as_bytes()).expect("a line")).collect()
}

/// An audit of files with an export and checkpoints that were kept.
pub fn audited(
    platform: &Platform,
    files: &dyn LogFiles,
    export: Option<&[u8]>,
    kept: &[Checkpoint],
) -> Result<AuditReport, StoreError> {
    let trust = platform.trust();
    let mut lines = LinesOf::new(export.unwrap_or_default());
    let against = Against {
        kept: kept.to_vec(),
        witnesses: Some(trust.policy()),
        export: export.map(|_| (&trust, &mut lines as _)),
    };
    audit_against(trust.log(), files, against, &mut |_, _| ()).map_err(|error| StoreError::Failed(error.to_string()))
}

/// An audit of the database and its export.
pub fn audit_of(platform: &Platform, kept: &[Checkpoint]) -> AuditReport {
    let export = exported(platform);
    let report = platform.store().read_snapshot(&Viewer::Everything, |queries| {
        audited(platform, &LiveLog::new(queries.chain()), Some(&export), kept)
    });
    report.expect("the log can be read")
}

/// The newest checkpoint, as somebody would keep it.
pub fn newest(platform: &Platform) -> Checkpoint {
    let note = platform.store().read(&Viewer::Everything, |queries| queries.chain().find_newest_note());
    let note = note.expect("the store answers").expect("a checkpoint");
    Checkpoint::open(&note.note, platform.trust().log()).expect("it is signed")
}

/// Everything that there can be a receipt of.
pub fn wanted(platform: &Platform) -> Vec<Wanted> {
    let handshakes = platform.ids_of("select id from handshake order by id");
    let entries = platform.ids_of("select id from ledger_entry order by seq");
    let handshakes = handshakes.into_iter().map(|id| Wanted::Handshake(HandshakeId::new(id)));
    handshakes.chain(entries.into_iter().map(|id| Wanted::LedgerEntry(EntryId::new(id)))).collect()
}

/// The receipts of everything, or why there is none.
pub fn receipts(platform: &Platform) -> Vec<Result<Receipt, Withheld>> {
    receipts::find(platform.store(), &platform.actor, &wanted(platform)).expect("an answer")
}

/// An empty directory for one test.
pub fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("flip360-chain-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

/// The one text that a query gives, asked as the owner.
pub fn text(platform: &Platform, sql: &str) -> String {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let sql = format!("select ({sql})::text as text");
    diesel::sql_query(sql).get_result::<Row>(&mut platform.owner()).expect("a text").text
}

/// The bytes of the one row that a query gives, asked as the owner.
pub fn bytes(platform: &Platform, sql: &str) -> Vec<u8> {
    hex::decode(text(platform, &format!("select encode(({sql}), 'hex')"))).expect("hexadecimal")
}

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    table: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    is_bytes: bool,
}

/// A word as base64 shows it, wherever it begins: the middle, which does not depend on what stands around it.
fn in_base64(word: &str) -> Vec<String> {
    let of = |pad: usize| {
        let bytes = [vec![0; pad], word.as_bytes().to_vec()].concat();
        let (from, to) = ((pad * 8).div_ceil(6), bytes.len() * 8 / 6);
        [STANDARD_NO_PAD.encode(&bytes)[from..to].to_owned(), URL_SAFE_NO_PAD.encode(&bytes)[from..to].to_owned()]
    };
    (0..3).flat_map(of).collect()
}

/// The columns of any table that hold one of these words: as they are, in hexadecimal, or within base64.
pub fn holding(platform: &Platform, words: &[&str]) -> BTreeSet<String> {
    let mut owner = platform.owner();
    let columns: Vec<Column> = diesel::sql_query(
        "select table_name::text as table, column_name::text as name, data_type = 'bytea' as is_bytes from information_schema.columns
         join information_schema.tables using (table_schema, table_name)
         where table_schema = 'public' and table_type = 'BASE TABLE'
           and data_type in ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'ARRAY')",
    )
    .load(&mut owner)
    .expect("the columns");
    assert!(columns.len() > 150, "{}", columns.len());
    let holds = |column: &&Column| {
        let shown = if column.is_bytes { "encode(%, 'escape')" } else { "%::text" };
        let shown = shown.replace('%', &format!("\"{}\"", column.name));
        let plain = words.iter().flat_map(|word| [word.to_lowercase(), hex::encode(word)]);
        let plain = plain.map(|word| format!("position('{word}' in lower({shown})) > 0"));
        let encoded = words.iter().flat_map(|word| in_base64(word));
        let encoded = encoded.map(|word| format!("position('{word}' in {shown}) > 0"));
        let any = plain.chain(encoded).collect::<Vec<_>>().join(" or ");
        platform.number(&format!("select count(*) from \"{}\" where {any}", column.table)) > 0
    };
    columns.iter().filter(holds).map(|column| format!("{}.{}", column.table, column.name)).collect()
}

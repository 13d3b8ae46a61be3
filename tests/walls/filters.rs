//! `coalesce(column = $1, true)` lets every row through while nothing is asked for. It would also let a row without a value
//! through when something is: it stands over columns only that always have one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use diesel::RunQueryDsl as _;
use harness::platform::Platform;
use harness::skip::workspace;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The columns that a source filters by in this way.
fn filtered(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in source.match_indices("coalesce(") {
        let rest = &source[at + "coalesce(".len()..];
        let column: String = rest.chars().take_while(|c| is_name(*c) || *c == '.').collect();
        let asked =
            rest[column.len()..].strip_prefix(" = $").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        if asked.is_some_and(|rest| rest.starts_with(", true)")) {
            found.insert(column.rsplit('.').next().unwrap_or_default().to_owned());
        }
    }
    found
}

/// The tables that a source reads.
fn tables(source: &str) -> BTreeSet<String> {
    let words: Vec<&str> = source.split(|c: char| !is_name(c)).filter(|word| !word.is_empty()).collect();
    words.windows(2).filter(|pair| ["from", "join"].contains(&pair[0])).map(|pair| pair[1].to_owned()).collect()
}

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    of: String,
}

#[test]
fn what_is_filtered_by_always_has_a_value() {
    let platform = Platform::new();
    let nullable: Vec<Column> = diesel::sql_query(
        "select column_name::text as name, table_name::text as of from information_schema.columns where table_schema = 'public' and is_nullable = 'YES'",
    )
    .load(&mut platform.owner())
    .expect("the columns");
    let mut files = Vec::new();
    sources(&workspace().join("persistence/src"), &mut files);
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in files {
        let source = std::fs::read_to_string(&file).expect("a source");
        let (columns, tables) = (filtered(&source), tables(&source));
        seen += columns.len();
        let bad = nullable.iter().filter(|column| columns.contains(&column.name) && tables.contains(&column.of));
        wrong.extend(bad.map(|column| format!("{}: {}.{}", file.display(), column.of, column.name)));
    }
    assert!(seen > 10, "the filters are found: {seen}");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_filter_over_a_column_without_a_value_would_be_found() {
    let source = "select id from deal d join payout p on true where coalesce(d.member_id = $12, true) and coalesce(state = $1, false)";
    assert_eq!(filtered(source), BTreeSet::from(["member_id".to_owned()]));
    assert_eq!(tables(source), BTreeSet::from(["deal".to_owned(), "payout".to_owned()]));
}

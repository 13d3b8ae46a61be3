//! Exports as NDJSON: the same deals, money and refusals as from the CSV.

use domain::deals::import::{COLUMNS, ImportFormat};
use harness::platform::Platform;
use harness::server::Reply;
use serde_json::{Map, Value, json};

use super::http::World;
use super::{EXAMPLE, EXAMPLE_MEMBERS};

/// The rows of a CSV as lines of JSON, by the csv crate.
fn as_ndjson(csv: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for row in csv::Reader::from_reader(csv).records() {
        let row = row.expect("a row");
        let cells = COLUMNS.iter().zip(&row).filter(|(_, cell)| !cell.is_empty());
        let object: Map<String, Value> = cells.map(|(column, cell)| ((*column).to_owned(), cell.into())).collect();
        serde_json::to_writer(&mut file, &object).expect("a line");
        file.push(b'\n');
    }
    file
}

fn send(world: &World, key: &str, media: &str, file: &[u8]) -> Reply {
    let authorization = format!("Bearer {}", world.partner());
    let declaration = world.declaration(file);
    let headers = [
        ("authorization", authorization.as_str()),
        ("idempotency-key", key),
        ("content-type", media),
        ("flip360-declaration", &declaration),
    ];
    world.service.send("POST", &world.path(world.service.platform.provider), &headers, Some(file))
}

/// What the deals earn, and what is owed to whom.
fn books(platform: &Platform) -> Vec<i64> {
    let sums = [
        "select count(*) from deal",
        "select coalesce(sum(earned_minor), 0) from commission_line",
        "select coalesce(sum(clawed_back_minor), 0) from commission_line",
        "select count(*) from ledger_entry",
        "select coalesce(sum(abs(balance_minor)), 0) from ledger_balance",
    ];
    sums.iter().map(|sum| platform.number(sum)).collect()
}

#[test]
fn an_export_as_ndjson_makes_the_same_deals_and_after_the_csv_nothing_new() {
    let (csv, ndjson) = (Platform::new(), Platform::new());
    for platform in [&csv, &ndjson] {
        platform.onboard(EXAMPLE_MEMBERS);
    }
    let first = csv.import(EXAMPLE);
    let (import, _) = ndjson.upload_as(ImportFormat::Ndjson, &as_ndjson(EXAMPLE));
    ndjson.work();
    let other = ndjson.report(import.id);
    assert_eq!((other.created, other.superseded), (first.created, first.superseded));
    assert!(first.created > 0 && books(&csv)[3] > 0);
    assert_eq!(books(&ndjson), books(&csv));
    // The header is a line of the CSV alone.
    let refused = |report: &harness::imports::ImportReport, before: u64| -> Vec<_> {
        report.refused.iter().map(|row| (row.line - before, row.external_ref.clone(), row.faults.clone())).collect()
    };
    assert_eq!(refused(&other, 0), refused(&first, 1));
    let (again, _) = csv.upload_as(ImportFormat::Ndjson, &as_ndjson(EXAMPLE));
    csv.work();
    let again = csv.report(again.id);
    assert_eq!((again.created, again.corrected, again.unchanged), (0, 0, first.created));
}

#[test]
fn a_file_is_read_as_its_media_type_says() {
    let world = World::new();
    let file = as_ndjson(EXAMPLE);
    let accepted = send(&world, "ndjson", "application/x-ndjson; charset=utf-8", &file);
    let job = accepted.expect(202);
    world.service.work();
    let path = accepted.header("location").expect("a location");
    let done = world.service.get(path, &world.partner()).expect(200);
    assert_eq!(done["status"], "succeeded", "{done}");
    let import = world.service.get(done["result"].as_str().expect("a result"), &world.partner()).expect(200);
    assert_eq!((&import["format"], &import["status"]), (&json!("ndjson"), &json!("done")));
    assert!(import["counts"]["created"].as_u64() > Some(0), "{import}");
    let (platform, operator) = (&world.service.platform, world.service.operator());
    for (query, found) in [
        ("status=done".to_owned(), 1),
        ("status=failed".to_owned(), 0),
        (format!("organisation_id={}&provider_id={}", platform.introducer, platform.provider), 1),
        (format!("organisation_id={}", platform.provider), 0),
        (format!("provider_id={}", platform.introducer), 0),
    ] {
        let page = world.service.get(&format!("/v1/deals/imports?{query}"), &operator).expect(200);
        assert_eq!(page["data"].as_array().map(Vec::len), Some(found), "{query}");
    }
    let _ = world.service.get("/v1/deals/imports?status=idle", &operator).problem(400, "invalid_filter");
    // The same request again is the first answer; the same bytes as another format are another request.
    let again = send(&world, "ndjson", "application/x-ndjson", &file);
    assert_eq!(
        (again.expect(202)["id"].clone(), again.header("idempotency-replayed")),
        (job["id"].clone(), Some("true"))
    );
    let _ = send(&world, "ndjson", "text/csv", &file).problem(422, "idempotency_key_reused");
    for media in ["application/json", "application/ndjson", "text/plain", ""] {
        let _ = send(&world, "other", media, &file).problem(415, "unsupported_media_type");
    }
    let mistaken = send(&world, "mistaken", "application/x-ndjson", EXAMPLE).expect(202);
    world.service.work();
    let mistaken = format!("/v1/jobs/{}", mistaken["id"].as_str().expect("an id"));
    let done = world.service.get(&mistaken, &world.partner()).expect(200);
    let rows = format!("{}/rows?limit=1", done["result"].as_str().expect("a result"));
    let rows = world.service.get(&rows, &world.partner()).expect(200);
    assert_eq!(
        (&rows["data"][0]["outcome"], &rows["data"][0]["faults"][0]["code"]),
        (&json!("refused"), &json!("invalid_json"))
    );
}

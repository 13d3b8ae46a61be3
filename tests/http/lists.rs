//! Every list of the document: both ways, page by page, and with cursors that are not its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use api::policy::Operation;
use harness::server::Service;
use harness::site;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// A list: its operation, its path, and the names of its parameters.
struct Listed<'o> {
    operation: &'o Operation,
    path: String,
    parameters: BTreeSet<String>,
    keys: Vec<String>,
}

fn lists<'o>(service: &'o Service, ids: &BTreeMap<&'static str, String>) -> Vec<Listed<'o>> {
    let document = serde_json::to_value(api::openapi::document()).expect("a document");
    let mut lists = Vec::new();
    for operation in service.app.policy.operations().iter().filter(|o| o.method == "GET") {
        let parameters = document["paths"][&operation.pattern]["get"]["parameters"].as_array().cloned();
        let parameters: Vec<Value> =
            parameters.unwrap_or_default().into_iter().filter(|p| p["in"] == "query").collect();
        let names: BTreeSet<String> =
            parameters.iter().map(|p| p["name"].as_str().expect("a name").to_owned()).collect();
        if names.contains("cursor") {
            let sort = parameters.iter().find(|p| p["name"] == "sort").unwrap_or_else(|| panic!("{}", operation.id));
            let keys = serde_json::from_value(sort["schema"]["enum"].clone()).expect("the keys");
            lists.push(Listed { operation, path: site::path(operation, &document, ids), parameters: names, keys });
        }
    }
    assert!(lists.len() >= 24, "only {} lists", lists.len());
    lists
}

/// What a list needs to be asked at all.
fn needed(listed: &Listed<'_>, service: &Service) -> String {
    match listed.operation.id {
        "get_statement" => {
            let member = service
                .platform
                .ids_of("select member_id as id from commission_line where member_id is not null order by 1 limit 1")
                [0];
            format!("&member_id={}", domain::kernel::ids::MemberId::new(member))
        }
        "get_payee_statement" => "&from=2026-01-01&to=2026-12-31".to_owned(),
        _ => String::new(),
    }
}

/// Every row of a list, page by page; and the cursor of the second page.
fn rows(service: &Service, token: &str, path: &str, query: &str) -> (Vec<Value>, Option<String>) {
    let (mut all, mut first, mut cursor) = (Vec::new(), None, String::new());
    loop {
        let reply = service.get(&format!("{path}?{query}{cursor}"), token);
        let page = reply.expect(200);
        all.extend(page["data"].as_array().expect("rows").clone());
        let Some(next) = page["next_cursor"].as_str() else {
            assert_eq!(reply.header("link"), None, "{path}");
            return (all, first);
        };
        let link = reply.header("link").unwrap_or_else(|| panic!("{path}: no link"));
        assert!(link.contains(&format!("cursor={next}")) && link.ends_with("rel=\"next\""), "{link}");
        first.get_or_insert_with(|| next.to_owned());
        cursor = format!("&cursor={next}");
    }
}

#[test]
fn every_list_goes_both_ways_and_shows_each_row_once_whatever_the_size_of_its_pages() {
    let service = site::populated();
    let ids = site::ids(&service);
    let operator = service.operator();
    let mut with_rows = 0;
    for listed in lists(&service, &ids) {
        let (at, needed) = (&listed.path, needed(&listed, &service));
        let [up, down] = listed.keys.as_slice() else { panic!("{at}: {:?}", listed.keys) };
        assert_eq!(*down, format!("-{up}"), "{at}");
        let (usual, _) = rows(&service, &operator, at, &format!("limit=200{needed}"));
        let (mut ascending, _) = rows(&service, &operator, at, &format!("limit=3&sort={up}{needed}"));
        let (descending, _) = rows(&service, &operator, at, &format!("limit=2&sort={down}{needed}"));
        assert!([&ascending, &descending].contains(&&usual), "{at}");
        ascending.reverse();
        assert_eq!(ascending, descending, "{at}");
        let different: BTreeSet<String> = usual.iter().map(Value::to_string).collect();
        assert_eq!(different.len(), usual.len(), "{at} shows a row twice");
        with_rows += usize::from(usual.len() > 1);
        if listed.parameters.contains("created_after") {
            let both = [
                "created_after=2026-01-01T00:00:00Z&created_before=2099-01-01T00:00:00Z",
                "created_after=2099-01-01T00:00:00Z",
            ];
            for (query, expected) in both.into_iter().zip([usual.as_slice(), &[]]) {
                assert_eq!(
                    rows(&service, &operator, at, &format!("limit=200&{query}{needed}")).0,
                    expected,
                    "{at} {query}"
                );
            }
        }
    }
    assert!(with_rows >= 16, "only {with_rows} lists had rows to order");
}

#[test]
fn what_a_list_does_not_know_is_refused_and_named() {
    let service = site::populated();
    let ids = site::ids(&service);
    let operator = service.operator();
    for listed in lists(&service, &ids) {
        let (at, needed) = (&listed.path, needed(&listed, &service));
        let refused =
            |query: &str, code: &str| service.get(&format!("{at}?{query}{needed}"), &operator).problem(400, code);
        assert_eq!(
            refused("colour=red", "invalid_query"),
            [("#colour".to_owned(), "invalid_query".to_owned())],
            "{at}"
        );
        for sort in ["", "-", "id", "created_at%20desc", "-created_at,id", "sequence;--"] {
            let pointer = &refused(&format!("sort={sort}"), "invalid_filter")[0].0;
            assert_eq!(pointer, "#sort", "{at} {sort}");
        }
        for limit in ["0", "201", "-1", "1.5", "", "99999999999999999999"] {
            assert_eq!(refused(&format!("limit={limit}"), "limit_out_of_range")[0].0, "#limit", "{at} {limit}");
        }
        let _ = refused("limit=1&limit=2", "invalid_query");
        for dated in ["created_after", "created_before"] {
            let known = listed.parameters.contains(dated);
            let code = if known { "invalid_filter" } else { "invalid_query" };
            assert_eq!(refused(&format!("{dated}=yesterday"), code)[0].0, format!("#{dated}"), "{at}");
        }
    }
}

#[test]
fn a_cursor_that_was_altered_or_given_elsewhere_is_refused() {
    let service = site::populated();
    let ids = site::ids(&service);
    let operator = service.operator();
    let lists = lists(&service, &ids);
    let mut given = Vec::new();
    for listed in &lists {
        let needed = needed(listed, &service);
        if let (_, Some(cursor)) = rows(&service, &operator, &listed.path, &format!("limit=1{needed}")) {
            given.push((listed, needed, cursor));
        }
    }
    assert!(given.len() >= 16, "only {} lists gave a cursor", given.len());
    let refused = |path: &str, query: &str| {
        let pointers = service.get(&format!("{path}?{query}"), &operator).problem(400, "invalid_cursor");
        assert_eq!(pointers, [("#cursor".to_owned(), "invalid_cursor".to_owned())], "{path}?{query}");
    };
    for (n, (listed, needed, cursor)) in given.iter().enumerate() {
        let at = &listed.path;
        let _ = service.get(&format!("{at}?limit=7&cursor={cursor}{needed}"), &operator).expect(200);
        // Bit by bit, cut, lengthened, empty, of another kind.
        for place in 0..cursor.len() {
            let mut altered = cursor.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).expect("a text");
            // The last character holds bits that say nothing; base64 refuses those that are not zero.
            refused(at, &format!("cursor={altered}{needed}"));
        }
        for altered in
            [&cursor[..cursor.len() - 1], &cursor[1..], &format!("{cursor}A"), "", "%00", "AAAAAAAAAAAAAAAAAAAAAAAA"]
        {
            refused(at, &format!("cursor={altered}{needed}"));
        }
        // The same list in another order, of other rows; another list.
        refused(at, &format!("cursor={cursor}&sort={}{needed}", listed.keys[0]));
        if listed.parameters.contains("created_after") {
            refused(at, &format!("cursor={cursor}&created_after=2026-01-01T00:00:00Z{needed}"));
        }
        let (other, needed, _) = &given[(n + 1) % given.len()];
        refused(&other.path, &format!("cursor={cursor}{needed}"));
    }
}

#[test]
fn a_cursor_of_another_party_is_refused_and_one_of_a_colleague_is_not() {
    let service = site::populated();
    let (partner, colleague) = (service.partner(), service.partner());
    let provider = service.stranger_of(service.platform.provider);
    let cursor = |token: &str| {
        let page = service.get("/v1/deals?limit=1", token).expect(200);
        page["next_cursor"].as_str().expect("another page").to_owned()
    };
    let own = cursor(&partner);
    let path = format!("/v1/deals?limit=1&cursor={own}");
    assert_eq!(service.get(&path, &colleague).expect(200), service.get(&path, &partner).expect(200));
    for other in [&provider, &service.operator(), &service.stranger()] {
        let _ = service.get(&path, other).problem(400, "invalid_cursor");
    }
    // A member sees less than its organisation, so neither takes the other's.
    let member = service
        .platform
        .ids_of("select member_id as id from deal group by 1 having count(*) > 1 order by 1 limit 1")[0];
    let member = service.token(
        &[domain::access::Role::Member],
        Some(service.platform.introducer),
        Some(domain::kernel::ids::MemberId::new(member)),
    );
    let _ = service.get(&path, &member).problem(400, "invalid_cursor");
    let _ = service.get(&format!("/v1/deals?cursor={}", cursor(&member)), &partner).problem(400, "invalid_cursor");
    // Another process of the same service takes it; it has the same key.
    let status = service.asking_neighbour(service.neighbour(), |get| get(&path, &partner));
    assert_eq!(status, 200);
}

#[test]
fn whoever_pages_while_others_write_sees_what_was_there_once() {
    let service = Service::start();
    let operator = service.operator();
    let make = |n: usize| {
        let body = json!({"kind": "introducer", "name": format!("Introducer {n} Pty Ltd")});
        service.post("/v1/organisations", &operator, &body).expect(201)["id"].as_str().expect("an id").to_owned()
    };
    let made = std::sync::atomic::AtomicUsize::new(0);
    for _ in 0..20 {
        let _ = make(made.fetch_add(1, Ordering::Relaxed));
    }
    let walk = |limit: usize, sort: &str| {
        let there: BTreeSet<String> =
            rows(&service, &operator, "/v1/organisations", "limit=200").0.iter().map(id).collect();
        let done = AtomicBool::new(false);
        let (seen, added) = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut added = 0;
                while !done.load(Ordering::Relaxed) && added < 40 {
                    let _ = make(made.fetch_add(1, Ordering::Relaxed));
                    added += 1;
                }
                added
            });
            let (seen, _) = rows(&service, &operator, "/v1/organisations", &format!("limit={limit}&sort={sort}"));
            done.store(true, Ordering::Relaxed);
            (seen, writer.join().expect("it wrote"))
        });
        let seen: Vec<String> = seen.iter().map(id).collect();
        let once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(once.len(), seen.len(), "a row was seen twice among {added} new ones");
        assert!(there.is_subset(&once), "a row was missed among {added} new ones");
    };
    let mut runner = TestRunner::new(Config { cases: 8, failure_persistence: None, ..Config::default() });
    let sizes = (1_usize..12, proptest::bool::ANY);
    runner
        .run(&sizes, |(limit, newest_first)| {
            walk(limit, if newest_first { "-created_at" } else { "created_at" });
            Ok(())
        })
        .expect("every row once");
}

fn id(row: &Value) -> String {
    row["id"].as_str().expect("an id").to_owned()
}

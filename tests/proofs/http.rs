//! The public log and receipts over HTTP: the same bytes, no login for what is public, nothing foreign.

use domain::chain::audit::audit;
use domain::chain::key::PublicKey;
use domain::chain::mirror::LogFiles;
use domain::chain::proof::{check_consistency, check_inclusion};
use domain::chain::receipt::Receipt;
use domain::chain::signer::PortError;
use domain::chain::trust::Trust;
use domain::chain::verify::verify;
use domain::kernel::Digest;
use harness::leaves;
use harness::server::{Reply, Service};
use serde_json::Value;

use crate::support::{EXAMPLE, MEMBERS};

/// The example, imported, logged and served.
fn served() -> Service {
    let service = Service::start();
    service.platform.onboard(MEMBERS);
    let _ = service.platform.import(EXAMPLE);
    service.sequence();
    service
}

fn anybody(service: &Service, path: &str) -> Reply {
    service.send("GET", path, &[], None)
}

/// The log as a stranger reads it.
struct OverHttp<'s>(&'s Service);

impl LogFiles for OverHttp<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        let reply = anybody(self.0, &format!("/{path}"));
        match reply.status {
            200 => Ok(Some(reply.body)),
            404 => Ok(None),
            other => Err(PortError(format!("{path}: {other}"))),
        }
    }
}

fn digest(value: &Value) -> Digest {
    domain::chain::encoding::digest_from_b64(value.as_str().expect("a text")).expect("a digest")
}

fn path(value: &Value) -> Vec<Digest> {
    value["proof"].as_array().expect("a proof").iter().map(digest).collect()
}

#[test]
fn a_stranger_audits_the_whole_log_and_its_keys() {
    let service = served();
    let keys = anybody(&service, "/v1/chain/keys");
    assert_eq!(keys.status, 200);
    let trust = Trust::parse(&keys.body).expect("a trust file");
    assert_eq!(trust, service.platform.trust());
    let report = audit(trust.log(), &OverHttp(&service), &mut |_, _| ()).expect("every file can be read");
    assert!(report.holds(), "{:?}", report.differences);
    assert_eq!(
        i64::try_from(report.leaves).expect("a count"),
        service.platform.number("select count(*) from chain_leaf")
    );
    let checkpoint = anybody(&service, "/checkpoint");
    assert_eq!(checkpoint.header("content-type"), Some("text/plain; charset=utf-8"));
    let width = report.leaves;
    let tile = anybody(&service, &format!("/tile/0/000.p/{width}"));
    assert_eq!((tile.status, tile.body.len() as u64), (200, 32 * width));
    assert!(tile.header("cache-control").is_some_and(|c| c.contains("immutable")));
    let kid = keys.json()["platform_keys"][0]["kid"].as_str().expect("a kid").to_owned();
    assert_eq!(trust.platform_key(&kid).map(PublicKey::kid), Some(kid));
}

#[test]
fn what_the_log_does_not_have_is_not_found() {
    let service = served();
    let size = service.platform.number("select count(*) from chain_leaf");
    for path in [
        format!("/tile/0/000.p/{}", size + 1),
        "/tile/0/000".to_owned(),
        "/tile/0/001".to_owned(),
        "/tile/1/000.p/1".to_owned(),
        "/tile/8/000.p/1".to_owned(),
        "/tile/0/0".to_owned(),
        "/tile/0/000.p/0".to_owned(),
        "/tile/00/000.p/1".to_owned(),
        "/tile/entries/000.p/256".to_owned(),
        "/tile/entries/..%2f000.p/1".to_owned(),
        "/tile/0/x999/x999/x999/x999/x999/x999/x999/999".to_owned(),
        "/tile/".to_owned(),
        "/tile/%00".to_owned(),
    ] {
        let _ = anybody(&service, &path).problem(404, "not_found");
    }
    let empty = Service::start();
    let _ = anybody(&empty, "/checkpoint").problem(404, "not_found");
    let _ = anybody(&empty, "/v1/chain/proofs/inclusion?index=0").problem(400, "out_of_range");
}

#[test]
fn proofs_check_and_faults_are_named() {
    let service = served();
    let newest = anybody(&service, "/v1/chain/proofs/inclusion?index=0").expect(200);
    let size = newest["size"].as_u64().expect("a size");
    for index in 0..size {
        let proof = anybody(&service, &format!("/v1/chain/proofs/inclusion?index={index}&size={size}")).expect(200);
        let (leaf, root) = (digest(&proof["leaf_hash"]), digest(&proof["root"]));
        assert_eq!(check_inclusion(&leaf, index, size, &path(&proof), &root), Ok(()));
    }
    for from in 0..=size {
        let proof = anybody(&service, &format!("/v1/chain/proofs/consistency?from={from}")).expect(200);
        let (before, after) = (digest(&proof["from_root"]), digest(&proof["to_root"]));
        assert_eq!(check_consistency((from, &before), (size, &after), &path(&proof)), Ok(()));
    }
    let faults = |query: &str| anybody(&service, &format!("/v1/chain/proofs/{query}")).problem(400, "out_of_range");
    let at = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(faults(&format!("inclusion?index={size}")), [at("#index", "index_out_of_range")]);
    let both = faults(&format!("inclusion?index={}&size={}", size + 9, size + 1));
    assert_eq!(both, [at("#size", "size_out_of_range"), at("#index", "index_out_of_range")]);
    assert_eq!(faults(&format!("consistency?from=0&to={}", size + 1)), [at("#to", "size_out_of_range")]);
    assert_eq!(faults("consistency?from=2&to=1"), [at("#from", "size_out_of_range")]);
    for query in [
        "inclusion",
        "inclusion?index=-1",
        "inclusion?index=1&x=1",
        "consistency?from=a",
        "inclusion?index=99999999999999999999",
    ] {
        let _ = anybody(&service, &format!("/v1/chain/proofs/{query}")).problem(400, "invalid_query");
    }
}

#[test]
fn receipts_are_given_to_who_may_see_them_and_hold() {
    let service = served();
    let handshake =
        domain::kernel::ids::HandshakeId::new(service.platform.ids_of("select id from handshake limit 1")[0]);
    let entry = domain::kernel::ids::EntryId::new(service.platform.ids_of("select id from ledger_entry limit 1")[0]);
    let (partner, stranger) = (service.partner(), service.stranger());
    for (paths, other) in [
        ([format!("/v1/handshakes/{handshake}/receipt"), format!("/v1/receipts/handshakes/{handshake}")], "entries"),
        ([format!("/v1/ledger/entries/{entry}/receipt"), format!("/v1/receipts/entries/{entry}")], "handshakes"),
    ] {
        let replies: Vec<Reply> = paths.iter().map(|path| service.get(path, &partner)).collect();
        assert_eq!(replies[0].body, replies[1].body);
        let receipt = Receipt::parse(&replies[0].body).expect("a receipt");
        assert!(verify(&service.platform.trust(), &receipt).holds());
        for path in &paths {
            let _ = service.get(path, &stranger).problem(404, "not_found");
            let _ = service.send("GET", path, &[], None).problem(401, "unauthenticated");
        }
        let id = &receipt.id;
        for wrong in
            [format!("/v1/receipts/{other}/{id}"), format!("/v1/receipts/nothing/{id}"), format!("{}x", paths[1])]
        {
            let _ = service.get(&wrong, &partner).problem(404, "not_found");
        }
    }
    let investor = service.token(&[domain::access::Role::Investor], None, None);
    let _ = service.get(&format!("/v1/handshakes/{handshake}/receipt"), &investor).problem(403, "insufficient_scope");
}

#[test]
fn a_receipt_that_is_not_signed_for_yet_can_be_asked_for_again() {
    let service = Service::start();
    service.platform.onboard(MEMBERS);
    let _ = service.platform.import(EXAMPLE);
    let entry = domain::kernel::ids::EntryId::new(service.platform.ids_of("select id from ledger_entry limit 1")[0]);
    let (path, partner) = (format!("/v1/ledger/entries/{entry}/receipt"), service.partner());
    let early = service.get(&path, &partner);
    let _ = early.problem(409, "receipt_pending");
    assert_eq!(early.header("retry-after"), Some("1"));
    service.sequence();
    assert_eq!(service.get(&path, &partner).status, 200);
}

#[test]
fn tiles_are_cached_for_ever_and_the_checkpoint_for_a_second() {
    let service = served();
    let size = service.platform.number("select count(*) from chain_leaf");
    let forever = "public, max-age=31536000, immutable";
    let (hashes, leaves) = (format!("/tile/0/000.p/{size}"), format!("/tile/entries/000.p/{size}"));
    for (path, cached) in [("/checkpoint", "public, max-age=1"), (&hashes, forever), (&leaves, forever)] {
        let first = anybody(&service, path);
        assert_eq!((first.status, first.header("cache-control")), (200, Some(cached)));
        let tag = first.header("etag").expect("a tag").to_owned();
        assert_eq!(tag, format!("\"{}\"", domain::chain::encoding::b64url(Digest::of(&first.body).bytes())));
        let length = first.body.len().to_string();
        let head = service.send("HEAD", path, &[], None);
        assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, Some(tag.as_str())));
        assert_eq!(head.header("content-length").unwrap_or(&length), length);
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            for method in ["GET", "HEAD"] {
                let same = service.send(method, path, &[("if-none-match", &known)], None);
                assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, Some(tag.as_str())));
                assert_eq!(same.header("cache-control"), Some(cached));
            }
        }
        assert_eq!(service.send("GET", path, &[("if-none-match", "\"x\"")], None).body, first.body);
    }
    let before = anybody(&service, "/checkpoint");
    leaves::append(&service.platform, &leaves::items(0, 1, 1, false)).expect("logged");
    service.sequence();
    let tag = before.header("etag").expect("a tag");
    let after = service.send("GET", "/checkpoint", &[("if-none-match", tag)], None);
    assert!(after.status == 200 && after.header("etag") != Some(tag));
    assert_eq!(anybody(&service, &hashes).body.len() as i64, 32 * size, "an old tile stays");
}

#[test]
fn what_was_asked_for_once_is_answered_from_memory_and_is_the_same() {
    let service = Service::start();
    for (from, to) in [(0, 1), (1, 600), (600, 1_000)] {
        leaves::append(&service.platform, &leaves::items(from, to, 9, false)).expect("logged");
        service.sequence();
        let _ = anybody(&service, "/v1/chain/proofs/inclusion?index=0").expect(200);
    }
    let paths: Vec<String> = (0..1_000)
        .step_by(37)
        .flat_map(|n| {
            [
                format!("/v1/chain/proofs/inclusion?index={n}&size=1000"),
                format!("/v1/chain/proofs/consistency?from={n}&to=999"),
            ]
        })
        .chain(
            ["/tile/0/000", "/tile/0/002", "/tile/0/003.p/232", "/tile/0/001.p/7", "/tile/1/000.p/3"]
                .map(str::to_owned),
        )
        .collect();
    let ask =
        || paths.iter().map(|path| anybody(&service, path)).map(|reply| (reply.status, reply.body)).collect::<Vec<_>>();
    let before = ask();
    assert!(before.iter().all(|(status, _)| *status == 200));
    assert_eq!(service.app.log_memory.size(), 1_000);
    // From here on the tables have nothing to answer with.
    service.platform.tamper("delete from chain_tile; delete from chain_leaf");
    assert_eq!(ask(), before);
    let newest = anybody(&service, "/v1/chain/proofs/inclusion?index=999").expect(200);
    assert_eq!(newest["size"], 1_000);
}

#[test]
fn a_neighbour_sees_at_once_what_another_process_has_signed() {
    let service = served();
    let neighbour = service.neighbour();
    let before = service.platform.number("select count(*) from chain_leaf");
    service.asking_neighbour(neighbour, |get| {
        for more in 0..3 {
            let size = before + more;
            assert_eq!(get(&format!("/v1/chain/proofs/inclusion?index=0&size={size}"), ""), 200);
            assert_eq!(get(&format!("/v1/chain/proofs/inclusion?index=0&size={}", size + 1), ""), 400);
            assert_eq!(get(&format!("/tile/0/000.p/{size}"), ""), 200);
            assert_eq!(get(&format!("/tile/0/000.p/{}", size + 1), ""), 404);
            let n = u64::try_from(more).expect("a count");
            leaves::append(&service.platform, &leaves::items(n, n + 1, 1, false)).expect("logged");
            service.sequence();
        }
    });
}

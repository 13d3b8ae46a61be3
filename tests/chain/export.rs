//! The export over HTTP: who gets it, what stands in it, and that an auditor who has it and the public log needs nothing
//! else of us.

use std::process::ExitCode;

use api::cli::audit::{self, AuditArgs};
use api::config::DatabaseArgs;
use domain::access::Role;
use domain::chain::export::Line;
use domain::chain::leaf::{Leaf, LeafKind, commitment};
use harness::server::Service;

use crate::support::{EXAMPLE, MEMBERS, exported, lines, scratch};

fn served() -> Service {
    let service = Service::start();
    service.platform.onboard(MEMBERS);
    let _ = service.platform.import(EXAMPLE);
    service.sequence();
    service
}

#[test]
fn every_leaf_comes_with_the_bytes_that_it_commits_to() {
    let service = served();
    let auditor = service.token(&[Role::Auditor], None, None);
    let reply = service.get("/v1/chain/export", &auditor);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/x-ndjson")));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.body, exported(&service.platform), "the same as the tool writes");
    let lines = lines(&reply.body);
    let size = u64::try_from(service.platform.number("select count(*) from chain_leaf")).expect("a count");
    let (Some(Line::Head { size: told, .. }), Some(Line::End { leaves })) = (lines.first(), lines.last()) else {
        panic!("a head and an end")
    };
    assert_eq!((*told, *leaves, lines.len() as u64), (size, size, size + 2));
    let mut entries = 0;
    for (index, line) in (0..).zip(&lines[1..lines.len() - 1]) {
        let Line::Leaf { envelope: Some(envelope), erased: false, erases: None, index: at, leaf } = line else {
            panic!("{line:?}")
        };
        let leaf = Leaf::parse(leaf.as_bytes()).expect("a leaf");
        assert_eq!((*at, leaf.commitment), (index, commitment(envelope.as_bytes())));
        entries += i64::from(leaf.kind == LeafKind::LedgerEntry);
    }
    assert_eq!(entries, service.platform.number("select count(*) from ledger_entry"));
}

#[test]
fn only_those_who_see_everything_get_it_and_only_once_something_is_signed() {
    let service = served();
    for token in [service.partner(), service.token(&[Role::Finance], None, None)] {
        let _ = service.get("/v1/chain/export", &token).problem(403, "insufficient_scope");
    }
    let _ = service.send("GET", "/v1/chain/export", &[], None).problem(401, "unauthenticated");
    let empty = Service::start();
    let _ = empty.get("/v1/chain/export", &empty.operator()).problem(404, "not_found");
}

#[test]
fn an_auditor_audits_over_http_with_the_export_and_nothing_else() {
    let service = served();
    let auditor = service.token(&[Role::Auditor], None, None);
    let directory = scratch("auditor");
    let (trust, export, kept) = (directory.join("trust.json"), directory.join("export"), directory.join("checkpoint"));
    std::fs::write(&trust, service.platform.trust().to_json().expect("JSON")).expect("written");
    std::fs::write(&export, service.get("/v1/chain/export", &auditor).body).expect("written");
    std::fs::write(&kept, service.send("GET", "/checkpoint", &[], None).body).expect("written");
    let audited = |url: &str, export: &std::path::Path, kept: &std::path::Path| {
        audit::run(&AuditArgs {
            trust: trust.clone(),
            mirror: Some(url.into()),
            export: Some(export.to_owned()),
            kept: vec![kept.to_owned()],
            json: true,
            database: DatabaseArgs { data_dir: directory.clone(), database_url: None, migrate_url: None },
        })
    };
    assert_eq!(audited(&service.url, &export, &kept).expect("it runs"), ExitCode::SUCCESS);
    // The log grows; what is younger than the export is told, and is no difference.
    let row = "NEW-1,M016,Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,1000.00,0.00,";
    let _ = service.platform.import(format!("{}\n{row}\n", crate::support::HEADER).as_bytes());
    service.sequence();
    assert_eq!(audited(&service.url, &export, &kept).expect("it runs"), ExitCode::SUCCESS);
    let other = std::fs::read_to_string(&export).expect("lines").replacen("ledger_entry", "ledger_entri", 1);
    let edited = directory.join("edited");
    std::fs::write(&edited, other).expect("written");
    assert_eq!(audited(&service.url, &edited, &kept).expect("it runs"), ExitCode::FAILURE);
    let gone = audited("http://127.0.0.1:9", &export, &kept).map(|_| ()).expect_err("nobody listens");
    assert!(gone.to_string().contains("http://127.0.0.1:9/checkpoint"), "{gone}");
    let unsigned = audited(&service.url, &export, &trust).map(|_| ()).expect_err("a trust file is no checkpoint");
    assert!(unsigned.to_string().contains("trust.json"), "{unsigned}");
}

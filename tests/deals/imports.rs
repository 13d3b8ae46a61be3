//! Files that partners get wrong, and what an import makes of them.

use domain::access::Viewer;
use domain::deals::import::COLUMNS;
use domain::deals::import::ImportFormat;
use domain::deals::import::receive;
use domain::jobs::JobState;
use harness::imports::ImportReport;
use harness::platform::Platform;

use super::{EXAMPLE, EXAMPLE_MEMBERS, file, partner};

fn platform() -> Platform {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    platform
}

/// Line and codes of each refused row.
fn refused(report: &ImportReport) -> Vec<(u64, Vec<&str>)> {
    report.refused.iter().map(|row| (row.line, row.faults.iter().map(|(_, code)| code.as_str()).collect())).collect()
}

#[test]
fn a_file_that_is_no_export_is_refused_whole() {
    let platform = platform();
    let wrong: [&[u8]; 6] = [
        b"",
        b"external_ref,member_ref\nA,B\n",
        b"\x50\x4b\x03\x04\0\0\0\0",
        &[0xFF, 0xFE, b'e', 0, b'x', 0],
        &[b'x'; 200_000],
        b"external_ref;member_ref;client_name;product_code;referred_on;contracted_on;settled_on;settled_amount;offset_balance;discharged_on\n",
    ];
    for bytes in wrong {
        let (import, job) = platform.upload(bytes);
        platform.work();
        assert_eq!(platform.report(import.id).fault.as_deref(), Some("wrong_header"));
        assert_eq!(platform.job(&job), (JobState::Failed, Some("wrong_header".to_owned())));
    }
    assert_eq!(platform.number("select count(*) from deal"), 0);
    let empty = platform.import(format!("{}\r\n", COLUMNS.join(",")).as_bytes());
    assert_eq!(empty, ImportReport::default());
}

#[test]
fn faulty_rows_are_told_by_line_and_the_rest_is_imported() {
    let platform = platform();
    let good = |reference: &str| format!("{reference},M016,Ann,FIXED-3Y,2026-01-01,,,,,\n").into_bytes();
    let long = [b"LONG,M016,\"", vec![b'x'; 70_000].as_slice(), b"\",FIXED-3Y,2026-01-01,,,,,\n"].concat();
    let rows = [
        good("A"),
        b"LATIN,M016,Jos\xE9,FIXED-3Y,2026-01-01,,,,,\n".to_vec(),
        b"NUL\0,M016,Ann,FIXED-3Y,2026-01-01,,,,,\n".to_vec(),
        long,
        good("B"),
        b"UNKNOWN,M999,Ann,FIXED-3Y,2026-01-01,,,,,\n".to_vec(),
        b"PRODUCT,M016,Ann,NO-SUCH,2026-01-01,,,,,\n".to_vec(),
        b"HUGE,M016,Ann,FIXED-3Y,2026-01-01,,2026-01-02,99999999999999999.99,,\n".to_vec(),
        b"OVER,M016,Ann,FIXED-3Y,2026-01-01,,2026-01-02,90071992547409.92,,\n".to_vec(),
        good("C"),
        b"CUT,M016,Ann,FIXED-3Y,2026-01-01,2026-01".to_vec(),
    ];
    let report = platform.import(&[format!("{}\n", COLUMNS.join(",")).as_bytes(), &rows.concat()].concat());
    assert_eq!((report.rows, report.created), (11, 3));
    assert_eq!(
        refused(&report),
        [
            (3, vec!["invalid_utf8"]),
            (4, vec!["control_character"]),
            (5, vec!["record_too_long"]),
            (7, vec!["unknown_member"]),
            (8, vec!["unknown_product"]),
            (9, vec!["amount_out_of_range"]),
            (10, vec!["amount_out_of_range"]),
            (12, vec!["wrong_column_count"]),
        ]
    );
    assert_eq!(report.refused[1].external_ref, None);
}

#[test]
fn the_last_row_that_can_be_taken_counts() {
    let platform = platform();
    let report = platform.import(&file(&[
        "A,M016,Ann,FIXED-3Y,2026-01-01,,2026-02-01,100.00,,",
        "A,M016,Ann,FIXED-3Y,2026-01-01,,2026-02-01,200000.00,,",
        "A,M016,Ann,FIXED-3Y,2026-01-01,,2026-02-01,-3,,",
        "A,M999,Ann,FIXED-3Y,2026-01-01,,2026-02-01,400.00,,",
    ]));
    assert_eq!((report.rows, report.created, report.superseded, report.refused.len()), (4, 1, 1, 2));
    assert_eq!(platform.number("select settled_minor from deal"), 20_000_000);
    // A row that only recording can refuse leaves the earlier one standing too.
    let report = platform.import(&file(&[
        "A,M016,Ann,FIXED-3Y,2026-01-01,,2026-02-01,300000.00,,",
        "A,M016,Ann,FIXED-3Y,2026-01-01,,2026-02-01,100000.00,,",
        "A,M004,Ann,FIXED-3Y,2026-01-01,,2026-02-01,500000.00,,",
    ]));
    assert_eq!((report.corrected, report.superseded), (1, 1));
    assert_eq!(refused(&report), [(4, vec!["attribution_changed"])]);
    assert_eq!(platform.number("select settled_minor from deal"), 10_000_000);
}

#[test]
fn two_imports_of_the_same_deals_at_once_make_each_deal_once() {
    let platform = platform();
    let (first, _) = platform.upload(EXAMPLE);
    let (second, _) = platform.upload(EXAMPLE);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| while platform.work_one().expect("the store answers").is_some() {});
        }
    });
    let (one, two) = (platform.report(first.id), platform.report(second.id));
    assert_eq!(one.created + two.created, 14);
    assert_eq!(one.unchanged + two.unchanged, 14);
    assert_eq!(platform.number("select count(*) from deal"), 14);
}

#[test]
fn only_who_acts_for_the_organisation_imports() {
    use domain::deals::import::receive::{BeginImport, ReceiveError};
    use domain::env::{Env, Surroundings};
    let platform = platform();
    let begin = |env: &Env<'_>, organisation, provider| {
        let command = BeginImport { organisation, provider, format: ImportFormat::Csv };
        platform.store().transaction(|uow| receive::begin(uow, env, &command)).map(|import| import.id)
    };
    let nobody = domain::kernel::ids::OrganisationId::new(uuid::Uuid::from_u128(9));
    let actor = partner(platform.provider);
    let foreign = Surroundings::env(&platform, &actor);
    let refused = begin(&foreign, platform.introducer, platform.provider);
    assert_eq!(refused, Err(ReceiveError::UnknownOrganisation));
    assert_eq!(begin(&platform.env(), nobody, platform.provider), Err(ReceiveError::UnknownOrganisation));
    assert_eq!(begin(&platform.env(), platform.introducer, nobody), Err(ReceiveError::UnknownProvider));
    let mut actor = partner(platform.introducer);
    let own = begin(&Surroundings::env(&platform, &actor), platform.introducer, platform.provider);
    assert!(own.is_ok());
    actor.scopes.clear();
    let refused = begin(&Surroundings::env(&platform, &actor), platform.introducer, platform.provider);
    assert!(matches!(refused, Err(ReceiveError::MissingScope(_))));
}

#[test]
fn an_upload_that_stopped_is_put_away_after_a_while() {
    let mut platform = platform();
    let command = receive::BeginImport {
        organisation: platform.introducer,
        provider: platform.provider,
        format: ImportFormat::Csv,
    };
    let import = platform.store().transaction(|uow| receive::begin(uow, &platform.env(), &command)).expect("an import");
    let chunk = receive::Chunk { n: 0, bytes: b"external_ref".to_vec() };
    platform.store().transaction(|uow| receive::append(uow, import.id, &chunk)).expect("a piece");
    let sweep = |platform: &Platform| platform.store().transaction(|uow| receive::sweep(uow, &platform.env()));
    assert_eq!(sweep(&platform), Ok(0));
    platform.now = domain::kernel::Instant::new("2026-11-23T18:00:01Z".parse().expect("a time"));
    assert_eq!(sweep(&platform), Ok(1));
    assert_eq!(platform.report(import.id).fault.as_deref(), Some("upload_interrupted"));
    assert_eq!(platform.number("select count(*) from deal_import_chunk"), 0);
    let late = platform.store().transaction(|uow| receive::append(uow, import.id, &chunk));
    assert_eq!(late, Err(receive::ReceiveError::NotUploading));
}

#[test]
fn a_partner_sees_its_own_imports_only() {
    let platform = platform();
    let (import, job) = platform.upload(EXAMPLE);
    platform.work();
    for (viewer, sees) in [
        (Viewer::Everything, true),
        (Viewer::Parties(vec![platform.introducer.uuid()]), true),
        (Viewer::Parties(vec![platform.provider.uuid()]), false),
        (Viewer::Parties(vec![]), false),
    ] {
        let page = domain::kernel::PageRequest::first();
        let seen = platform
            .store()
            .read(&viewer, |q| {
                let rows = q.imports().list_rows(import.id, None, &page)?.data.len();
                let jobs = q.jobs().list(&domain::jobs::repository::JobFilter::default(), &page)?.data.len();
                Ok((q.imports().find(import.id)?.is_some(), rows > 0, jobs > 0, q.jobs().find(job.id)?.is_some()))
            })
            .expect("the store answers");
        assert_eq!(seen, (sees, sees, sees, sees), "{viewer:?}");
    }
}

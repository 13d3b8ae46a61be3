//! A service that runs for days makes the partitions of the days to come.

use api::workers::{Shifts, Workers};
use domain::kernel::Instant;
use domain::kernel::time::Clock as _;
use harness::server::Service;

/// Partitions of a day.
fn partitions(service: &Service, day: &str) -> i64 {
    let named = format!("relname = 'idempotency_record_{day}' and relispartition");
    service.platform.number(&format!("select count(*) from pg_class where {named}"))
}

#[test]
fn a_running_service_makes_tomorrows_partition_when_its_clock_moves() {
    let service = Service::start();
    let workers = Workers::start(&service.app, &Shifts::alone()).expect("threads");
    // The template was made on the 23rd of November, for three days more.
    for (day, there) in [("20261126", 1), ("20261127", 0), ("20261128", 0)] {
        assert_eq!(partitions(&service, day), there, "{day}");
    }
    // 23:59 in Sydney is still the same day; a minute later it is the next one.
    let at = |text: &str| service.clock.set(Instant::new(text.parse().expect("a time")));
    at("2026-11-23T12:59:59Z");
    assert_eq!(service.clock.now().sydney_date().to_string(), "2026-11-23");
    at("2026-11-23T13:00:00Z");
    while partitions(&service, "20261127") == 0 {
        std::thread::yield_now();
    }
    assert_eq!(partitions(&service, "20261128"), 0);
    workers.stop();
    // What two processes do at once, each for itself, is done once.
    at("2026-11-24T13:00:00Z");
    let neighbour = service.neighbour();
    let keep = |app: &api::app::App| api::workers::keep_partitions(app, &mut None);
    std::thread::scope(|scope| {
        let both = [scope.spawn(|| keep(&service.app)), scope.spawn(|| keep(&neighbour))];
        for kept in both {
            assert_eq!(kept.join().expect("no panic"), Ok(()));
        }
    });
    assert_eq!(partitions(&service, "20261128"), 1);
    let months = "select count(*) from pg_class where relname in ('audit_record_202611', 'audit_record_202612', 'audit_record_202701')";
    assert_eq!(service.platform.number(months), 3);
    // A day that is far off is refused, and counts as not done.
    at("2099-01-01T00:00:00Z");
    let mut kept = None;
    assert!(api::workers::keep_partitions(&service.app, &mut kept).is_err());
    assert_eq!(kept, None);
    at("2026-11-25T00:00:00Z");
}

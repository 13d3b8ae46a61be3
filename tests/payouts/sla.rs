//! The clock of payouts: banking days from the day on which they are sent.

use domain::access::Viewer;
use domain::directory::Rail;
use domain::kernel::Instant;
use domain::payouts::payout::PayoutState;
use domain::payouts::repository::PayoutFilter;
use domain::payouts::sla::{self, due_on, is_late};
use harness::platform::Platform;
use jiff::civil::{Date, date};

use crate::bank::{day, take_in};
use crate::runs::with_deals;
use crate::world::{keep, paid, people};

#[test]
fn the_last_day_in_time_skips_weekends_and_holidays() {
    // 2026: Christmas Day is a Friday, Boxing Day is observed on Monday the 28th; Australia Day is a Monday.
    for (sent, due) in [
        (date(2026, 11, 23), date(2026, 11, 25)),
        (date(2026, 11, 27), date(2026, 12, 1)),
        (date(2026, 11, 28), date(2026, 12, 1)),
        (date(2026, 12, 24), date(2026, 12, 30)),
        (date(2026, 1, 23), date(2026, 1, 28)),
        (date(2026, 4, 2), date(2026, 4, 8)),
    ] {
        assert_eq!(due_on(Rail::Aba, sent), due, "{sent}");
        assert!(!is_late(Rail::Aba, sent, PayoutState::InTransit, None, due));
        assert!(is_late(Rail::Aba, sent, PayoutState::InTransit, None, due.tomorrow().expect("a day")));
        assert!(!is_late(Rail::Aba, sent, PayoutState::Settled, Some(due), date(2030, 1, 1)));
        assert!(is_late(Rail::Aba, sent, PayoutState::Settled, due.tomorrow().ok(), due));
        assert!(!is_late(Rail::Aba, sent, PayoutState::Returned, Some(date(2030, 1, 1)), date(2030, 1, 1)));
    }
}

fn looked(platform: &Platform, today: Date) -> sla::RailSla {
    let counts =
        platform.store().read(&Viewer::Everything, |q| q.payouts().sla_counts(sla::since(today))).expect("counts");
    let [aba, stripe] = sla::by_rail(&counts, today);
    assert_eq!((stripe.on_time, stripe.open, stripe.oldest), (0, 0, None));
    aba
}

#[test]
fn what_is_on_its_way_late_or_arrived_is_counted_and_flagged() {
    let mut platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let _ = paid(&platform, &people, &account);
    let open = looked(&platform, date(2026, 11, 25));
    assert_eq!((open.open, open.open_late, open.attained_ppm()), (2, 0, 1_000_000));
    assert_eq!(open.oldest.map(|o| (o.sent_on, o.banking_days)), Some((date(2026, 11, 23), 2)));
    let late = looked(&platform, date(2026, 11, 26));
    assert_eq!((late.open, late.open_late, late.attained_ppm()), (0, 2, 0));
    let flags = |platform: &Platform, today: Date| -> Vec<bool> {
        let page = domain::kernel::PageRequest::first();
        let filter = PayoutFilter::default();
        let found =
            platform.store().read(&Viewer::Everything, |q| q.payouts().list_payouts(&filter, &page)).expect("payouts");
        found.data.iter().map(|payout| payout.is_late(today)).collect()
    };
    assert_eq!(flags(&platform, date(2026, 11, 25)), [false, false]);
    assert_eq!(flags(&platform, date(2026, 11, 26)), [true, true]);
    platform.now = Instant::new("2026-11-30T02:00:00Z".parse().expect("a time"));
    let lines = vec![harness::camt::entry("2026-11-25", -91_000, "COMMISSION")];
    let _ = take_in(&platform, &people, &harness::camt::document("02", &[day(0, "2026-11-25", lines)]));
    let arrived = looked(&platform, date(2026, 11, 30));
    assert_eq!((arrived.on_time, arrived.late, arrived.open_late, arrived.oldest), (2, 0, 0, None));
    assert_eq!(flags(&platform, date(2026, 11, 30)), [false, false]);
    // What ended long ago is no longer counted.
    assert_eq!(looked(&platform, date(2027, 11, 30)).on_time, 0);
}

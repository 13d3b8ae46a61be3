//! Who stood where when a deal was sealed: frozen, so that a later move of anybody changes no commission.
//!
//! Bounds: at most [`MAX_UPLINE_LEVEL`] levels of upline.

use jiff::civil::Date;

use crate::agreements::model::MAX_UPLINE_LEVEL;
use crate::chain::statement::Participant;
use crate::kernel::ids::MemberId;

/// The deepest level of upline that is kept.
pub const LEVELS: u8 = MAX_UPLINE_LEVEL;

/// The parties of a deal as the seal found them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frozen {
    /// Who stood above the member: the direct upline first.
    pub uplines: Vec<MemberId>,
    /// The levels whose contact or payee was the referrer's own, from 1.
    pub own_uplines: Vec<u8>,
    /// Other members who took part, in their order.
    pub participants: Vec<MemberId>,
    /// The code of the member's cohort.
    pub cohort: Option<String>,
    /// The day on which the member joined.
    pub joined_on: Option<Date>,
}

/// How a seal names who takes part: the member, then the levels above, then the others.
#[must_use]
pub fn sealed(member: MemberId, frozen: &Frozen) -> Vec<Participant> {
    let as_role = |role: &str, members: &[MemberId]| -> Vec<Participant> {
        let place =
            |(n, member): (usize, &MemberId)| Participant { member: *member, role: format!("{role}_{}", n + 1) };
        members.iter().enumerate().map(place).collect()
    };
    let mut all = vec![Participant { member, role: "member".to_owned() }];
    all.extend(as_role("upline", &frozen.uplines));
    all.extend(as_role("participant", &frozen.participants));
    all
}

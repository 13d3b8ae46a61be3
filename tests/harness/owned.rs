//! Where one of each kind of thing is found that a partner has, for the tests of who may see what.

/// One of each: what members have belongs to the member, all else to the introducer, the rest to no partner.
pub(crate) const OWNED: &[(&str, &str)] = &[
    ("org", "select $org as id"),
    ("member", "select $member as id"),
    ("keyless", "select id from member where organisation_id = $org and id <> $member order by id limit 1"),
    ("contact", "select client_id as id from deal where member_id = $member order by id limit 1"),
    ("payee", "select payee_id as id from member_payee where member_id = $member limit 1"),
    (
        "deal",
        "select l.deal_id as id from commission_line l join payout_line p on p.line_id = l.id where l.member_id = $member order by 1 limit 1",
    ),
    ("cohort", "select id from cohort where organisation_id = $org limit 1"),
    ("licence", "select id from licence where organisation_id = $org limit 1"),
    (
        "bankchange",
        "select c.id from payee_bank_change c join member_payee m on m.payee_id = c.payee_id where m.member_id = $member limit 1",
    ),
    (
        "rcti",
        "select a.id from rcti_agreement a join member_payee m on m.payee_id = a.payee_id where m.member_id = $member order by a.id limit 1",
    ),
    (
        "taxdoc",
        "select d.id from tax_document d join member_payee m on m.payee_id = d.payee_id where m.member_id = $member order by d.seq limit 1",
    ),
    ("import", "select id from deal_import where organisation_id = $org limit 1"),
    ("job", "select id from job where organisation_id = $org limit 1"),
    (
        "handshake",
        "select h.id from handshake h join deal d on d.id = h.deal_id where d.member_id = $member and d.settled_on is not null order by h.id limit 1",
    ),
    (
        "account",
        "select a.id from ledger_account a join member_payee p on p.payee_id = a.party_id where p.member_id = $member and a.kind = 'payee_available' limit 1",
    ),
    (
        "entry",
        "select e.id from ledger_entry e join deal d on d.id = e.deal_id where d.member_id = $member and e.kind = 'accrual' order by e.seq limit 1",
    ),
    (
        "calc",
        "select c.id from calculation c join deal d on d.id = c.deal_id where d.member_id = $member order by c.id limit 1",
    ),
    (
        "payout",
        "select p.id from payout p join member_payee m on m.payee_id = p.payee_id where m.member_id = $member limit 1",
    ),
    (
        "event",
        "select e.id from event e join deal d on d.id = e.subject_id where d.member_id = $member order by e.sequence limit 1",
    ),
    ("client", "select id from api_client where organisation_id = $org limit 1"),
    (
        "clientkey",
        "select k.id from api_client_key k join api_client c on c.id = k.client_id where c.organisation_id = $org limit 1",
    ),
    ("issuer", "select id from oidc_issuer where organisation_id = $org limit 1"),
    ("user", "select id from app_user where organisation_id = $org limit 1"),
    ("endpoint", "select id from webhook_endpoint where organisation_id = $org limit 1"),
    (
        "delivery",
        "select d.id from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint_id where e.organisation_id = $org limit 1",
    ),
    ("key", "select id from signing_key where member_id = $member limit 1"),
    (
        "agreement",
        "select a.id from agreement a join vertical v on v.id = a.vertical_id where v.code = 'V01' order by a.id limit 1",
    ),
    ("table", "select id from lookup_table order by id limit 1"),
    ("vertical", "select id from vertical order by code limit 1"),
    ("product", "select id from product order by code limit 1"),
    ("bank", "select id from bank_account limit 1"),
    ("run", "select id from payout_run limit 1"),
    ("breturn", "select id from bank_return limit 1"),
    ("bstatement", "select id from bank_statement limit 1"),
    ("bline", "select id from bank_statement_line limit 1"),
    ("remittance", "select id from tax_remittance limit 1"),
    ("trailrun", "select id from trail_run limit 1"),
    ("manual", "select id from manual_entry limit 1"),
    ("period", "select id from accounting_period limit 1"),
    (
        "pstatement",
        "select s.id from provider_statement s join deal d on d.provider_id = s.provider_id where d.introducer_id = $org limit 1",
    ),
    (
        "exception",
        "select e.id from provider_exception e join deal d on d.provider_id = e.provider_id where d.introducer_id = $org limit 1",
    ),
    ("writeoff", "select w.id from write_off w join deal d on d.id = w.deal_id where d.introducer_id = $org limit 1"),
    ("line", "select id from commission_line where member_id = $member and payee_id is not null order by id limit 1"),
    (
        "hold",
        "select h.id from line_hold h join commission_line l on l.id = h.line_id where l.member_id = $member order by h.id limit 1",
    ),
    (
        "plan",
        "select r.id from recovery_plan r join member_payee m on m.payee_id = r.payee_id where m.member_id = $member order by r.id limit 1",
    ),
    ("assignment", "select id from assignment where organisation_id = $org order by id limit 1"),
    ("grun", "select id from guarantee_run limit 1"),
    ("simulation", "select id from simulation limit 1"),
];

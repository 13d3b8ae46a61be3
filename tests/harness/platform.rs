//! A platform on a database of its own, with time, ids and randomness that a test sets.
//!
//! When it is dropped without a panic it checks what every test must leave behind: each entry balances,
//! balances equal postings, buckets of lines equal postings, the sequence and the hash chain have no
//! gap, every entry and statement has its leaf, every calculation gives the same digest again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl};
use domain::access::Actor;
use domain::agreements::reference as agreements;
use domain::catalogue::reference as catalogue;
use domain::chain::checkpoint::TreeHead;
use domain::chain::key::PublicKey;
use domain::chain::merkle::empty_root;
use domain::chain::note::VerifierKey;
use domain::chain::sequence::Sequencer;
use domain::chain::signer::{HighWater, PortError, Signer};
use domain::chain::trust::Trust;
use domain::directory::contact::{Contact, ContactKind};
use domain::directory::organisation::{OrganisationKind, OrganisationStatus};
use domain::directory::repository::NewContact;
use domain::directory::{
    AbaText, GstTimeline, LegalName, Member, MemberRef, Organisation, Payee, PayeeMapping, Rail, sample,
};
use domain::env::Env;
use domain::kernel::id::IdSource;
use domain::kernel::ids::{ContactId, MemberId, OrganisationId, PayeeId};
use domain::kernel::time::Randomness;
use domain::kernel::{Digest, Instant};
use domain::store::Store;
use ed25519_dalek::{Signer as _, SigningKey};
use persistence::cluster::ConnectionInfo;
use persistence::{PgStore, PoolSizes};
use uuid::Uuid;

use crate::cluster::TestDatabase;

/// The name of the log in tests.
pub const ORIGIN: &str = "flip360.test/log";

/// Ids that count.
#[derive(Default)]
pub struct CountingIds(AtomicU64);

impl CountingIds {
    /// Ids that count from a number: two sources never meet.
    #[must_use]
    pub const fn starting_at(n: u64) -> Self {
        Self(AtomicU64::new(n))
    }
}

impl IdSource for CountingIds {
    fn next(&self) -> Uuid {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 | u128::from(n))
    }
}

/// Bytes that differ each time and are the same in each run.
#[derive(Default)]
pub struct CountingRandomness(AtomicU64);

impl CountingRandomness {
    /// Bytes that count from a number: two sources never meet.
    #[must_use]
    pub const fn starting_at(n: u64) -> Self {
        Self(AtomicU64::new(n))
    }
}

impl Randomness for CountingRandomness {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let n = self.0.fetch_add(1, Ordering::Relaxed);
            chunk.copy_from_slice(&Digest::of(&n.to_be_bytes()).bytes()[..chunk.len()]);
        }
    }
}

/// A key in memory.
pub struct MemorySigner(SigningKey);

impl MemorySigner {
    /// The key of a seed.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }
}

impl Signer for MemorySigner {
    fn public_key(&self) -> PublicKey {
        PublicKey::parse(&self.0.verifying_key().to_bytes()).expect("a good key")
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], PortError> {
        Ok(self.0.sign(message).to_bytes())
    }
}

/// A high-water mark in memory.
#[derive(Default)]
pub struct MemoryHighWater(std::sync::Mutex<Option<TreeHead>>);

impl HighWater for MemoryHighWater {
    fn read(&self) -> Result<Option<TreeHead>, PortError> {
        Ok(*self.0.lock().expect("no panic"))
    }

    fn advance(&self, head: &TreeHead) -> Result<(), PortError> {
        *self.0.lock().expect("no panic") = Some(*head);
        Ok(())
    }
}

fn migrate(url: &str) {
    persistence::migrate::run(url, "2026-11-23".parse().expect("a date")).expect("the migrations run");
}

/// The platform of one test.
pub struct Platform {
    /// Its store.
    pub store: PgStore,
    /// New ids.
    pub ids: CountingIds,
    /// Salts and secrets.
    pub randomness: CountingRandomness,
    /// The platform's key.
    pub signer: MemorySigner,
    /// The log's key.
    pub log_signer: MemorySigner,
    /// The rollback guard's memory.
    pub high_water: MemoryHighWater,
    /// Who acts: the service itself unless a test says otherwise.
    pub actor: Actor,
    /// The time.
    pub now: Instant,
    /// Whose members refer.
    pub introducer: OrganisationId,
    /// Who sells.
    pub provider: OrganisationId,
    /// Whether a test broke promises on purpose, so that they are not looked at in the end.
    tampered: AtomicBool,
    /// Its database; dropped last.
    pub database: TestDatabase,
}

impl Platform {
    /// A platform with reference data, a provider and an introducer, at noon (UTC) on 23 November 2026.
    #[must_use]
    pub fn new() -> Self {
        Self::on(TestDatabase::create(persistence::migrate::DIGEST, migrate))
    }

    /// The same on an empty database of a server that the test runs itself.
    #[must_use]
    pub fn of(server: &ConnectionInfo, name: &str) -> Self {
        let database = TestDatabase::on(server, name);
        migrate(&database.url("flip360_owner"));
        Self::on(database)
    }

    fn on(database: TestDatabase) -> Self {
        let store = PgStore::new(&database.url("flip360_owner"), PoolSizes { writers: 4, readers: 2 });
        let ids = CountingIds::default();
        let (introducer, provider) = (OrganisationId::new(ids.next()), OrganisationId::new(ids.next()));
        let platform = Self {
            store,
            ids,
            randomness: CountingRandomness::default(),
            signer: MemorySigner::new(7),
            log_signer: MemorySigner::new(8),
            high_water: MemoryHighWater::default(),
            actor: Actor::service(),
            now: Instant::new("2026-11-23T12:00:00Z".parse().expect("a time")),
            introducer,
            provider,
            tampered: AtomicBool::new(false),
            database,
        };
        platform.ship();
        platform
    }

    /// What a use case takes from its surroundings.
    #[must_use]
    pub fn env(&self) -> Env<'_> {
        Env {
            now: self.now,
            actor: &self.actor,
            ids: &self.ids,
            randomness: &self.randomness,
            origin: ORIGIN,
            platform: &self.signer,
            seen: TreeHead { size: 0, root: empty_root() },
        }
    }

    /// The store behind its port.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &self.store
    }

    fn ship(&self) {
        let organisation = |id, kind, name| Organisation {
            id,
            kind,
            name: LegalName::parse(name).expect("a name"),
            abn: None,
            external_ref: None,
            status: OrganisationStatus::Active,
        };
        let v01 = agreements::v01().expect("the reference");
        self.store()
            .transaction(|uow| {
                uow.catalogue().ship(&catalogue::verticals(), &catalogue::products())?;
                uow.agreements().ship(agreements::V01_NAME, &v01, self.now)?;
                let introducer =
                    organisation(self.introducer, OrganisationKind::Introducer, "Harbour Referrals Pty Ltd");
                uow.directory().insert_organisation(&introducer, self.now)?;
                let provider = organisation(self.provider, OrganisationKind::Provider, "First Provider Bank Ltd");
                uow.directory().insert_organisation(&provider, self.now)
            })
            .expect("the reference data is kept");
    }

    /// Onboards the members of a `member_ref,upline_ref` file, each with a payee of its own.
    pub fn onboard(&self, csv: &str) {
        let rows: Vec<(&str, Option<&str>)> = csv
            .trim_start_matches('\u{feff}')
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(','))
            .map(|(member, upline)| (member, Some(upline.trim()).filter(|u| !u.is_empty())))
            .collect();
        let ids: std::collections::BTreeMap<&str, MemberId> =
            rows.iter().map(|(member, _)| (*member, MemberId::new(self.ids.next()))).collect();
        let members: Vec<Member> = rows
            .iter()
            .map(|(member, upline)| Member {
                id: ids[member],
                organisation: self.introducer,
                contact: ContactId::new(self.ids.next()),
                member_ref: MemberRef::parse(member).expect("a reference"),
                cohort: None,
                upline: upline.map(|u| ids[u]),
            })
            .collect();
        let contacts: Vec<NewContact> = members
            .iter()
            .map(|m| NewContact {
                organisation: self.introducer,
                contact: Contact { id: m.contact, kind: ContactKind::Person, personal: None },
            })
            .collect();
        let payees: Vec<Payee> = members.iter().zip(1..).map(|(m, n)| self.payee(m, n)).collect();
        let mappings: Vec<PayeeMapping> = members
            .iter()
            .zip(&payees)
            .map(|(m, p)| PayeeMapping { member: m.id, payee: p.id, from_on: "2024-01-01".parse().expect("a date") })
            .collect();
        let bank_ids: Vec<Uuid> = payees.iter().map(|_| self.ids.next()).collect();
        self.store()
            .transaction(|uow| {
                uow.directory().insert_contacts(&contacts, self.now)?;
                uow.directory().insert_members(&members, self.now)?;
                uow.directory().insert_payees(&payees, &bank_ids, self.now)?;
                uow.directory().append_payee_mappings(&mappings, self.now)
            })
            .expect("the members are kept");
    }

    fn payee(&self, member: &Member, n: u32) -> Payee {
        let title = format!("Member {}", member.member_ref);
        Payee {
            id: PayeeId::new(self.ids.next()),
            organisation: self.introducer,
            legal_name: LegalName::parse(&title).expect("a name"),
            abn: Some(sample::abn(n)),
            bank: Some(sample::bank_details(n, AbaText::parse(&title).expect("a title"))),
            gst: GstTimeline::restore([]),
            rail: Rail::Aba,
        }
    }

    /// Integrates everything that is pending and signs the head.
    #[must_use]
    pub fn sequence(&self) -> TreeHead {
        Sequencer::new(ORIGIN, &self.log_signer, &self.high_water)
            .catch_up(self.store(), self.now)
            .expect("the log is whole")
    }

    /// A connection of the owner, to look behind the store's back.
    #[must_use]
    pub fn owner(&self) -> PgConnection {
        PgConnection::establish(&self.database.url("flip360_owner")).expect("a connection")
    }

    /// The one number that a query gives, asked as the owner.
    #[must_use]
    pub fn number(&self, sql: &str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            n: i64,
        }
        diesel::sql_query(format!("select ({sql})::bigint as n"))
            .get_result::<Row>(&mut self.owner())
            .expect("a number")
            .n
    }

    /// The ids that a query gives, asked as the owner.
    #[must_use]
    pub fn ids_of(&self, sql: &str) -> Vec<Uuid> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Uuid)]
            id: Uuid,
        }
        let rows: Vec<Row> = diesel::sql_query(sql).load(&mut self.owner()).expect("ids");
        rows.into_iter().map(|row| row.id).collect()
    }

    /// What a stranger needs to trust to check this platform's receipts.
    #[must_use]
    pub fn trust(&self) -> Trust {
        let log = VerifierKey::try_new(ORIGIN, self.log_signer.public_key()).expect("a name");
        Trust::new(log, vec![self.signer.public_key()])
    }

    /// What PostgreSQL says to a statement of the service's own role; `None` when it obeys.
    #[must_use]
    pub fn refusal_of(&self, sql: &str) -> Option<String> {
        let mut owner = self.owner();
        owner.batch_execute("set role flip360_writer").expect("the role");
        owner.batch_execute(sql).err().map(|e| e.to_string())
    }

    /// Runs statements behind the back of every guard, as a superuser who wants to cheat would.
    pub fn tamper(&self, sql: &str) {
        self.tampered.store(true, Ordering::Relaxed);
        let script = format!("set session_replication_role = replica; {sql}; set session_replication_role = default");
        self.owner().batch_execute(&script).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn check(&self) {
        for (promise, broken) in PROMISES {
            assert_eq!(self.number(broken), 0, "broken: {promise}");
        }
    }
}

impl Default for Platform {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.tampered.load(Ordering::Relaxed) {
            self.check();
        }
    }
}

/// What must never be: each query counts violations.
const PROMISES: &[(&str, &str)] = &[
    (
        "uplines stay within an organisation",
        "select count(*) from member m join member u on u.id = m.upline_id where u.organisation_id <> m.organisation_id",
    ),
    (
        "the last dated fact of a member is its upline",
        "select count(*) from member m where m.upline_id is distinct from (select u.upline_id from member_upline u where u.member_id = m.id order by effective_on desc, recorded_at desc limit 1)",
    ),
    (
        "every key and declaration has exactly one leaf",
        "select count(*) from (select id from signing_key union all select id from import_declaration) s where (select count(*) from chain_pending p where p.source_id = s.id) + (select count(*) from chain_leaf l where l.source_id = s.id) <> 1",
    ),
    (
        "a handshake has one offer, and an accept exactly when it has a seal",
        "select count(*) from (select h.id, count(*) filter (where s.kind = 'offer') o, count(*) filter (where s.kind = 'accept') a, count(*) filter (where s.kind = 'seal') z from handshake h left join handshake_statement s on s.handshake_id = h.id group by h.id) x where o <> 1 or a <> z",
    ),
    (
        "a deal has a governing version exactly when its first handshake is sealed",
        "select count(*) from deal d where (d.agreement_id is not null) <> exists (select from handshake h join handshake_statement s on s.handshake_id = h.id where h.deal_id = d.id and h.hop = 0 and s.kind = 'seal')",
    ),

    ("every entry balances", "select count(*) from (select entry_seq from ledger_posting group by 1 having sum(amount_minor) <> 0 or count(*) < 2) x"),
    (
        "balances equal postings",
        "select count(*) from ledger_balance b left join (select account_id, sum(amount_minor) s, count(*) c from ledger_posting group by 1) p using (account_id) where b.balance_minor <> coalesce(p.s, 0) or b.account_seq <> coalesce(p.c, 0)",
    ),
    ("the sequence has no gap", "select coalesce(max(seq), 0) - count(*) from ledger_entry"),
    (
        "each entry names the hash of the one before",
        "select count(*) from ledger_entry e join ledger_entry p on p.seq = e.seq - 1 where e.previous_sha256 <> p.sha256",
    ),
    ("hashes recompute", "select count(*) from ledger_entry where sha256 <> sha256(canonical)"),
    (
        "every entry has exactly one leaf",
        "select count(*) from ledger_entry e where (select count(*) from chain_pending p where p.source_id = e.id) + (select count(*) from chain_leaf l where l.source_id = e.id) <> 1",
    ),
    (
        "every statement has exactly one leaf",
        "select count(*) from handshake_statement s where (select count(*) from chain_pending p where p.source_id = s.id) + (select count(*) from chain_leaf l where l.source_id = s.id) <> 1",
    ),
    ("indexes have no gap", "select coalesce(max(index) + 1, 0) - count(*) from chain_leaf"),
    (
        "lines equal their postings",
        "select count(*) from commission_line l join (
           select line_id, sum(-amount_minor) filter (where a.kind = 'payee_accrued') accrued, sum(-amount_minor) filter (where a.kind = 'payee_available') available,
                  sum(-amount_minor) filter (where a.kind = 'member_suspense') suspense, sum(amount_minor) filter (where a.kind = 'clawback_recoverable') recoverable
           from ledger_posting p join ledger_account a on a.id = p.account_id where line_id is not null group by 1) p on p.line_id = l.id
         where l.accrued_minor <> coalesce(p.accrued, 0) or l.available_minor <> coalesce(p.available, 0) or l.suspense_minor <> coalesce(p.suspense, 0) or l.recoverable_minor <> coalesce(p.recoverable, 0)",
    ),
    (
        "every accrued deal has a sealed handshake",
        "select count(*) from ledger_entry e where e.kind = 'accrual' and not exists (select from handshake h join handshake_statement s on s.handshake_id = h.id and s.kind = 'seal' where h.deal_id = e.deal_id)",
    ),
    (
        "what a line earned lies somewhere",
        "select count(*) from commission_line where role <> 'platform' and earned_minor - clawed_back_minor
           <> suspense_minor + accrued_minor + held_minor + available_minor + in_transit_minor + paid_minor + set_off_minor - recoverable_minor",
    ),
    (
        "what is in transit or paid of a line is what payouts sent of it",
        "select count(*) from commission_line l left join (
           select line_id, sum(pl.amount_minor) sent from payout_line pl join payout p on p.id = pl.payout_id where p.state <> 'returned' group by 1) s on s.line_id = l.id
         where l.in_transit_minor + l.paid_minor <> coalesce(s.sent, 0)",
    ),
    (
        "what is set off of a line is what recoveries posted, and settles as much elsewhere",
        "select (select count(*) from commission_line l left join (
           select p.line_id, sum(p.amount_minor) s from ledger_posting p join ledger_entry e on e.seq = p.entry_seq where e.kind = 'clawback_recovery' group by 1) r on r.line_id = l.id
           where l.set_off_minor <> coalesce(r.s, 0))
         + (select count(*) from (select payee_id from commission_line where payee_id is not null group by 1 having sum(set_off_minor) <> 0) x)",
    ),
    (
        "a payout is the sum of its lines, and has one entry over its amount",
        "select count(*) from payout p where p.amount_minor <> (select coalesce(sum(amount_minor), 0) from payout_line l where l.payout_id = p.id)
           or p.recovered_minor <> (select coalesce(sum(amount_minor), 0) from payout_recovery r where r.payout_id = p.id)
           or p.amount_minor <> (select coalesce(sum(g.amount_minor), 0) from ledger_entry e join ledger_posting g on g.entry_seq = e.seq
                where e.source_id = p.id and e.kind = 'payout_initiated' and g.amount_minor > 0)",
    ),
    (
        "an executed run is the sum of its payouts, and no other run has any",
        "select count(*) from payout_run r left join (select run_id, sum(amount_minor) total, count(*) n from payout group by 1) p on p.run_id = r.id
         where (r.state = 'executed' and (r.total_minor, r.payout_count) is distinct from (p.total::bigint, p.n::int)) or (r.state <> 'executed' and p.n is not null)",
    ),
    (
        "every approved run has its approval in the log",
        "select count(*) from payout_run r where r.state in ('approved', 'executed') and not exists (
           select from chain_secret s where s.subject_id = r.id and s.kind = 'envelope'
             and (exists (select from chain_pending p where p.source_id = s.source_id) or exists (select from chain_leaf l where l.source_id = s.source_id)))",
    ),
    (
        "a deal stands where its last move brought it",
        "select count(*) from deal d where d.stage is distinct from (select t.to_stage from deal_transition t where t.deal_id = d.id order by n desc limit 1)",
    ),
    (
        "moves follow one another without a gap",
        "select count(*) from deal_transition t left join deal_transition p on p.deal_id = t.deal_id and p.n = t.n - 1
         where (t.n = 0) <> (t.from_stage is null) or (t.n > 0 and (p.n is null or p.to_stage <> t.from_stage))",
    ),
    (
        "an import that has ended keeps nothing of its file",
        "select (select count(*) from deal_import_chunk c join deal_import i on i.id = c.import_id where i.state in ('done', 'failed'))
              + (select count(*) from deal_import_row r join deal_import i on i.id = r.import_id where i.state in ('done', 'failed') and r.payload is not null)",
    ),
    (
        "an import that is done has left no row out",
        "select count(*) from deal_import i where i.state = 'done' and (i.pending_count <> 0 or
           i.created_count + i.corrected_count + i.unchanged_count <> (select count(*) from deal_import_row r where r.import_id = i.id and r.deal_id is not null))",
    ),
];

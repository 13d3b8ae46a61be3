//! The sequencer under fire: killed at every statement and between commit, guard, signature, mark and stored note; two
//! of them on one database. No gap, no duplicate, nothing lost, one history, one text a size.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::{PgConnection, RunQueryDsl};
use domain::access::Viewer;
use domain::chain::audit::audit;
use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::merkle::MemoryRows;
use domain::chain::mirror::LiveLog;
use domain::chain::proof::{check_consistency, prove_consistency};
use domain::chain::signer::HighWater as _;
use domain::store::StoreError;
use harness::leaves::{self, SOURCES};
use harness::platform::Platform;
use integrations::high_water::HighWaterFile;

use crate::Draws;

const SEEDS: u64 = 20;
/// Leaves that two sequencers race for.
const RACED: u64 = 20_000;
/// What a round of the sequencer does, and how often, with leaves pending: the transactions of the guard at the start, of
/// the batch, of the guard before the signature, and of the note.
const PLACES: [(&str, u64); 13] = [
    ("mark read", 2),
    ("BEGIN", 4),
    ("select size, root from chain_head for update", 2),
    ("select leaf_sha256 from chain_leaf", 1),
    ("select hashes from chain_tile", 1),
    ("with taken as (", 1),
    ("insert into chain_leaf", 1),
    ("insert into chain_tile", 1),
    ("update chain_head", 1),
    ("insert into chain_checkpoint (", 1),
    ("COMMIT", 4),
    ("sign", 1),
    ("mark advance", 1),
];
/// The last statement of a round.
const NOTE: (&str, u64) = ("insert into chain_checkpoint_note", 1);

/// A log that processes work on, and what they said that they signed.
struct Fire {
    platform: Platform,
    connection: PgConnection,
    directory: PathBuf,
    logged: u64,
    /// By size: the text that was signed, its signature, and how often.
    signed: BTreeMap<u64, (Checkpoint, Vec<u8>, u32)>,
}

impl Fire {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("flip360-sequencer-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).expect("a directory");
        let platform = Platform::new();
        let connection = platform.owner();
        Self { platform, connection, directory, logged: 0, signed: BTreeMap::new() }
    }

    fn log(&mut self, leaves: u64) {
        let to = self.logged + leaves;
        leaves::append(&self.platform, &leaves::items(self.logged, to, 7, true)).expect("logged");
        self.logged = to;
    }

    fn worker(&self, mark: &str, arguments: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sequencer-worker"));
        command.arg(self.platform.database.url("flip360_owner")).arg(self.directory.join(mark)).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// One round of a process of its own; whether it died, as it was to.
    fn round(&mut self, fate: &[String]) -> bool {
        let arguments = [&["once".to_owned()], fate].concat();
        let output = self.worker("mark", &arguments).output().expect("it runs");
        let died = self.hear(&output);
        assert!(!died || !fate.is_empty());
        self.whole(&fate.join(" "));
        died
    }

    /// Takes in what a process said that it signed: of one size always the same. Says whether it was killed.
    fn hear(&mut self, output: &Output) -> bool {
        let said = String::from_utf8_lossy(&output.stdout);
        let killed = output.status.signal() == Some(9);
        assert!(killed || output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        for line in said.lines().filter_map(|line| line.strip_prefix("signed ")) {
            let (text, signature) = line.split_once(' ').expect("two words");
            let decoded = |text| STANDARD.decode(text).expect("base64");
            let text = String::from_utf8(decoded(text)).expect("a text");
            let checkpoint = Checkpoint::parse(&text).expect("a checkpoint");
            let first = (checkpoint.clone(), decoded(signature), 0);
            let known = self.signed.entry(checkpoint.head.size).or_insert(first);
            assert_eq!((&known.0, &known.1), (&checkpoint, &decoded(signature)), "two texts of one size");
            known.2 += 1;
        }
        assert!(!killed || said.lines().any(|line| line == "dies"), "it was killed by somebody else");
        killed
    }

    /// Every row that was to be logged is pending or has an index, once, and indexes are dense.
    fn whole(&mut self, at: &str) {
        #[derive(diesel::QueryableByName, Debug, PartialEq)]
        struct Counts {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            sources: i64,
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            once: i64,
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            pending: i64,
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            leaves: i64,
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            next: i64,
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            size: i64,
        }
        let counts: Counts = diesel::sql_query(format!(
            "select ({SOURCES}) sources,
               (select count(distinct source_id) from (select source_id from chain_pending union all select source_id from chain_leaf) x
                where exists (select from chain_secret s where s.source_id = x.source_id and s.kind = 'envelope')) once,
               (select count(*) from chain_pending) pending, (select count(*) from chain_leaf) leaves,
               (select coalesce(max(index) + 1, 0) from chain_leaf) as next, (select size from chain_head) size"
        ))
        .get_result(&mut self.connection)
        .expect("counts");
        let logged = i64::try_from(self.logged).expect("a count");
        assert_eq!((counts.sources, counts.once), (logged, logged), "{at}: {counts:?}");
        assert_eq!(counts.pending + counts.leaves, logged, "{at}: {counts:?}");
        assert_eq!((counts.next, counts.size), (counts.leaves, counts.leaves), "{at}: {counts:?}");
    }

    /// Everything that was ever signed is of one history, and what is stored is what was signed.
    fn one_history(&mut self) -> TreeHead {
        #[derive(diesel::QueryableByName)]
        struct Bytes {
            #[diesel(sql_type = diesel::sql_types::Binary)]
            bytes: Vec<u8>,
        }
        let mut rows = |sql: &str| -> Vec<Vec<u8>> {
            let rows: Vec<Bytes> = diesel::sql_query(sql).load(&mut self.connection).expect("rows");
            rows.into_iter().map(|row| row.bytes).collect()
        };
        let hashes = rows("select leaf_sha256 as bytes from chain_leaf order by index");
        let tree = MemoryRows::of(hashes.iter().map(|hash| domain::kernel::Digest::from_slice(hash).expect("a hash")));
        let head = TreeHead { size: tree.size(), root: tree.root() };
        let mut before = None;
        for (checkpoint, _, _) in self.signed.values() {
            for (old, new) in [(checkpoint.head, head), (before.unwrap_or(checkpoint.head), checkpoint.head)] {
                let path = prove_consistency(&tree, old.size, new.size).expect("a proof");
                assert_eq!(check_consistency((old.size, &old.root), (new.size, &new.root), &path), Ok(()));
            }
            before = Some(checkpoint.head);
        }
        let notes = rows("select note as bytes from chain_checkpoint_note order by size");
        let trust = self.platform.trust();
        for note in &notes {
            let text = std::str::from_utf8(note).expect("a text");
            let stored = Checkpoint::open(text, trust.log()).expect("a good signature");
            let (signed, signature, _) = &self.signed[&stored.head.size];
            assert_eq!(signed, &stored);
            let line = text.trim_end().rsplit(' ').next().expect("a signature");
            assert_eq!(&STANDARD.decode(line).expect("base64")[4..], signature);
        }
        assert!(self.signed[&head.size].0.head == head && !notes.is_empty());
        let report = self.platform.store().read_snapshot(&Viewer::Everything, |queries| {
            audit(trust.log(), &LiveLog::new(queries.chain()), &mut |_, _| ())
                .map_err(|error| StoreError::Failed(error.to_string()))
        });
        let report = report.expect("the log can be read");
        assert!(report.holds(), "{:?}", report.differences);
        assert_eq!(report.head, Some(head));
        head
    }
}

impl Drop for Fire {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A place where a process died, how often it had been there, and whether before, after or during.
type Death = (&'static str, u64, &'static str);

/// One seed: at each place a process is killed before, after or during what it does there; more leaves have come in, and
/// another process goes on. Gives the deaths, and how many sizes were signed more than once.
fn swept(seed: u64) -> (Vec<Death>, usize) {
    let mut draws = Draws(0x0f11_9360_2026_1129 ^ (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut fire = Fire::new(&format!("seed-{seed}"));
    let mut deaths = Vec::new();
    fire.log(300 + draws.below(400));
    assert!(!fire.round(&[]));
    let places = PLACES.iter().chain([&NOTE]).flat_map(|(name, times)| (1..=*times).map(move |nth| (*name, nth)));
    for ((name, nth), turn) in places.zip(seed..) {
        let phase = ["before", "after", "during"][usize::try_from(turn % 3).expect("below three")];
        let micros = if phase == "during" { 1 + draws.below(1_500) } else { 0 };
        let moment = if phase == "after" { "after" } else { "before" };
        fire.log(256 + draws.below(60));
        if fire.round(&[moment.to_owned(), nth.to_string(), micros.to_string(), name.to_owned()]) {
            deaths.push((name, nth, phase));
        }
        // Now and then nothing has come in when the next one signs: the same size, the same bytes.
        if draws.below(3) == 0 {
            assert!(!fire.round(&[]));
        }
    }
    assert!(!fire.round(&[]));
    let head = fire.one_history();
    assert_eq!(head.size, fire.logged, "seed {seed}");
    let mark = HighWaterFile::new(fire.directory.join("mark"));
    assert_eq!(mark.read(), Ok(Some(head)));
    (deaths, fire.signed.values().filter(|(_, _, times)| *times > 1).count())
}

#[test]
fn killed_at_every_statement_the_sequencer_goes_on_without_gap_or_duplicate_and_signs_the_same_bytes() {
    let swept: Vec<_> = std::thread::scope(|scope| {
        let halves: Vec<_> =
            (0..2).map(|half| scope.spawn(move || (half..SEEDS).step_by(2).map(swept).collect::<Vec<_>>())).collect();
        halves.into_iter().flat_map(|half| half.join().expect("no panic")).collect()
    });
    let deaths: BTreeSet<Death> = swept.iter().flat_map(|(deaths, _)| deaths).copied().collect();
    let (times, again) =
        swept.iter().fold((0, 0), |(times, again), (deaths, twice)| (times + deaths.len(), again + twice));
    for (name, often) in PLACES.iter().chain([&NOTE]) {
        for nth in 1..=*often {
            for phase in ["before", "after"] {
                assert!(deaths.contains(&(name, nth, phase)), "nobody died {phase} {name} {nth}: {deaths:?}");
            }
        }
    }
    assert!(deaths.iter().any(|(_, _, phase)| *phase == "during") && again > 0, "{again} sizes were signed again");
    println!("{times} processes died, {again} sizes were signed more than once");
}

#[test]
fn two_sequencers_on_one_database_make_one_log() {
    let raced = std::env::var("FLIP360_RACE_LEAVES").ok().and_then(|text| text.parse().ok()).unwrap_or(RACED);
    let mut fire = Fire::new("race");
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let racers: Vec<_> = ["one", "other"]
            .map(|mark| {
                let child = fire.worker(mark, &["until".to_owned(), raced.to_string()]).spawn().expect("it starts");
                scope.spawn(move || child.wait_with_output().expect("it ends"))
            })
            .into_iter()
            .collect();
        let platform = &fire.platform;
        for writer in 0..2_u64 {
            scope.spawn(move || {
                let batch = |n: u64| (n * 40, ((n + 1) * 40).min(raced));
                for (from, to) in (0..raced.div_ceil(40)).filter(|n| n % 2 == writer).map(batch) {
                    // Lanes of its own: writers do not wait for each other.
                    let items = leaves::items(from, to, u64::MAX, true);
                    leaves::append(platform, &items).expect("logged");
                }
            });
        }
        racers.into_iter().map(|racer| racer.join().expect("no panic")).collect()
    });
    fire.logged = raced;
    for output in &outputs {
        assert!(!fire.hear(output));
        let said = String::from_utf8_lossy(&output.stdout);
        let batches = said.lines().find_map(|line| line.strip_prefix("integrated ")?.parse::<u32>().ok());
        assert!(batches.is_some_and(|batches| batches > 10), "one of them hardly took part: {batches:?}");
    }
    fire.whole("the end");
    assert_eq!(fire.one_history().size, raced);
    let both = fire.signed.values().map(|(_, _, times)| times).filter(|times| **times > 1).count();
    println!("{} sizes were signed, {both} of them by both", fire.signed.len());
}

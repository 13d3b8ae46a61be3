//! Saving a mapping: every fault at once, and a sample that must read.
//!
//! The sample is read by the mapping that is saved, so that a wrong column is seen before the first file comes. It is
//! not kept: a provider's rows may name people. Bounds: a column's name has at most 100 characters, a list of words at
//! most 50, a sample at most 64 KiB.

use super::file::{self, SampleLine};
use super::mapping::{
    AmountSign, AmountUnit, Clawbacks, DateFormat, Delimiter, GstMode, LineKind, MappingVersion, MonthFormat,
    StatementMapping, UnknownWord,
};
use super::{ReconciliationError, post};
use crate::access::Scope;
use crate::directory::required;
use crate::env::Env;
use crate::kernel::Faults;
use crate::kernel::ids::OrganisationId;
use crate::store::UnitOfWork;

/// The longest name of a column, or word of a kind, in characters.
pub const MAX_NAME: usize = 100;
/// The most words of a kind.
const MAX_WORDS: usize = 50;
/// The longest sample in bytes.
const MAX_SAMPLE: usize = 64 * 1024;
/// Days around a line's date when the mapping does not say.
const WINDOW_DAYS: i64 = 45;

/// A mapping, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementMappingInput {
    /// `/delimiter`, `comma` if absent
    pub delimiter: Option<String>,
    /// `/skip_rows`, none if absent
    pub skip_rows: Option<i64>,
    /// `/header_row`, true if absent
    pub header_row: Option<bool>,
    /// `/reference_column`
    pub reference_column: Option<String>,
    /// `/amount_column`
    pub amount_column: Option<String>,
    /// `/amount_unit`, `dollars` if absent
    pub amount_unit: Option<String>,
    /// `/amount_sign`, `paid_positive` if absent
    pub amount_sign: Option<String>,
    /// `/gst`
    pub gst: Option<String>,
    /// `/gst_column`
    pub gst_column: Option<String>,
    /// `/date_column`
    pub date_column: Option<String>,
    /// `/date_format`
    pub date_format: Option<String>,
    /// `/period_column`
    pub period_column: Option<String>,
    /// `/period_format`
    pub period_format: Option<String>,
    /// `/kind_column`
    pub kind_column: Option<String>,
    /// `/upfront_words`
    pub upfront_words: Option<Vec<String>>,
    /// `/trail_words`
    pub trail_words: Option<Vec<String>>,
    /// `/clawback_words`
    pub clawback_words: Option<Vec<String>>,
    /// `/default_kind`, `upfront` if absent
    pub default_kind: Option<String>,
    /// `/clawbacks`, `signed` if absent
    pub clawbacks: Option<String>,
    /// `/product_column`
    pub product_column: Option<String>,
    /// `/trail_lag_months`, 0 if absent
    pub trail_lag_months: Option<i64>,
    /// `/date_window_days`, 45 if absent
    pub date_window_days: Option<i64>,
    /// `/covers`, everything if absent
    pub covers: Option<Vec<String>>,
    /// `/sample`: some lines of a file, with what stands before them
    pub sample: Option<String>,
}

/// A valid mapping and what its sample says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveMapping {
    /// The mapping.
    pub mapping: StatementMapping,
    /// The sample as it reads.
    pub sample: Vec<SampleLine>,
}

impl SaveMapping {
    /// Checks every field, then reads the sample.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &StatementMappingInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mapping = mapping(raw, &mut faults);
        let sample = match raw.sample.as_deref() {
            None => {
                faults.push("/sample", "required", "send some lines of a file, so that the mapping is tried at once");
                None
            }
            Some(sample) if sample.len() > MAX_SAMPLE => {
                faults.push("/sample", "too_long", "a sample has at most 64 KiB");
                None
            }
            Some(sample) => Some(sample),
        };
        faults.clone().check()?;
        let (Some(mapping), Some(sample)) = (mapping, sample) else { return Err(faults) };
        let sample = file::sample(&mapping, sample.as_bytes())?;
        Ok(Self { mapping, sample })
    }
}

fn word<T>(
    faults: &mut Faults,
    pointer: &str,
    raw: Option<&str>,
    absent: &str,
    parse: fn(&str) -> Result<T, UnknownWord>,
) -> Option<T> {
    faults.keep(pointer, parse(raw.unwrap_or(absent)))
}

fn mapping(raw: &StatementMappingInput, faults: &mut Faults) -> Option<StatementMapping> {
    let f = faults;
    let header_row = raw.header_row.unwrap_or(true);
    let delimiter = word(f, "/delimiter", raw.delimiter.as_deref(), "comma", Delimiter::parse);
    let skip_rows = number(f, "/skip_rows", raw.skip_rows.unwrap_or(0), 0..=100);
    let reference_column = needed(f, "/reference_column", raw.reference_column.as_deref(), header_row);
    let amount_column = needed(f, "/amount_column", raw.amount_column.as_deref(), header_row);
    let amount_unit = word(f, "/amount_unit", raw.amount_unit.as_deref(), "dollars", AmountUnit::parse);
    let amount_sign = word(f, "/amount_sign", raw.amount_sign.as_deref(), "paid_positive", AmountSign::parse);
    let gst = required(f, "/gst", raw.gst.as_deref(), GstMode::parse);
    let gst_column = named(f, "/gst_column", raw.gst_column.as_deref(), header_row);
    if gst.is_some() && (gst == Some(GstMode::Column)) != raw.gst_column.is_some() {
        f.push("/gst_column", "unexpected", "name the column of GST exactly when `gst` is `column`");
    }
    let date_column = needed(f, "/date_column", raw.date_column.as_deref(), header_row);
    let date_format = required(f, "/date_format", raw.date_format.as_deref(), DateFormat::parse);
    let period_column = named(f, "/period_column", raw.period_column.as_deref(), header_row);
    let period_format = match raw.period_format.as_deref() {
        Some(text) => f.keep("/period_format", MonthFormat::parse(text)).map(Some),
        None => Some(None),
    };
    if raw.period_column.is_some() != raw.period_format.is_some() {
        f.push("/period_format", "required", "the column of the month and the way it is written go together");
    }
    let kind_column = named(f, "/kind_column", raw.kind_column.as_deref(), header_row);
    let upfront_words = words(f, "/upfront_words", raw.upfront_words.as_deref());
    let trail_words = words(f, "/trail_words", raw.trail_words.as_deref());
    let clawback_words = words(f, "/clawback_words", raw.clawback_words.as_deref());
    let default_kind = word(f, "/default_kind", raw.default_kind.as_deref(), "upfront", LineKind::parse);
    let clawbacks = word(f, "/clawbacks", raw.clawbacks.as_deref(), "signed", Clawbacks::parse);
    if clawbacks == Some(Clawbacks::ByWord) && clawback_words.as_ref().is_some_and(Vec::is_empty) {
        f.push("/clawback_words", "required", "say which words mean that something is taken back");
    }
    if raw.kind_column.is_some() && [&upfront_words, &trail_words, &clawback_words].iter().all(|w| none_in(w)) {
        f.push("/upfront_words", "required", "say which words stand in the column of the kind");
    }
    let product_column = named(f, "/product_column", raw.product_column.as_deref(), header_row);
    let trail_lag_months = number(f, "/trail_lag_months", raw.trail_lag_months.unwrap_or(0), 0..=12);
    let date_window_days = number(f, "/date_window_days", raw.date_window_days.unwrap_or(WINDOW_DAYS), 0..=366);
    let covers = covers(f, raw.covers.as_deref());
    Some(StatementMapping {
        delimiter: delimiter?,
        skip_rows: skip_rows?,
        header_row,
        reference_column: reference_column?,
        amount_column: amount_column?,
        amount_unit: amount_unit?,
        amount_sign: amount_sign?,
        gst: gst?,
        gst_column: gst_column?,
        date_column: date_column?,
        date_format: date_format?,
        period_column: period_column?,
        period_format: period_format?,
        kind_column: kind_column?,
        upfront_words: upfront_words?,
        trail_words: trail_words?,
        clawback_words: clawback_words?,
        default_kind: default_kind?,
        clawbacks: clawbacks?,
        product_column: product_column?,
        trail_lag_months: u8::try_from(trail_lag_months?).ok()?,
        date_window_days: date_window_days?,
        covers: covers?,
    })
}

fn none_in(words: &Option<Vec<String>>) -> bool {
    words.as_ref().is_some_and(Vec::is_empty)
}

fn number(f: &mut Faults, pointer: &str, given: i64, range: std::ops::RangeInclusive<i64>) -> Option<u16> {
    let found = u16::try_from(given).ok().filter(|_| range.contains(&given));
    if found.is_none() {
        f.push(pointer, "out_of_range", format!("expected a number from {} to {}", range.start(), range.end()));
    }
    found
}

/// A column that must be named: by its header, or by its number where there is none.
fn needed(f: &mut Faults, pointer: &str, raw: Option<&str>, header_row: bool) -> Option<String> {
    match named(f, pointer, raw, header_row)? {
        Some(column) => Some(column),
        None => {
            f.push(pointer, "required", "this field is required");
            None
        }
    }
}

fn named(f: &mut Faults, pointer: &str, raw: Option<&str>, header_row: bool) -> Option<Option<String>> {
    let Some(text) = raw.map(str::trim) else { return Some(None) };
    if text.is_empty() || text.chars().count() > MAX_NAME || text.chars().any(char::is_control) {
        f.push(pointer, "invalid_column", format!("a column has a name of 1 to {MAX_NAME} characters"));
        return None;
    }
    let numbered = text.parse::<u16>().is_ok_and(|n| (1..=500).contains(&n));
    if !header_row && !numbered {
        f.push(pointer, "invalid_column", "without a header a column is a number from 1");
        return None;
    }
    Some(Some(text.to_owned()))
}

fn words(f: &mut Faults, pointer: &str, raw: Option<&[String]>) -> Option<Vec<String>> {
    let given = raw.unwrap_or_default();
    let good = |word: &String| {
        let word = word.trim();
        !word.is_empty() && word.chars().count() <= MAX_NAME && !word.chars().any(char::is_control)
    };
    if given.len() > MAX_WORDS || !given.iter().all(good) {
        f.push(pointer, "invalid_words", format!("expected at most {MAX_WORDS} words of 1 to {MAX_NAME} characters"));
        return None;
    }
    Some(given.iter().map(|word| word.trim().to_lowercase()).collect())
}

fn covers(f: &mut Faults, raw: Option<&[String]>) -> Option<Vec<LineKind>> {
    let Some(given) = raw else { return Some(LineKind::ALL.to_vec()) };
    let mut kinds = Vec::new();
    for (n, text) in given.iter().enumerate() {
        kinds.extend(f.keep(&format!("/covers/{n}"), LineKind::parse(text)));
    }
    kinds.sort_unstable();
    kinds.dedup();
    Some(kinds)
}

/// Keeps a new version of a provider's mapping. `seen` is the version that the caller saw, 0 before the first. Returns
/// the version before, if there is one, and the new one.
///
/// # Errors
/// See [`ReconciliationError`].
pub fn save(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    provider: OrganisationId,
    seen: i32,
    command: &SaveMapping,
) -> Result<(Option<MappingVersion>, MappingVersion), ReconciliationError> {
    post::require(env, Scope::PayoutsWrite)?;
    uow.provider_statements().take_turn(provider)?;
    if !post::is_provider(uow, provider)? {
        return Err(ReconciliationError::NotFound);
    }
    let before = uow.provider_statements().find_mapping(provider)?;
    let current = before.as_ref().map_or(0, |version| version.version);
    if i32::try_from(current) != Ok(seen) {
        return Err(ReconciliationError::Stale(current));
    }
    let after = MappingVersion {
        provider,
        version: current + 1,
        mapping: command.mapping.clone(),
        created_by: env.actor.id,
        created_at: env.now,
    };
    uow.provider_statements().append_mapping(&after)?;
    Ok((before, after))
}

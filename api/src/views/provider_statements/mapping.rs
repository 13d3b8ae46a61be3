//! Mappings: how a provider's file reads.

use domain::provider_statements::file::SampleLine;
use domain::provider_statements::mapping::{MappingVersion, MonthFormat};
use domain::provider_statements::mapping_input::StatementMappingInput;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::MoneyView;
use crate::views::deals::month;

/// How a provider's file is to be read, with some of its lines.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplaceStatementMapping, example = json!({
    "reference_column": "Loan", "amount_column": "Commission", "gst": "exclusive", "date_column": "Date", "date_format": "DD/MM/YYYY",
    "kind_column": "Type", "upfront_words": ["Upfront"], "trail_words": ["Trail"], "clawback_words": ["Clawback"],
    "sample": "Loan,Type,Commission,Date\nLN-81-000002,Upfront,\"6,500.00\",05/08/2026\n"
}))]
pub struct ReplaceMappingRequest {
    /// `comma` (default), `semicolon`, `tab`, `pipe`.
    delimiter: Option<String>,
    /// Lines before the header, or before the first line where there is none.
    #[schema(minimum = 0, maximum = 100)]
    skip_rows: Option<i64>,
    /// Whether columns have names; true by default. Without, they are numbers from 1.
    header_row: Option<bool>,
    /// The column of what the provider calls the deal.
    #[schema(required = true, nullable = false)]
    reference_column: Option<String>,
    /// The column of what was paid.
    #[schema(required = true, nullable = false)]
    amount_column: Option<String>,
    /// `dollars` (default): `1,234.50`, also with `$` or in brackets; or `cents`.
    amount_unit: Option<String>,
    /// `paid_positive` (default), `paid_negative`.
    amount_sign: Option<String>,
    /// `none`, `exclusive` (a tenth on top), `inclusive` (an eleventh within), `column`.
    #[schema(required = true, nullable = false)]
    gst: Option<String>,
    /// The column of GST, when `gst` is `column`.
    gst_column: Option<String>,
    /// The column of the date.
    #[schema(required = true, nullable = false)]
    date_column: Option<String>,
    /// `YYYY-MM-DD`, `DD/MM/YYYY`, `MM/DD/YYYY`, `DD-MM-YYYY`, `YYYYMMDD`, `DD Mon YYYY`.
    #[schema(required = true, nullable = false)]
    date_format: Option<String>,
    /// The column of a trail's month; without one it follows from the date.
    period_column: Option<String>,
    /// `YYYY-MM`, `MM/YYYY`, `Mon YYYY`, `YYYYMM`.
    period_format: Option<String>,
    /// The column that says what a line is for.
    kind_column: Option<String>,
    /// What stands there for the commission of a deal, in whatever letter case.
    upfront_words: Option<Vec<String>>,
    /// For a trail.
    trail_words: Option<Vec<String>>,
    /// For what is taken back.
    clawback_words: Option<Vec<String>>,
    /// `upfront` (default), `trail`, `clawback`: what a line is for where no column tells.
    default_kind: Option<String>,
    /// `signed` (default): what is negative is taken back; `by_word`: what is called so is, whatever its sign.
    clawbacks: Option<String>,
    /// The column of what the provider calls the product.
    product_column: Option<String>,
    /// How many months before its date the month of a trail is; 0 by default.
    #[schema(minimum = 0, maximum = 12)]
    trail_lag_months: Option<i64>,
    /// Days around a line's date in which an item may have fallen due that it is matched to by its amount alone; 45 by default.
    #[schema(minimum = 0, maximum = 366)]
    date_window_days: Option<i64>,
    /// What the provider's statements tell in full (`upfront`, `trail`, `clawback`): only of these something can be missing. Everything by default.
    covers: Option<Vec<String>>,
    /// Some lines of a file, with what stands before them. They must read; they are not kept.
    #[schema(required = true, nullable = false)]
    sample: Option<String>,
}

impl From<ReplaceMappingRequest> for StatementMappingInput {
    fn from(raw: ReplaceMappingRequest) -> Self {
        Self {
            delimiter: raw.delimiter,
            skip_rows: raw.skip_rows,
            header_row: raw.header_row,
            reference_column: raw.reference_column,
            amount_column: raw.amount_column,
            amount_unit: raw.amount_unit,
            amount_sign: raw.amount_sign,
            gst: raw.gst,
            gst_column: raw.gst_column,
            date_column: raw.date_column,
            date_format: raw.date_format,
            period_column: raw.period_column,
            period_format: raw.period_format,
            kind_column: raw.kind_column,
            upfront_words: raw.upfront_words,
            trail_words: raw.trail_words,
            clawback_words: raw.clawback_words,
            default_kind: raw.default_kind,
            clawbacks: raw.clawbacks,
            product_column: raw.product_column,
            trail_lag_months: raw.trail_lag_months,
            date_window_days: raw.date_window_days,
            covers: raw.covers,
            sample: raw.sample,
        }
    }
}

/// How a provider's files are read.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = StatementMapping)]
pub struct MappingView {
    /// Whose files.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    provider_id: String,
    /// Its version, from 1.
    #[schema(example = 1)]
    version: u32,
    /// `comma`, `semicolon`, `tab`, `pipe`.
    #[schema(example = "comma")]
    delimiter: &'static str,
    /// Lines before the header.
    #[schema(example = 0)]
    skip_rows: u16,
    /// Whether columns have names.
    #[schema(example = true)]
    header_row: bool,
    /// The column of what the provider calls the deal.
    #[schema(example = "Loan")]
    reference_column: String,
    /// The column of what was paid.
    #[schema(example = "Commission")]
    amount_column: String,
    /// `dollars`, `cents`.
    #[schema(example = "dollars")]
    amount_unit: &'static str,
    /// `paid_positive`, `paid_negative`.
    #[schema(example = "paid_positive")]
    amount_sign: &'static str,
    /// `none`, `exclusive`, `inclusive`, `column`.
    #[schema(example = "exclusive")]
    gst: &'static str,
    /// The column of GST.
    gst_column: Option<String>,
    /// The column of the date.
    #[schema(example = "Date")]
    date_column: String,
    /// How dates are written.
    #[schema(example = "DD/MM/YYYY")]
    date_format: &'static str,
    /// The column of a trail's month.
    period_column: Option<String>,
    /// How months are written.
    period_format: Option<&'static str>,
    /// The column that says what a line is for.
    #[schema(example = "Type")]
    kind_column: Option<String>,
    /// What stands there for the commission of a deal.
    #[schema(example = json!(["upfront"]))]
    upfront_words: Vec<String>,
    /// For a trail.
    #[schema(example = json!(["trail"]))]
    trail_words: Vec<String>,
    /// For what is taken back.
    #[schema(example = json!(["clawback"]))]
    clawback_words: Vec<String>,
    /// What a line is for where no column tells.
    #[schema(example = "upfront")]
    default_kind: &'static str,
    /// `signed`, `by_word`.
    #[schema(example = "signed")]
    clawbacks: &'static str,
    /// The column of what the provider calls the product.
    product_column: Option<String>,
    /// How many months before its date the month of a trail is.
    #[schema(example = 0)]
    trail_lag_months: u8,
    /// Days around a line's date in which an item may have fallen due.
    #[schema(example = 45)]
    date_window_days: u16,
    /// What the provider's statements tell in full.
    #[schema(example = json!(["upfront", "trail", "clawback"]))]
    covers: Vec<&'static str>,
    /// When this version was saved.
    #[schema(example = "2026-11-25T02:00:00Z")]
    created_at: String,
}

impl From<MappingVersion> for MappingView {
    fn from(saved: MappingVersion) -> Self {
        let mapping = saved.mapping;
        Self {
            provider_id: saved.provider.to_string(),
            version: saved.version,
            delimiter: mapping.delimiter.code(),
            skip_rows: mapping.skip_rows,
            header_row: mapping.header_row,
            reference_column: mapping.reference_column,
            amount_column: mapping.amount_column,
            amount_unit: mapping.amount_unit.code(),
            amount_sign: mapping.amount_sign.code(),
            gst: mapping.gst.code(),
            gst_column: mapping.gst_column,
            date_column: mapping.date_column,
            date_format: mapping.date_format.code(),
            period_column: mapping.period_column,
            period_format: mapping.period_format.map(MonthFormat::code),
            kind_column: mapping.kind_column,
            upfront_words: mapping.upfront_words,
            trail_words: mapping.trail_words,
            clawback_words: mapping.clawback_words,
            default_kind: mapping.default_kind.code(),
            clawbacks: mapping.clawbacks.code(),
            product_column: mapping.product_column,
            trail_lag_months: mapping.trail_lag_months,
            date_window_days: mapping.date_window_days,
            covers: mapping.covers.into_iter().map(|kind| kind.code()).collect(),
            created_at: saved.created_at.to_string(),
        }
    }
}

/// A line of a sample as it reads.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SampleLine)]
pub struct SampleLineView {
    /// The line of the sample, from 1.
    #[schema(example = 2)]
    line: u64,
    /// What the provider calls the deal.
    #[schema(example = "LN-81-000002")]
    reference: String,
    /// `upfront`, `trail`, `clawback`.
    #[schema(example = "upfront")]
    kind: &'static str,
    /// Its date.
    #[schema(example = "2026-08-05")]
    on: String,
    /// The month, if it is a trail's.
    #[schema(example = "2026-08")]
    month: String,
    /// Without GST; taken back is negative.
    amount: MoneyView,
    /// GST.
    gst: MoneyView,
    /// What the provider calls the product.
    product: Option<String>,
}

/// A mapping that was saved, and its sample as it reads.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SavedStatementMapping)]
pub struct SavedMappingView {
    /// The mapping.
    mapping: MappingView,
    /// The sample.
    sample: Vec<SampleLineView>,
}

impl SavedMappingView {
    /// A mapping with its sample.
    #[must_use]
    pub fn new(saved: MappingVersion, sample: Vec<SampleLine>) -> Self {
        let line = |line: SampleLine| SampleLineView {
            line: line.line,
            reference: line.reference,
            kind: line.kind.code(),
            on: line.on.to_string(),
            month: month(line.month),
            amount: MoneyView::aud(line.amount_minor),
            gst: MoneyView::aud(line.gst_minor),
            product: line.product,
        };
        Self { mapping: saved.into(), sample: sample.into_iter().map(line).collect() }
    }
}

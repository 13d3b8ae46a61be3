//! Which codes a problem of a status may have, as the API document lists them (`x-problem-codes`).
//!
//! Some are everybody's, some belong to the operations of one tag. The tests hold every problem that any of
//! them receives against this table.

/// Codes that every operation may answer with.
const EVERYBODYS: &[(&str, &[&str])] = &[
    (
        "400",
        &[
            "bad_request",
            "duplicate_field",
            "idempotency_key_missing",
            "idempotency_key_repeated",
            "invalid_cursor",
            "invalid_filter",
            "invalid_header",
            "invalid_idempotency_key",
            "invalid_json",
            "invalid_query",
            "invalid_value",
            "limit_out_of_range",
            "required",
            "too_deep",
            "unknown_field",
            "unreadable_body",
        ],
    ),
    ("401", &["unauthenticated"]),
    ("403", &["insufficient_scope"]),
    ("404", &["not_found"]),
    ("405", &["method_not_allowed"]),
    ("406", &["not_acceptable"]),
    ("408", &["body_too_slow"]),
    ("409", &["idempotency_key_in_flight"]),
    ("412", &["stale"]),
    ("413", &["body_too_large"]),
    ("415", &["unsupported_media_type"]),
    ("422", &["idempotency_key_reused", "validation_failed", "value_out_of_range"]),
    ("428", &["if_match_missing"]),
    ("429", &["log_behind", "rate_limited"]),
    ("500", &["internal"]),
    ("503", &["log_not_signed", "unavailable"]),
];

/// Codes of the operations of one tag.
const OF_TAG: &[(&str, &str, &[&str])] = &[
    (
        "access",
        "409",
        &[
            "client_revoked",
            "email_taken",
            "issuer_taken",
            "key_taken",
            "last_administrator",
            "no_second_factor",
            "second_factor_active",
            "subject_taken",
            "too_many_issuers",
            "too_many_keys",
        ],
    ),
    ("access", "422", &["same_person", "users_only"]),
    ("agreements", "409", &["content_changed", "no_report", "simulation_ended", "wrong_state"]),
    ("agreements", "422", &["amount_out_of_range", "content_has_errors", "same_person", "warnings_not_acknowledged"]),
    ("catalogue", "409", &["product_code_taken", "vertical_code_taken"]),
    ("chain", "400", &["out_of_range"]),
    ("chain", "403", &["administrators_only", "not_counterparty", "not_holder"]),
    (
        "chain",
        "409",
        &[
            "already_countersigned",
            "deal_not_open",
            "handed_over",
            "handshake_not_sealed",
            "id_taken",
            "key_ended",
            "key_taken",
            "not_approved",
            "receipt_pending",
            "receipt_pending_witness",
            "too_many_rotations",
        ],
    ),
    ("chain", "410", &["erased"]),
    ("chain", "422", &["no_agreement"]),
    ("deals", "400", &["declaration_missing"]),
    ("deals", "403", &["provider_only"]),
    (
        "deals",
        "409",
        &[
            "deal_closed",
            "external_ref_taken",
            "fact_known",
            "id_taken",
            "member_suspended",
            "not_sealed",
            "not_settled",
            "not_uploading",
            "organisation_suspended",
            "provider_suspended",
            "replay_too_long",
            "transition_not_allowed",
        ],
    ),
    ("deals", "422", &["balance_out_of_range", "no_agreement"]),
    ("directory", "400", &["levels_out_of_range"]),
    (
        "directory",
        "409",
        &[
            "bank_change_decided",
            "bank_details_differ",
            "cohort_code_taken",
            "contact_erased",
            "external_ref_taken",
            "licence_known",
            "member_ref_taken",
            "operator_exists",
            "other_rail",
            "payee_erased",
            "payee_on_that_day",
            "stripe_not_configured",
        ],
    ),
    ("directory", "422", &["same_person", "stripe_refused"]),
    ("events", "400", &["sequence_in_future"]),
    ("ledger", "400", &["sequence_in_future", "unknown_value"]),
    (
        "ledger",
        "409",
        &[
            "account_floor",
            "already_reversed",
            "balance_out_of_range",
            "content_changed",
            "hold_cut",
            "month_not_ended",
            "not_reversible",
            "out_of_order",
            "period_closed",
            "wrong_state",
        ],
    ),
    ("ledger", "422", &["balance_out_of_range", "same_person"]),
    ("operations", "400", &["window_out_of_range"]),
    ("operations", "409", &["job_ended"]),
    ("payouts", "400", &["invalid_id", "invalid_signature", "not_an_event", "unknown_value"]),
    (
        "payouts",
        "409",
        &[
            "already_booked",
            "already_retried",
            "approval_void",
            "bank_account_taken",
            "content_changed",
            "difference_remains",
            "line_matched",
            "no_mapping",
            "not_reversible",
            "other_rail",
            "reversal_open",
            "statement_known",
            "stripe_not_configured",
            "wrong_state",
        ],
    ),
    ("payouts", "422", &["balance_out_of_range", "more_than_open", "not_payable", "nothing_to_pay", "same_person"]),
    ("webhooks", "409", &["endpoint_disabled", "too_many_endpoints"]),
];

/// The codes of problems with this status that operations with this tag answer with, sorted.
#[must_use]
pub fn of(tag: &str, status: &str) -> Vec<&'static str> {
    let everybodys = EVERYBODYS.iter().filter(|(s, _)| *s == status).flat_map(|(_, codes)| codes.iter());
    let own = OF_TAG.iter().filter(|(t, s, _)| *t == tag && *s == status).flat_map(|(.., codes)| codes.iter());
    let mut codes: Vec<&str> = everybodys.chain(own).copied().collect();
    codes.sort_unstable();
    codes
}

//! What operations have in common: their problems, the headers that they ask for and answer with.

use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Components, Content, HeaderBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Type};

use crate::problem::codes;

/// The media type of problems.
const PROBLEM: &str = "application/problem+json";

/// Operations without an id in their path that look for something which the caller names elsewhere.
const NAMES_OTHERS: [&str; 9] = [
    "create_referral",
    "create_signing_key",
    "export_ledger",
    "get_ledger_funding",
    "get_statement",
    "get_stripe_reconciliation",
    "get_trial_balance",
    "list_bas_periods",
    "prepare_handshake",
];

/// Completes one operation.
pub fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let security = operation.security.get_or_insert_default();
    let with_login = !security.is_empty();
    let keyed = *method == HttpMethod::Post && with_login;
    let conditional = *method == HttpMethod::Patch || *method == HttpMethod::Put;
    if with_login {
        problem(operation, "401");
        problem(operation, "403");
    }
    if path.contains('{') || NAMES_OTHERS.contains(&operation.operation_id.as_deref().unwrap_or_default()) {
        problem(operation, "404");
    }
    problem(operation, "400");
    problem(operation, "406");
    // Also where no field is known: what is sent is read, and refused.
    if *method != HttpMethod::Get {
        problem(operation, "408");
        problem(operation, "413");
        problem(operation, "415");
    }
    if keyed {
        parameter(
            operation,
            "Idempotency-Key",
            "The caller's name for this request: a retry with it has no second effect and gets the first answer again.",
            "018f6f2e-5c3c-7c5e-9f0a-2b1d3c4e5f60",
        );
        problem(operation, "409");
        problem(operation, "422");
    }
    let if_match = operation.parameters.iter().flatten().find_map(|p| match p {
        RefOr::T(parameter) if parameter.name == "If-Match" => Some(parameter.required == Required::True),
        _ => None,
    });
    if if_match.is_some() || conditional {
        problem(operation, "412");
    }
    if if_match == Some(true) || conditional {
        problem(operation, "409");
        problem(operation, "428");
    }
    if conditional {
        parameter(operation, "If-Match", "The `ETag` that the caller last saw.", "\"3\"");
        problem(operation, "409");
        problem(operation, "422");
    }
    problem(operation, "429");
    problem(operation, "500");
    problem(operation, "503");
}

/// Headers of answers: name, description, type.
const HEADERS: [(&str, &str, Type); 5] = [
    ("X-Request-Id", "Names this request: the caller's own, or a new one.", Type::String),
    ("Access-Control-Allow-Origin", "For browsers on an origin that is configured.", Type::String),
    ("RateLimit", "What is left of the caller's quota, and in how many seconds it is full again.", Type::String),
    ("RateLimit-Policy", "The caller's quota.", Type::String),
    ("Retry-After", "Seconds to wait.", Type::Integer),
];

/// Gives every answer its headers, and names problems by reference: what operations of one tag have in common
/// is said once.
pub fn share(operation: &mut Operation, components: &mut Components) {
    let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
    for (status, answer) in &mut operation.responses.responses {
        let RefOr::T(response) = answer else { continue };
        for (name, ..) in
            HEADERS.iter().filter(|(name, ..)| *name != "Retry-After" || matches!(status.as_str(), "429" | "503"))
        {
            let reference = RefOr::Ref(Ref::new(format!("#/components/headers/{name}")));
            response.headers.entry((*name).to_owned()).or_insert(reference);
        }
        if !response.content.contains_key(PROBLEM) {
            continue;
        }
        let codes = codes::of(&tag, status);
        response.extensions.get_or_insert_default().insert("x-problem-codes".to_owned(), codes.into());
        // Those that an operation describes in its own words stay with it.
        if response.description == meaning(status) {
            let name = format!("{tag}_{status}");
            components.responses.entry(name.clone()).or_insert_with(|| RefOr::T(response.clone()));
            *answer = RefOr::Ref(Ref::new(format!("#/components/responses/{name}")));
        }
    }
}

/// The headers that answers refer to.
pub fn headers(components: &mut Components) {
    for (name, description, schema_type) in HEADERS {
        let schema = ObjectBuilder::new().schema_type(schema_type).build();
        let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build();
        components.headers.insert(name.to_owned(), RefOr::T(header));
    }
}

/// What a status means, for whichever operation.
fn meaning(status: &str) -> &'static str {
    match status {
        "400" => "The request cannot be read",
        "401" => "No valid access token",
        "403" => "The token lacks the scope",
        "404" => "There is no such thing, or it is not yours to see",
        "406" => "The answer cannot be had in a media type that `Accept` names",
        "408" => "The body did not come in time",
        "409" => "The key is being worked on, or the state does not allow it",
        "412" => "It was changed since",
        "413" => "The body is too large",
        "415" => "The body is not of the expected media type",
        "422" => "Fields are not valid, a rule refuses it, or the key stands for another request",
        "428" => "`If-Match` is missing",
        "429" => "Too many requests: come back after `Retry-After` seconds",
        "500" => "Something went wrong on our side",
        _ => "Busy: try again",
    }
}

fn problem(operation: &mut Operation, status: &str) {
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    let response = ResponseBuilder::new().description(meaning(status)).content(PROBLEM, content).build();
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
}

fn parameter(operation: &mut Operation, name: &str, description: &str, example: &str) {
    let parameters = operation.parameters.get_or_insert_default();
    if parameters.iter().any(|p| matches!(p, RefOr::T(p) if p.name == name)) {
        return;
    }
    let parameter: Parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .example(Some(example.into()))
        .build();
    parameters.push(RefOr::T(parameter));
}

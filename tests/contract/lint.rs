//! The document as linters and a validator see it: Redocly's recommended rules, Spectral's with those of OWASP,
//! and the OpenAPI schema itself. What is switched off stands in `openapi/` with its reason.

use harness::skip::{installed, workspace};

use crate::tool;

const DOCUMENT: &str = "openapi/flip360.v1.json";

#[test]
fn redocly_finds_neither_error_nor_warning() {
    let Some(mut redocly) = tool::node("redocly") else { return };
    redocly.current_dir(workspace()).env("REDOCLY_TELEMETRY", "off").env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    let told = tool::run(redocly.args(["lint", DOCUMENT, "--config", "openapi/redocly.yaml", "--format", "stylish"]));
    assert!(told.contains("Your API description is valid."), "{told}");
    assert!(!told.contains("You have"), "{told}");
}

#[test]
fn spectral_finds_nothing() {
    let Some(mut spectral) = tool::node("spectral") else { return };
    // The rules name packages, which are looked for beside them.
    let rules = installed("node/spectral.yaml");
    std::fs::copy(workspace().join("openapi/spectral.yaml"), &rules).expect("a copy");
    spectral.current_dir(workspace()).args(["lint", "--ruleset"]).arg(rules);
    let told = tool::run(spectral.args(["--fail-severity", "hint", DOCUMENT]));
    assert!(told.contains("No results"), "{told}");
}

#[test]
fn it_is_a_document_of_openapi_3_1() {
    let Some(mut validator) = tool::python("openapi-spec-validator") else { return };
    let told = tool::run(validator.current_dir(workspace()).args(["--schema", "3.1", DOCUMENT]));
    assert!(told.contains("OK"), "{told}");
}

//! Papers over HTTP: their exact text, their PDF as somebody else's program reads it, and who sees them.

use std::process::Command;

use domain::access::Role;
use domain::kernel::{Cents, Digest};
use harness::server::Service;
use harness::skip::skip;
use integrations::paper;
use serde_json::{Value, json};

use crate::runs::{import, papers, register, with_deals};
use crate::world::{keep, paid, people};

fn world() -> Service {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let _ = paid(&platform, &people, &account);
    Service::over(platform)
}

fn invoice(service: &Service, token: &str) -> Value {
    let list = service.get("/v1/tax-documents?kind=rcti&financial_year=2027", token).expect(200);
    let [invoice] = list["data"].as_array().expect("a list").as_slice() else { panic!("one invoice: {list}") };
    invoice.clone()
}

#[test]
fn a_paper_comes_in_the_form_that_is_asked_for() {
    let service = world();
    let partner = service.partner();
    let listed = invoice(&service, &partner);
    let path = format!("/v1/tax-documents/{}", listed["id"].as_str().expect("an id"));
    let authorization = format!("Bearer {partner}");
    let asked = |accept: &str| {
        service.send("GET", &path, &[("authorization", authorization.as_str()), ("accept", accept)], None)
    };
    let (json, pdf) = (service.get(&path, &partner), service.get(&format!("{path}/pdf"), &partner));
    let (json_type, pdf_type) = (Some("application/json"), Some("application/pdf"));
    for (accept, media, body) in [
        ("application/pdf", pdf_type, &pdf.body),
        ("application/json;q=0.1, application/pdf", pdf_type, &pdf.body),
        ("application/json", json_type, &json.body),
        ("application/pdf;q=0.5, application/json", json_type, &json.body),
        ("application/*", json_type, &json.body),
        ("*/*", json_type, &json.body),
    ] {
        let reply = asked(accept);
        assert_eq!((reply.status, reply.header("content-type"), &reply.body), (200, media, body), "{accept}");
        let whose = if media == pdf_type { &pdf } else { &json };
        assert_eq!(reply.header("etag"), whose.header("etag"), "{accept}");
    }
    assert_ne!(json.header("etag"), pdf.header("etag"));
    for accept in ["text/plain", "image/png", "application/pdf;q=0"] {
        let _ = asked(accept).problem(406, "not_acceptable");
    }
    // In every form it is nobody else's.
    let stranger = format!("Bearer {}", service.stranger());
    let foreign = service.send("GET", &path, &[("authorization", &stranger), ("accept", "application/pdf")], None);
    let _ = foreign.problem(404, "not_found");
}

/// The text of a PDF as poppler reads it; nothing where it is not installed.
fn read(pdf: &[u8], name: &str) -> Option<String> {
    if let Ok(folder) = std::env::var("FLIP360_KEEP_PAPERS") {
        std::fs::write(format!("{folder}/{name}.pdf"), pdf).expect("the file is written");
    }
    let path = std::env::temp_dir().join(format!("{name}-{}.pdf", std::process::id()));
    std::fs::write(&path, pdf).expect("the file is written");
    let output = Command::new("pdftotext").args(["-layout", path.to_str().expect("a path"), "-"]).output();
    let _ = std::fs::remove_file(&path);
    let Ok(output) = output else {
        skip("the text of a PDF is not read: pdftotext (Debian poppler-utils) is not installed");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn a_paper_is_its_text_and_its_text_hashes_to_what_is_said() {
    let service = world();
    let finance = service.token(&[Role::Finance], None, None);
    let listed = invoice(&service, &finance);
    assert_eq!((listed["number"].clone(), listed["gst"]["amount"].clone()), (json!("RCTI-FY27-000001"), json!(7_800)));
    let path = format!("/v1/tax-documents/{}", listed["id"].as_str().expect("an id"));
    let reply = service.get(&path, &finance);
    let etag = reply.header("etag").expect("an ETag").to_owned();
    let shown = reply.expect(200);
    let text = shown["text"].as_str().expect("a text");
    let sha256 = Digest::of(text.as_bytes()).to_string();
    assert_eq!((shown["sha256"].as_str(), etag), (Some(sha256.as_str()), format!("\"{sha256}\"")));
    let payout = shown["payout_id"].as_str().expect("a payout");
    let of = service.get(&format!("/v1/tax-documents?payout_id={payout}"), &finance).expect(200);
    assert_eq!(of["data"].as_array().expect("a list").len(), 1);
    // Its entry names it.
    let entries = service.get("/v1/ledger/entries?kind=gst", &finance).expect(200);
    assert_eq!(entries["data"][0]["source_id"], shown["id"], "{entries}");
    // The payee's people see it, others do not.
    let introducer = service.platform.introducer;
    let partner = service.token(&[Role::PartnerAdmin], Some(introducer), None);
    let _ = service.get(&path, &partner).expect(200);
    let _ = service.get(&path, &service.stranger()).expect(404);
    let _ = service.get(&format!("{path}/pdf"), &service.stranger()).expect(404);
}

#[test]
fn a_pdf_has_all_that_an_invoice_must_say_and_is_the_same_each_time() {
    let service = world();
    let finance = service.token(&[Role::Finance], None, None);
    let listed = invoice(&service, &finance);
    let path = format!("/v1/tax-documents/{}/pdf", listed["id"].as_str().expect("an id"));
    let reply = service.get(&path, &finance);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/pdf")));
    assert!(reply.body.starts_with(b"%PDF-"));
    assert_eq!(reply.body, service.get(&path, &finance).body, "the same paper, the same bytes");
    let etag = format!("\"{}\"", Digest::of(&reply.body));
    assert_eq!(reply.header("etag"), Some(etag.as_str()));
    let Some(text) = read(&reply.body, "invoice") else { return };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "Recipient created tax invoice",
        "Member M016",
        "Flip 360 Pty Ltd",
        "ABN",
        "RCTI-FY27-000001",
        "23 November 2026",
        "FIXED-3Y",
        "780.00",
        "78.00",
        "858.00",
        "Quantity",
        "wholly taxable",
        "The GST shown is payable by the supplier.",
        "Page 1 of 1",
    ] {
        assert!(words.contains(wanted), "«{wanted}» is not in:\n{text}");
    }
}

#[test]
fn a_long_paper_goes_over_several_pages_and_foreign_letters_are_written() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let _ = paid(&platform, &people, &account);
    let (_, _, mut content) = papers(&platform).into_iter().find(|(r, ..)| r.kind.code() == "rcti").expect("one");
    content.supplier.name = "Žofie Núñez-Ångström ΑΒΓ Жук".into();
    let line = content.lines[0].clone();
    content.lines = std::iter::repeat_n(line, 120).collect();
    let pdf = paper::pdf(&content).expect("a PDF");
    let Some(text) = read(&pdf, "long") else { return };
    // The name is too long for its column.
    assert!(text.contains("Žofie Núñez-Ångström ΑΒΓ") && text.contains("Жук"), "{text}");
    let pages = text.matches("Page ").count();
    assert!(pages > 3, "{pages} pages");
    assert!(text.contains(&format!("Page {pages} of {pages}")));
    assert_eq!(text.matches("FIXED-3Y").count(), 120);
}

#[test]
fn a_note_of_long_names_and_large_amounts_says_all_of_them_in_columns_of_their_own() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let _ = paid(&platform, &people, &account);
    import(&platform, &[("C-1", "M016", "2026-06-01")]);
    let (_, _, mut content) =
        papers(&platform).into_iter().find(|(r, ..)| r.kind.code() == "adjustment_note").expect("one");
    let long = "The Trustee for the Wollombi Valley and Upper Hunter Referral Partners Family Investment Trust No. 2 trading as Upper Hunter Introductions";
    content.supplier.name = long.to_owned();
    if let Some(recipient) = &mut content.recipient {
        recipient.name = format!("{long} (Recipient)");
    }
    let line = &mut content.lines[0];
    (line.net, line.gst, line.total) = (Cents(-99_999_990), Cents(-9_999_999), Cents(-109_999_989));
    line.supplied_on = jiff::civil::date(2026, 9, 30);
    let line = line.clone();
    content.lines = std::iter::repeat_n(line, 60).collect();
    let Some(text) = read(&paper::pdf(&content).expect("a PDF"), "note") else { return };
    let row = "30 Sep 2026 1 -999,999.90 -99,999.99 -1,099,999.89";
    let rows = text.lines().filter(|l| l.split_whitespace().collect::<Vec<_>>().join(" ").ends_with(row)).count();
    assert_eq!(rows, 60, "{text}");
    // Each name stands in a column, and the recipient's in the letterhead besides.
    for (word, times) in [("Wollombi", 3), ("trading", 3), ("(Recipient)", 2)] {
        assert_eq!(text.matches(word).count(), times, "{word}: {text}");
    }
    assert!(text.contains("Recipient created adjustment note") && text.contains("adjusts RCTI-FY27-000001"), "{text}");
}

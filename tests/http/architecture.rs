//! The architecture as a page out of the binary.

use harness::server::Service;

#[test]
fn the_architecture_is_a_page_that_fetches_nothing() {
    let service = Service::start();
    let page = service.send("GET", "/architecture", &[], None);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let html = String::from_utf8(page.body.clone()).expect("UTF-8");
    // Each heading of the repository's document is one of the page, and the links between them lead somewhere.
    let source = include_str!("../../ARCHITECTURE.md");
    let (mut headings, mut fenced) = (0, false);
    for line in source.lines() {
        fenced ^= line.starts_with("```");
        if !fenced && line.starts_with('#') {
            headings += 1;
        }
    }
    let shown = (1..=6).map(|level| html.matches(&format!("<h{level} id=")).count()).sum::<usize>();
    assert_eq!(shown, headings);
    for target in html.split("<a href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(html.contains(&format!(" id=\"{target}\"")), "#{target} leads nowhere");
    }
    assert!(html.contains("<a href=\"/docs/\">") && html.contains("<table>"));
    for outside in ["<script", "src=", "@import", "url(", "<link", "<iframe", "docs/adr/0004-append-only-ledger.md"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let etag = page.header("etag").expect("an etag").to_owned();
    let unchanged = service.send("GET", "/architecture", &[("if-none-match", &etag)], None);
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    let head = service.send("HEAD", "/architecture", &[], None);
    assert_eq!((head.status, head.body.len()), (200, 0));
    let other = service.send("POST", "/architecture", &[], None);
    assert_eq!((other.status, other.header("allow")), (405, Some("GET, HEAD")));
    // The reference leads here.
    let document = service.send("GET", "/openapi.json", &[], None).expect(200);
    assert!(document["info"]["description"].as_str().is_some_and(|text| text.contains("(/architecture)")));
}

//! `GET /architecture`: the repository's own ARCHITECTURE.md as a page, out of the binary.
//!
//! Invariants: nothing is fetched from anywhere (the policy of the page forbids it), raw HTML of the source is
//! shown as text, and only links within the page and to HTTPS stay links: the repository's files are not served.

use std::fmt::Write as _;
use std::sync::LazyLock;

use actix_web::Resource;
use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

use super::page::{Page, resource as served, source};

const SOURCE: &str = include_str!("../../../ARCHITECTURE.md");
/// How the page looks; the policy names its digest, so no other style counts.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
    table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #ccc;padding:.4rem .6rem;text-align:left;vertical-align:top}\
    code{background:#f3f3f3;padding:0 .2em}pre{background:#f3f3f3;padding:.8rem;overflow:auto}pre code{padding:0}";

/// The page, made once.
static PAGE: LazyLock<Page> = LazyLock::new(|| made(SOURCE));

fn made(markdown: &str) -> Page {
    let mut html = String::with_capacity(markdown.len() * 2);
    html.push_str("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Architecture</title>");
    // Writing to a String cannot fail.
    let _ = write!(html, "<style>{STYLE}</style></head><body>\n<p><a href=\"/docs/\">API reference</a></p>\n");
    html.push_str(&rendered(markdown));
    html.push_str("</body></html>\n");
    let policy = format!(
        "default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        source(STYLE)
    );
    Page::new(html, policy)
}

/// Markdown as HTML in which nothing of the source is markup but what Markdown makes of it.
fn rendered(markdown: &str) -> String {
    let events: Vec<Event<'_>> = Parser::new_ext(markdown, Options::ENABLE_TABLES).collect();
    let mut safe = Vec::with_capacity(events.len());
    let mut open = Vec::new();
    for (at, event) in events.iter().enumerate() {
        safe.push(match event {
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text.clone()),
            Event::Start(Tag::Heading { level, .. }) => heading(*level, &events[at + 1..]),
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                let kept = is_kept(*link_type, dest_url);
                open.push(kept);
                if !kept {
                    continue;
                }
                event.clone()
            }
            Event::End(TagEnd::Link) if open.pop() != Some(true) => continue,
            // What stands for a picture is its text.
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => continue,
            other => other.clone(),
        });
    }
    let mut out = String::new();
    html::push_html(&mut out, safe.into_iter());
    out
}

/// Whether a link stays one.
fn is_kept(kind: LinkType, target: &str) -> bool {
    kind != LinkType::Email && (target.starts_with('#') || target.starts_with("https://"))
}

/// A heading that links within the page find: its words in lower case, joined by hyphens.
fn heading<'e>(level: HeadingLevel, after: &[Event<'_>]) -> Event<'e> {
    let mut id = String::new();
    for event in after.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_)))) {
        if let Event::Text(text) | Event::Code(text) = event {
            for c in text.chars() {
                match c {
                    ' ' | '-' => id.push('-'),
                    c if c.is_alphanumeric() => id.extend(c.to_lowercase()),
                    _ => {}
                }
            }
        }
    }
    Event::Start(Tag::Heading { level, id: Some(CowStr::from(id)), classes: Vec::new(), attrs: Vec::new() })
}

/// The page's route.
#[must_use]
pub fn resource() -> Resource {
    served("/architecture", &PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_source_becomes_markup_by_itself() {
        let html = rendered(
            "# A `b` & c-d?\n\n<script>alert(1)</script>\n\nx <img src=x onerror=y> [j](javascript:alert(1)) [r](docs/adr) [p](#a) [h](https://a.example/?a=\"b) ![pic](https://a.example/p.png)\n",
        );
        assert!(html.contains("<h1 id=\"a-b--c-d\">A <code>b</code> &amp; c-d?</h1>"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
        assert!(html.contains("&lt;img src=x onerror=y&gt;") && !html.contains("<img"), "{html}");
        assert!(!html.contains("javascript:") && html.contains(" j r "), "{html}");
        assert!(
            html.contains("<a href=\"#a\">p</a>") && html.contains("<a href=\"https://a.example/?a=%22b\">"),
            "{html}"
        );
        assert!(html.contains("pic") && !html.contains("p.png"), "{html}");
    }
}

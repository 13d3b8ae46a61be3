//! How any operation of the API document is asked about given objects: its path, filters and body with their ids.

use std::cell::Cell;
use std::collections::BTreeMap;

use api::policy::Operation;
use harness::partners::Site;
use harness::server::Reply;
use serde_json::Value;

const REQUESTS: &str = include_str!("requests.json");

/// Ids by prefix.
pub type Ids = BTreeMap<&'static str, String>;

/// Asks operations of a site.
pub struct Asking<'s> {
    site: &'s Site,
    document: Value,
    requests: Value,
    /// One's own, another partner's, nothing's, one's own under wrong names.
    objects: [Ids; 4],
    asked: Cell<u64>,
}

impl<'s> Asking<'s> {
    /// Asks this site.
    pub fn of(site: &'s Site) -> Self {
        let document = serde_json::to_value(api::openapi::document()).expect("a document");
        let requests = serde_json::from_str(REQUESTS).expect("JSON");
        let objects = [site.ours.ids.clone(), site.theirs.ids.clone(), site.nothing(), site.misnamed()];
        Self { site, document, requests, objects, asked: Cell::new(0) }
    }

    fn documented(&self, operation: &Operation) -> &Value {
        &self.document["paths"][&operation.pattern][operation.method.as_str().to_ascii_lowercase()]
    }

    /// Whether it needs no login.
    pub fn is_public(&self, operation: &Operation) -> bool {
        self.documented(operation)["security"].as_array().is_none_or(Vec::is_empty)
    }

    /// The objects that it can be asked about: all four, or one when it is about none.
    pub fn objects(&self, operation: &Operation) -> impl Iterator<Item = &Ids> {
        let request = &self.requests[operation.id];
        let named = |text: &str| self.objects[0].keys().any(|prefix| text.contains(&format!("{{{prefix}}}")));
        let about_objects = self.path(operation, &self.objects[0]) != self.path(operation, &self.objects[1])
            || self.path(operation, &self.objects[0]) != self.path(operation, &self.objects[2])
            || named(&request.to_string());
        self.objects.iter().take(if about_objects { 4 } else { 1 })
    }

    fn path(&self, operation: &Operation, ids: &Ids) -> String {
        let mut path = operation.pattern.clone();
        for parameter in self.documented(operation)["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "path" {
                let name = parameter["name"].as_str().expect("a name");
                let example = &parameter["example"];
                let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
                let prefix = example.split('_').next().unwrap_or_default();
                path = path.replace(&format!("{{{name}}}"), ids.get(prefix).unwrap_or(&example));
            }
        }
        path
    }

    /// Asks; gives what was asked, and the answer.
    pub fn ask(&self, operation: &Operation, ids: &Ids, token: Option<&str>) -> (String, Reply) {
        let n = self.asked.replace(self.asked.get() + 1).to_string();
        let filled = |template: &str| {
            let template = template.replace("{n}", &n);
            ids.iter().fold(template, |text, (prefix, id)| text.replace(&format!("{{{prefix}}}"), id))
        };
        let request = &self.requests[operation.id];
        let mut path = self.path(operation, ids);
        if let Some(query) = request["query"].as_str() {
            path = format!("{path}?{}", filled(query));
        }
        let json = request.get("body").map(|body| ("application/json", filled(&body.to_string())));
        let csv = request["csv"].as_str().map(|csv| ("text/csv", csv.to_owned()));
        let form = request["form"].as_str().map(|form| ("application/x-www-form-urlencoded", filled(form)));
        let body = json.or(csv).or(form);
        let (authorization, key) = (token.map(|token| format!("Bearer {token}")), format!("asked-{n}"));
        let mut headers: Vec<(&str, &str)> = Vec::new();
        headers.extend(authorization.as_deref().map(|bearer| ("authorization", bearer)));
        headers.extend(body.as_ref().map(|(kind, _)| ("content-type", *kind)));
        for parameter in self.documented(operation)["parameters"].as_array().into_iter().flatten() {
            match parameter["name"].as_str().filter(|_| parameter["in"] == "header") {
                Some("Idempotency-Key") => headers.push(("idempotency-key", &key)),
                // A version that nothing has: what is found and one's own is refused for that alone, and stays.
                Some("If-Match") => headers.push(("if-match", "\"999\"")),
                Some("Flip360-Declaration") => headers.push(("flip360-declaration", "x.y.z")),
                _ => {}
            }
        }
        let bytes = body.as_ref().map(|(_, body)| body.as_bytes());
        let reply = self.site.service.send(operation.method.as_str(), &path, &headers, bytes);
        let asked = format!("{} {path} {}", operation.method, body.map(|(_, body)| body).unwrap_or_default());
        (asked, reply)
    }
}

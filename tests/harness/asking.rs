//! How any operation of the API document is asked about given objects: its path, filters and body with their ids.

use std::cell::Cell;
use std::collections::BTreeMap;

use api::policy::Operation;
use serde_json::Value;

use crate::partners::Site;
use crate::server::Reply;

/// The operation whose body is Stripe's, judged by its signature alone (`tests/stripe/webhooks.rs` attacks it).
pub const SIGNED_BY_STRIPE: &str = "receive_stripe_event";

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
    #[must_use]
    pub fn of(site: &'s Site) -> Self {
        let document = serde_json::to_value(api::openapi::document()).expect("a document");
        let requests = serde_json::from_str(REQUESTS).expect("JSON");
        let objects = [site.ours.ids.clone(), site.theirs.ids.clone(), site.nothing(), site.misnamed()];
        Self { site, document, requests, objects, asked: Cell::new(0) }
    }

    /// Whether it needs no login.
    #[must_use]
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

    /// Its parameters in `path`, `query` or `header`.
    pub fn parameters<'a>(&'a self, operation: &Operation, place: &'a str) -> impl Iterator<Item = &'a Value> {
        let all = self.documented(operation)["parameters"].as_array().into_iter().flatten();
        all.filter(move |parameter| parameter["in"] == place)
    }

    /// What it is documented to be.
    #[must_use]
    pub fn documented(&self, operation: &Operation) -> &Value {
        &self.document["paths"][&operation.pattern][operation.method.as_str().to_ascii_lowercase()]
    }

    /// What a reference of the document leads to; of what may be null, what it is otherwise.
    #[must_use]
    pub fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        if let Some(pointer) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            return self.document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} leads nowhere"));
        }
        let one = schema["oneOf"].as_array().and_then(|many| many.iter().find(|one| one["$ref"].is_string()));
        one.map_or(schema, |one| self.resolved(one))
    }

    fn path(&self, operation: &Operation, ids: &Ids) -> String {
        let mut path = operation.pattern.clone();
        for parameter in self.parameters(operation, "path") {
            let name = parameter["name"].as_str().expect("a name");
            let example = &parameter["example"];
            let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            let prefix = example.split('_').next().unwrap_or_default();
            path = path.replace(&format!("{{{name}}}"), ids.get(prefix).unwrap_or(&example));
        }
        path
    }

    /// A good request about these objects.
    #[must_use]
    pub fn request(&self, operation: &Operation, ids: &Ids) -> Request {
        let n = self.asked.replace(self.asked.get() + 1).to_string();
        let filled = |template: &str| {
            let template = template.replace("{n}", &n);
            ids.iter().fold(template, |text, (prefix, id)| text.replace(&format!("{{{prefix}}}"), id))
        };
        let request = &self.requests[operation.id];
        let json = request.get("body").map(|body| ("application/json", filled(&body.to_string())));
        let csv = request["csv"].as_str().map(|csv| ("text/csv", csv.to_owned()));
        let text = request["text"].as_str().map(|text| ("text/plain", text.to_owned()));
        let xml = request["xml"].as_str().map(|xml| ("application/xml", xml.to_owned()));
        let form = request["form"].as_str().map(|form| ("application/x-www-form-urlencoded", filled(form)));
        let mut headers = Vec::new();
        for parameter in self.parameters(operation, "header") {
            match parameter["name"].as_str() {
                Some("Idempotency-Key") => headers.push(("idempotency-key".to_owned(), format!("asked-{n}"))),
                // A version that nothing has: what is found and one's own is refused for that alone, and stays.
                Some("If-Match") => headers.push(("if-match".to_owned(), "\"999\"".to_owned())),
                Some("Flip360-Declaration") => headers.push(("flip360-declaration".to_owned(), "x.y.z".to_owned())),
                _ => {}
            }
        }
        Request {
            method: operation.method.to_string(),
            path: self.path(operation, ids),
            query: request["query"].as_str().map(filled),
            headers,
            body: json.or(csv).or(text).or(xml).or(form),
        }
    }

    /// Asks about these objects; gives what was asked, and the answer.
    #[must_use]
    pub fn ask(&self, operation: &Operation, ids: &Ids, token: Option<&str>) -> (String, Reply) {
        let request = self.request(operation, ids);
        let reply = self.send(&request, token);
        (request.to_string(), reply)
    }

    /// Sends a request.
    #[must_use]
    pub fn send(&self, request: &Request, token: Option<&str>) -> Reply {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&str, &str)> = Vec::new();
        headers.extend(authorization.as_deref().map(|bearer| ("authorization", bearer)));
        headers.extend(request.body.as_ref().map(|(kind, _)| ("content-type", *kind)));
        headers.extend(request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let body = request.body.as_ref().map(|(_, body)| body.as_bytes());
        self.site.service.send(&request.method, &request.target(), &headers, body)
    }
}

/// A request that can be bent before it is sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// What comes behind the question mark.
    pub query: Option<String>,
    /// Headers, without authorisation and the kind of the body.
    pub headers: Vec<(String, String)>,
    /// The kind of the body and the body.
    pub body: Option<(&'static str, String)>,
}

impl Request {
    /// Path and query.
    #[must_use]
    pub fn target(&self) -> String {
        self.query.as_ref().map_or_else(|| self.path.clone(), |query| format!("{}?{query}", self.path))
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = self.body.as_ref().map_or("", |(_, body)| body);
        write!(f, "{} {} {:?} {body}", self.method, self.target(), self.headers)
    }
}

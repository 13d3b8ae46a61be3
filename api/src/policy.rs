//! Which scope each operation asks for: read from the API document, so that what is published is what
//! is enforced. An operation that is not in the document is not served to anybody.

use std::collections::BTreeSet;

use actix_web::http::Method;
use domain::access::{Actor, Scope};
use jiff::civil::Date;
use utoipa::openapi::path::{Operation as Documented, PathItem};
use utoipa::openapi::{Deprecated, OpenApi, RefOr};

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its id in the document.
    pub id: &'static str,
    /// The method.
    pub method: Method,
    /// The path with its parameters: `/v1/deals/{id}`.
    pub pattern: String,
    /// Any of these lets a caller in; none: no login is needed.
    pub scopes: Vec<Scope>,
    /// The media types of its successes; none when they have no body.
    pub answers: Vec<String>,
    /// Since when it should not be used any more.
    pub deprecated_on: Option<Date>,
    /// From when on it may be gone.
    pub sunset_on: Option<Date>,
}

impl Operation {
    /// The scope that the actor would need, when it has none of those that let it in.
    #[must_use]
    pub fn missing(&self, actor: &Actor) -> Option<Scope> {
        let first = self.scopes.first().copied()?;
        (!self.scopes.iter().any(|scope| actor.scopes.contains(scope))).then_some(first)
    }
}

/// Every operation.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    operations: Vec<Operation>,
}

impl Policy {
    /// Reads the document. Called once a process: operation ids live as long as it does.
    #[must_use]
    pub fn of(document: &OpenApi) -> Self {
        let operations = document.paths.paths.iter().flat_map(|(pattern, item)| {
            documented(item).into_iter().map(|(method, operation)| Operation {
                id: operation.operation_id.clone().unwrap_or_default().leak(),
                method,
                pattern: pattern.clone(),
                scopes: scopes(operation),
                answers: answers(operation),
                deprecated_on: day(operation, "x-deprecated-on"),
                sunset_on: day(operation, "x-sunset-on"),
            })
        });
        Self { operations: operations.collect() }
    }

    /// The operation of a method and a matched pattern.
    #[must_use]
    pub fn operation(&self, method: &Method, pattern: &str) -> Option<&Operation> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.operations.iter().find(|o| o.method == *method && o.pattern == pattern)
    }

    /// The place of that operation among all.
    #[must_use]
    pub fn place(&self, method: &Method, pattern: &str) -> Option<usize> {
        self.operations.iter().position(|o| o.method == *method && o.pattern == pattern)
    }

    /// The operation that a method and a concrete path lead to.
    #[must_use]
    pub fn of_path(&self, method: &str, path: &str) -> Option<&Operation> {
        self.at(path).find(|operation| operation.method.as_str() == method)
    }

    /// The methods that a concrete path answers, as an `Allow` header says it; none if nothing is there.
    #[must_use]
    pub fn allowed(&self, path: &str) -> Option<String> {
        let mut said: Vec<&str> = self.at(path).map(|operation| operation.method.as_str()).collect();
        if said.is_empty() {
            return None;
        }
        if said.contains(&"GET") {
            said.push("HEAD");
        }
        said.push("OPTIONS");
        Some(said.join(", "))
    }

    /// What a concrete path leads to: a pattern with fewer parameters takes the path from the others, whatever the
    /// method.
    fn at(&self, path: &str) -> impl Iterator<Item = &Operation> {
        let parameters = |operation: &Operation| operation.pattern.matches('{').count();
        let fitting = move || self.operations.iter().filter(move |operation| matches(&operation.pattern, path));
        let fewest = fitting().map(parameters).min();
        fitting().filter(move |operation| Some(parameters(operation)) == fewest)
    }

    /// Every operation.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            // The path of a tile has as many parts as it needs.
            (Some("{path}"), Some(first)) => return !first.is_empty(),
            (Some(p), Some(segment)) if p == segment || (p.starts_with('{') && !segment.is_empty()) => {}
            _ => return false,
        }
    }
}

fn documented(item: &PathItem) -> Vec<(Method, &Documented)> {
    let all = [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| operation.as_ref().map(|o| (method, o))).collect()
}

/// The media types of an operation's successes.
fn answers(operation: &Documented) -> Vec<String> {
    let successes = operation.responses.responses.iter().filter(|(status, _)| status.starts_with('2'));
    let content = successes.filter_map(|(_, response)| match response {
        RefOr::T(response) => Some(response.content.keys().cloned()),
        RefOr::Ref(_) => None,
    });
    content.flatten().collect::<BTreeSet<_>>().into_iter().collect()
}

/// A day that a deprecated operation names in an extension.
fn day(operation: &Documented, name: &str) -> Option<Date> {
    let named = operation.extensions.as_ref()?.get(name)?.as_str()?.parse().ok();
    named.filter(|_| matches!(operation.deprecated, Some(Deprecated::True)))
}

/// The scopes of an operation's `security`. One that does not exist counts as the administrator's: a
/// misspelt scope closes an operation rather than opening it.
fn scopes(operation: &Documented) -> Vec<Scope> {
    let security = serde_json::to_value(&operation.security).unwrap_or_default();
    let requirements = security.as_array().into_iter().flatten().filter_map(serde_json::Value::as_object);
    let named = requirements.flat_map(|r| r.values().filter_map(serde_json::Value::as_array).flatten());
    named.map(|name| name.as_str().and_then(Scope::parse).unwrap_or(Scope::AccessAdmin)).collect()
}

//! Stripe's published specification: what a request may carry, what an answer holds.
//!
//! Requests are judged strictly (a name that the specification does not know is refused), answers by what is
//! required and by types. The part of JSON schema that the specification uses, and no more.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::{Map, Value};

/// The specification.
pub struct Spec(Value);

/// An operation of it: its path as the specification writes it, and its method.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// `post` …
    pub method: &'static str,
    /// `/v1/transfers/{id}/reversals` …
    pub path: &'static str,
}

fn unpacked(bytes: &[u8]) -> Value {
    let mut text = String::new();
    let _ = GzDecoder::new(bytes).read_to_string(&mut text).expect("a gzipped text");
    serde_json::from_str(&text).expect("JSON")
}

/// Stripe's fixture of a resource.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn fixtures() -> Map<String, Value> {
    let all = unpacked(include_bytes!("../../stripe/fixtures/fixtures3.json.gz"));
    all["resources"].as_object().expect("resources").clone()
}

impl Spec {
    /// Reads the specification.
    #[must_use]
    pub fn load() -> Self {
        Self(unpacked(include_bytes!("../../stripe/fixtures/spec3-2023-09-12.json.gz")))
    }

    fn operation(&self, operation: Operation) -> &Value {
        let found = &self.0["paths"][operation.path][operation.method];
        assert!(found.is_object(), "the specification has no {operation:?}");
        found
    }

    /// A form as it came (`a[b]=c`), read by the schema of the operation; otherwise what is wrong with it.
    ///
    /// # Errors
    /// The parameter, and why.
    pub fn form(&self, operation: Operation, pairs: &[(String, String)]) -> Result<Value, (String, String)> {
        let schema =
            &self.operation(operation)["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
        let form = nested(pairs)?;
        self.parameter(schema, &form, "")
    }

    /// A query as it came, read by the parameters of the operation; otherwise what is wrong with it.
    ///
    /// # Errors
    /// The parameter, and why.
    pub fn query(&self, operation: Operation, pairs: &[(String, String)]) -> Result<Value, (String, String)> {
        let parameters = self.operation(operation)["parameters"].as_array().cloned().unwrap_or_default();
        let of_query = parameters.iter().filter(|parameter| parameter["in"] == "query");
        let properties: Map<String, Value> =
            of_query.map(|p| (p["name"].as_str().unwrap_or_default().to_owned(), p["schema"].clone())).collect();
        let schema = serde_json::json!({"type": "object", "properties": properties, "additionalProperties": false});
        self.parameter(&schema, &nested(pairs)?, "")
    }

    /// What is wrong with an answer; nothing if it is as the specification says.
    #[must_use]
    pub fn answer(&self, operation: Operation, body: &Value) -> Vec<String> {
        let schema = &self.operation(operation)["responses"]["200"]["content"]["application/json"]["schema"];
        let mut wrong = Vec::new();
        self.holds(schema, body, "", &mut wrong);
        wrong
    }

    /// What is wrong with an object of a named schema.
    #[must_use]
    pub fn object(&self, name: &str, body: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        self.holds(&self.0["components"]["schemas"][name], body, "", &mut wrong);
        wrong
    }

    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        pointer.map_or(schema, |pointer| self.0.pointer(pointer).expect("a reference leads somewhere"))
    }

    /// Reads a text, or texts by names, as the schema says.
    fn parameter(&self, schema: &Value, given: &Value, at: &str) -> Result<Value, (String, String)> {
        let schema = self.resolved(schema);
        let refused = |why: &str| Err((at.to_owned(), why.to_owned()));
        if let Some(choices) = schema["anyOf"].as_array() {
            let read: Vec<_> = choices.iter().map(|choice| self.parameter(choice, given, at)).collect();
            let first = read.iter().find_map(|read| read.as_ref().ok().cloned());
            return first.map_or_else(|| read.into_iter().next().unwrap_or(refused("no such value")), Ok);
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(given)
        {
            return refused("none of the words that are known");
        }
        match (schema["type"].as_str(), given) {
            (Some("object"), Value::Object(members)) => self.members(schema, members, at),
            (Some("integer"), Value::String(text)) => {
                text.parse::<i64>().map(Value::from).or_else(|_| refused("no whole number"))
            }
            (Some("boolean"), Value::String(text)) => {
                text.parse::<bool>().map(Value::from).or_else(|_| refused("neither true nor false"))
            }
            (Some("string"), Value::String(text)) => {
                let longest = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
                if text.chars().count() as u64 > longest { refused("too long") } else { Ok(given.clone()) }
            }
            (kind, _) => refused(&format!("not of the type {kind:?}")),
        }
    }

    fn members(&self, schema: &Value, members: &Map<String, Value>, at: &str) -> Result<Value, (String, String)> {
        let mut read = Map::new();
        for (name, given) in members {
            let path = if at.is_empty() { name.clone() } else { format!("{at}[{name}]") };
            let known = schema["properties"].get(name);
            let free = Some(&schema["additionalProperties"]).filter(|free| free.is_object());
            let Some(schema) = known.or(free) else { return Err((path, "unknown".to_owned())) };
            let _ = read.insert(name.clone(), self.parameter(schema, given, &path)?);
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !read.contains_key(name) {
                return Err((name.to_owned(), "missing".to_owned()));
            }
        }
        Ok(Value::Object(read))
    }

    fn holds(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let schema = self.resolved(schema);
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            let fits = |choice: &Value| {
                let mut faults = Vec::new();
                self.holds(choice, value, at, &mut faults);
                faults.is_empty()
            };
            if !choices.iter().any(fits) {
                wrong.push(format!("{at}: fits none of {} choices", choices.len()));
            }
            return;
        }
        let fits = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("string") => value.is_string(),
            _ => true,
        };
        if !fits || schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            wrong.push(format!("{at}: {value} is not of {}", schema["type"]));
            return;
        }
        if let Some(members) = value.as_object() {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !members.contains_key(name) {
                    wrong.push(format!("{at}/{name}: missing"));
                }
            }
            for (name, value) in members {
                if let Some(schema) = schema["properties"].get(name) {
                    self.holds(schema, value, &format!("{at}/{name}"), wrong);
                }
            }
        }
        for (n, value) in value.as_array().into_iter().flatten().enumerate() {
            self.holds(&schema["items"], value, &format!("{at}/{n}"), wrong);
        }
    }
}

/// `a[b][c]=d` as objects in each other.
fn nested(pairs: &[(String, String)]) -> Result<Value, (String, String)> {
    let mut root = Value::Object(Map::new());
    for (name, value) in pairs {
        let path: Vec<&str> = name.split('[').map(|part| part.strip_suffix(']').unwrap_or(part)).collect();
        let mut here = &mut root;
        for part in path {
            let Value::Object(members) = here else { return Err((name.clone(), "two kinds of value".to_owned())) };
            here = members.entry(part).or_insert_with(|| Value::Object(Map::new()));
        }
        *here = Value::String(value.clone());
    }
    Ok(root)
}

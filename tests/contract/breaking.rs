//! What a change of the API document breaks for those who built on the document before it.
//!
//! A client may rely on: every operation with its id, its scopes and its parameters; a request that was taken
//! being taken; every field of an answer being there, of its type. New operations, new optional parameters and
//! fields, new fields and new values of lists of words in answers, and new problems break nobody: docs/integrate.md
//! tells clients to expect them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Which way a schema goes: what is allowed in one direction breaks in the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Request,
    Answer,
}

struct Comparison<'a> {
    before: &'a Value,
    after: &'a Value,
    found: BTreeSet<String>,
    /// Pairs of references that were looked at: schemas may refer to themselves.
    seen: BTreeSet<(Way, String, String)>,
}

/// What breaks, each in a line, sorted.
pub fn breaking(before: &Value, after: &Value) -> Vec<String> {
    let mut comparison = Comparison { before, after, found: BTreeSet::new(), seen: BTreeSet::new() };
    for (path, item) in object(&before["paths"]) {
        for (method, operation) in object(&item).iter().filter(|(_, operation)| operation.is_object()) {
            let now = &after["paths"][&path][&method];
            let at = format!("{} {path}", method.to_ascii_uppercase());
            if now.is_null() {
                let _ = comparison.found.insert(format!("{at}: gone"));
            } else {
                comparison.operation(&at, operation, now);
            }
        }
    }
    comparison.found.into_iter().collect()
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn texts(value: &Value) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        Value::Null => BTreeSet::new(),
        one => std::iter::once(text(one)).collect(),
    }
}

fn scopes(operation: &Value) -> BTreeSet<String> {
    let all = operation["security"].as_array().cloned().unwrap_or_default();
    all.iter().flat_map(object).flat_map(|(_, scopes)| texts(&scopes)).collect()
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

impl Comparison<'_> {
    fn say(&mut self, at: &str, what: &str) {
        let _ = self.found.insert(format!("{at}: {what}"));
    }

    fn operation(&mut self, at: &str, before: &Value, after: &Value) {
        if before["operationId"] != after["operationId"] {
            self.say(at, "another operationId");
        }
        for scope in scopes(after).difference(&scopes(before)) {
            self.say(at, &format!("needs the scope {scope}"));
        }
        self.parameters(at, before, after);
        let (body, now) = (resolved(self.before, &before["requestBody"]), resolved(self.after, &after["requestBody"]));
        if body["required"] != Value::Bool(true) && now["required"] == Value::Bool(true) {
            self.say(at, "needs a body");
        }
        self.contents(&format!("{at} body"), Way::Request, &body["content"].clone(), &now["content"].clone());
        for (status, answer) in object(&before["responses"]).iter().filter(|(status, _)| status.starts_with('2')) {
            let now = resolved(self.after, &after["responses"][status]).clone();
            let answer = resolved(self.before, answer).clone();
            if now.is_null() {
                self.say(at, &format!("no longer answers {status}"));
            } else {
                self.contents(&format!("{at} {status}"), Way::Answer, &answer["content"], &now["content"]);
            }
        }
    }

    fn parameters(&mut self, at: &str, before: &Value, after: &Value) {
        let of = |document: &Value, operation: &Value| -> Vec<Value> {
            let all = operation["parameters"].as_array().cloned().unwrap_or_default();
            all.iter().map(|parameter| resolved(document, parameter).clone()).collect()
        };
        let named = |all: &[Value], one: &Value| {
            all.iter().find(|other| other["name"] == one["name"] && other["in"] == one["in"]).cloned()
        };
        let (before, after) = (of(self.before, before), of(self.after, after));
        for parameter in &before {
            let name = parameter["name"].as_str().unwrap_or_default();
            match named(&after, parameter) {
                None => self.say(at, &format!("does not take the parameter {name}")),
                Some(now) => {
                    let at = format!("{at} parameter {name}");
                    self.schema(&at, Way::Request, &parameter["schema"], &now["schema"]);
                }
            }
        }
        for parameter in after.iter().filter(|parameter| parameter["required"] == Value::Bool(true)) {
            let optional = named(&before, parameter).is_none_or(|was| was["required"] != Value::Bool(true));
            if optional {
                self.say(at, &format!("needs the parameter {}", parameter["name"].as_str().unwrap_or_default()));
            }
        }
    }

    fn contents(&mut self, at: &str, way: Way, before: &Value, after: &Value) {
        for (kind, media) in object(before) {
            if after[&kind].is_null() {
                self.say(at, &format!("no longer {kind}"));
            } else {
                self.schema(at, way, &media["schema"], &after[&kind]["schema"]);
            }
        }
    }

    fn schema(&mut self, at: &str, way: Way, before: &Value, after: &Value) {
        if let (Some(one), Some(other)) = (before["$ref"].as_str(), after["$ref"].as_str())
            && !self.seen.insert((way, one.to_owned(), other.to_owned()))
        {
            return;
        }
        // A name says more than the place where it was met first.
        let at = before["$ref"].as_str().and_then(|name| name.rsplit('/').next()).unwrap_or(at);
        let (before, after) = (resolved(self.before, before).clone(), resolved(self.after, after).clone());
        self.types(at, way, &before, &after);
        self.words(at, way, &before, &after);
        self.bounds(at, way, &before, &after);
        self.fields(at, way, &before, &after);
        if before["items"].is_object() && after["items"].is_object() {
            self.schema(&format!("{at}[]"), way, &before["items"], &after["items"]);
        }
        for kind in ["oneOf", "anyOf", "allOf"] {
            self.alternatives(at, way, kind, (&before[kind], &after[kind]));
        }
    }

    fn types(&mut self, at: &str, way: Way, before: &Value, after: &Value) {
        let (was, is) = (texts(&before["type"]), texts(&after["type"]));
        let (may, must) = if way == Way::Request { (&is, &was) } else { (&was, &is) };
        if !may.is_empty() && !must.is_subset(may) {
            self.say(at, "another type");
        }
        if before["format"] != after["format"] && (way == Way::Answer || !after["format"].is_null()) {
            self.say(at, "another format");
        }
        if way == Way::Request && before["pattern"] != after["pattern"] && !after["pattern"].is_null() {
            self.say(at, "another pattern");
        }
    }

    fn words(&mut self, at: &str, way: Way, before: &Value, after: &Value) {
        if way == Way::Request && !after["enum"].is_null() {
            let (was, is) = (texts(&before["enum"]), texts(&after["enum"]));
            if was.is_empty() {
                self.say(at, "takes certain words only");
            }
            for word in was.difference(&is) {
                self.say(at, &format!("does not take {word}"));
            }
        }
    }

    fn bounds(&mut self, at: &str, way: Way, before: &Value, after: &Value) {
        if way == Way::Answer {
            return;
        }
        for (bound, lowest) in [
            ("minimum", true),
            ("minLength", true),
            ("minItems", true),
            ("maximum", false),
            ("maxLength", false),
            ("maxItems", false),
        ] {
            let (was, is) = (before[bound].as_f64(), after[bound].as_f64());
            let stricter = match (was, is) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(was), Some(is)) => (lowest && is > was) || (!lowest && is < was),
            };
            if stricter {
                self.say(at, &format!("a stricter {bound}"));
            }
        }
    }

    fn fields(&mut self, at: &str, way: Way, before: &Value, after: &Value) {
        let (had, has) = (texts(&before["required"]), texts(&after["required"]));
        for (name, field) in object(&before["properties"]) {
            let now = &after["properties"][&name];
            if now.is_null() {
                self.say(at, &format!("the field {name} is gone"));
                continue;
            }
            if way == Way::Answer && had.contains(&name) && !has.contains(&name) {
                self.say(at, &format!("the field {name} may be absent"));
            }
            self.schema(&format!("{at}.{name}"), way, &field, now);
        }
        if way == Way::Request {
            for name in has.difference(&had) {
                self.say(at, &format!("needs the field {name}"));
            }
        }
    }

    /// An alternative may come in a request and go in an answer; those that stay keep their place.
    fn alternatives(&mut self, at: &str, way: Way, kind: &str, (before, after): (&Value, &Value)) {
        let (Some(was), Some(is)) = (before.as_array(), after.as_array()) else {
            if before != after {
                self.say(at, &format!("another {kind}"));
            }
            return;
        };
        let fewer = if way == Way::Request { is.len() < was.len() } else { kind == "allOf" && is.len() < was.len() };
        if fewer {
            self.say(at, &format!("fewer in {kind}"));
        }
        for (one, other) in was.iter().zip(is) {
            self.schema(at, way, one, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::breaking;

    /// A document with one operation, which takes and gives a thing.
    fn document() -> Value {
        let thing = json!({"$ref": "#/components/schemas/Thing"});
        json!({
            "paths": {"/v1/things": {"post": {
                "operationId": "create_thing",
                "security": [{"bearer": ["things:write"]}],
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}}],
                "requestBody": {"content": {"application/json": {"schema": thing}}},
                "responses": {"201": {"content": {"application/json": {"schema": thing}}}, "404": {}}
            }}},
            "components": {"schemas": {"Thing": {
                "type": "object", "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 10}, "kind": {"type": "string", "enum": ["a", "b"]},
                    "inner": {"$ref": "#/components/schemas/Thing"}
                }
            }}}
        })
    }

    const OPERATION: &str = "/paths/~1v1~1things/post";
    const THING: &str = "/components/schemas/Thing";

    fn changed(pointer: &str, value: Value) -> Vec<String> {
        let mut after = document();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = after.pointer_mut(parent).expect("it is there").as_object_mut().expect("an object");
        let _ = if value.is_null() { parent.remove(name) } else { parent.insert(name.to_owned(), value) };
        breaking(&document(), &after)
    }

    #[test]
    fn what_breaks_is_found() {
        for (pointer, value, found) in [
            (OPERATION.to_owned(), Value::Null, "POST /v1/things: gone"),
            (format!("{OPERATION}/operationId"), json!("make_thing"), "POST /v1/things: another operationId"),
            (
                format!("{OPERATION}/security"),
                json!([{"bearer": ["things:write", "x:read"]}]),
                "POST /v1/things: needs the scope x:read",
            ),
            (format!("{OPERATION}/parameters"), json!([]), "POST /v1/things: does not take the parameter limit"),
            (
                format!("{OPERATION}/parameters"),
                json!([{"name": "limit", "in": "query", "required": true, "schema": {"type": "integer", "maximum": 200}}]),
                "POST /v1/things: needs the parameter limit",
            ),
            (
                format!("{OPERATION}/parameters"),
                json!([{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}]),
                "POST /v1/things parameter limit: a stricter maximum",
            ),
            (format!("{OPERATION}/responses"), json!({"200": {}}), "POST /v1/things: no longer answers 201"),
            (format!("{THING}/properties/name/type"), json!("integer"), "Thing.name: another type"),
            (format!("{THING}/properties/name"), Value::Null, "Thing: the field name is gone"),
            (format!("{THING}/required"), json!([]), "Thing: the field name may be absent"),
            (format!("{THING}/required"), json!(["name", "kind"]), "Thing: needs the field kind"),
            (format!("{THING}/properties/name/maxLength"), json!(5), "Thing.name: a stricter maxLength"),
            (format!("{THING}/properties/kind/enum"), json!(["a"]), "Thing.kind: does not take b"),
            (format!("{THING}/properties/name/format"), json!("date"), "Thing.name: another format"),
        ] {
            assert_eq!(changed(&pointer, value), [found], "{pointer}");
        }
    }

    #[test]
    fn what_only_adds_breaks_nobody() {
        assert_eq!(breaking(&document(), &document()), [""; 0]);
        for (pointer, value) in [
            ("/paths/~1v1~1others".to_owned(), json!({"get": {"operationId": "list_others"}})),
            (format!("{THING}/properties/more"), json!({"type": "string"})),
            (format!("{THING}/properties/kind/enum"), json!(["a", "b", "c"])),
            (format!("{THING}/properties/name/maxLength"), json!(50)),
            (format!("{OPERATION}/responses/409"), json!({})),
            (format!("{OPERATION}/security"), json!([])),
        ] {
            assert_eq!(changed(&pointer, value), [""; 0], "{pointer}");
        }
    }
}

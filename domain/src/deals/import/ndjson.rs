//! One line of an NDJSON export: a JSON object with the columns of the CSV as its members.
//!
//! A member holds the very text of the CSV's cell (amounts in dollars such as `"650000.00"`, never JSON
//! numbers, which many writers round); `null`, the empty text and an absent member are the empty cell. What is wrong
//! with a value is told in the words of the CSV. Source: RFC 8259; <https://github.com/ndjson/ndjson-spec>.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::reader::{WIDTH, column, place};
use super::row::{self, DealRow, RowFault};

/// What a line says of each column.
type Members = [Option<Value>; WIDTH];

/// The object of a line, and what is wrong with its names.
struct Line {
    members: Members,
    faults: Vec<RowFault>,
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Line;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
                let mut line = Line { members: Members::default(), faults: Vec::new() };
                while let Some(name) = map.next_key::<String>()? {
                    let Some(at) = place(&name) else {
                        let _ = map.next_value::<IgnoredAny>()?;
                        // The name is not repeated: it may be anything.
                        line.faults.push(whole("unknown_field", "the object has a member that is no column"));
                        continue;
                    };
                    if line.members[at].replace(map.next_value()?).is_some() {
                        let detail = "the object has this member twice".to_owned();
                        line.faults.push(RowFault { column: column(at), code: "duplicate_field", detail });
                    }
                }
                Ok(line)
            }
        }
        d.deserialize_map(Object)
    }
}

fn whole(code: &'static str, detail: &str) -> RowFault {
    RowFault { column: "", code, detail: detail.to_owned() }
}

/// The reference of a line, as far as it could be read, and its values or all of its faults.
pub(super) fn read(record: &[u8]) -> (Option<String>, Result<DealRow, Vec<RowFault>>) {
    let Ok(text) = std::str::from_utf8(record) else {
        return (None, Err(vec![whole("invalid_utf8", "not UTF-8; Latin-1 and Windows-1252 are refused")]));
    };
    let Ok(Line { members, mut faults }) = serde_json::from_str(text) else {
        return (None, Err(vec![whole("invalid_json", "expected one JSON object on a line of its own")]));
    };
    let mut cells = [None; WIDTH];
    for (at, member) in members.iter().enumerate() {
        match member {
            None | Some(Value::Null) => cells[at] = Some(""),
            Some(Value::String(text)) => cells[at] = row::text(at, text, &mut faults),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                let detail = "expected a text, as in a CSV; amounts are texts such as \"650000.00\"".to_owned();
                faults.push(RowFault { column: column(at), code: "not_a_text", detail });
            }
        }
    }
    let external_ref = cells[0].filter(|text| row::is_reference(text)).map(str::to_owned);
    (external_ref, row::judge(&cells, faults))
}

//! What `flip360 verify` says of a file: for people line by line, for programs as JSON.

use std::io::Write;
use std::path::Path;

use domain::chain::checkpoint::TreeHead;
use domain::chain::encoding::b64;
use domain::chain::trust::Trust;
use domain::kernel::Faults;
use serde_json::{Value, json};

use super::Verdict;

/// What both kinds of findings have.
struct Told<'v> {
    name: String,
    checkpoint: Option<TreeHead>,
    keys: &'v [String],
    witnesses: &'v [String],
    proved: &'v [String],
    not_proved: &'v [String],
    faults: &'v Faults,
}

impl<'v> Told<'v> {
    fn of(verdict: &'v Verdict) -> Result<Self, &'v str> {
        match verdict {
            Verdict::Receipt(found) => Ok(Self {
                name: found
                    .assurance
                    .map_or_else(|| found.id.clone(), |assurance| format!("{} {}", found.id, assurance.as_str())),
                checkpoint: found.checkpoint,
                keys: &found.keys,
                witnesses: &found.witnesses,
                proved: &found.proved,
                not_proved: &found.not_proved,
                faults: &found.faults,
            }),
            Verdict::Leaf(found) => Ok(Self {
                name: format!("leaf {}", found.index),
                checkpoint: found.checkpoint,
                keys: &[],
                witnesses: &found.witnesses,
                proved: &found.proved,
                not_proved: &found.not_proved,
                faults: &found.faults,
            }),
            Verdict::Unreadable(why) => Err(why),
        }
    }
}

/// A text of a receipt, for a terminal: what would begin a line of its own, move the cursor or turn the writing around is
/// written as its number.
fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if hidden(c) {
            out.extend(c.escape_unicode())
        } else {
            out.push(c)
        }
        out
    })
}

/// Tells a person; in words, and with the root of trust that it was judged under, when that is given.
pub(super) fn tell(
    output: &mut dyn Write,
    path: &Path,
    verdict: &Verdict,
    words: Option<&Trust>,
) -> std::io::Result<()> {
    let file = path.display();
    let told = match Told::of(verdict) {
        Ok(told) => told,
        Err(why) => return writeln!(output, "BROKEN  {file}: {}", plain(why)),
    };
    let holds = verdict.holds();
    if holds {
        let size = told.checkpoint.map_or(0, |head| head.size);
        writeln!(output, "HOLDS   {} as of {size} leaves ({file})", plain(&told.name))?;
    } else {
        writeln!(output, "BROKEN  {} ({file})", plain(&told.name))?;
        for fault in &told.faults.0 {
            writeln!(output, "        at {}: {}: {}", fault.pointer, fault.code, plain(&fault.detail))?;
        }
    }
    let Some(trust) = words else { return Ok(()) };
    for (heading, said) in [("proved", told.proved), ("not proved", told.not_proved)] {
        for line in said {
            writeln!(output, "        {heading}: {}", plain(line))?;
        }
    }
    if let Some(head) = told.checkpoint.filter(|_| holds) {
        let root = b64(head.root.bytes());
        writeln!(output, "        as of: the checkpoint of {} leaves with root {root}", head.size)?;
        let log = format!("{} (the log)", trust.log());
        let signed: Vec<&str> = std::iter::once(log.as_str()).chain(told.keys.iter().map(String::as_str)).collect();
        writeln!(output, "        signed by: {}", signed.join(", "))?;
        if !told.witnesses.is_empty() {
            writeln!(output, "        cosigned by: {}", told.witnesses.join(", "))?;
        }
    }
    Ok(())
}

/// Tells a program.
pub(super) fn as_json(path: &Path, verdict: &Verdict) -> Value {
    let mut told = match verdict {
        Verdict::Unreadable(why) => json!({"holds": false, "error": why}),
        Verdict::Receipt(found) => domain::chain::verify::verdict(found),
        Verdict::Leaf(found) => domain::chain::verify::leaf_verdict(found),
    };
    told["file"] = json!(path.display().to_string());
    told
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_text_of_a_receipt_stays_on_its_line_and_in_its_direction() {
        assert_eq!(plain("handshake_01k: Ærø, 10 %"), "handshake_01k: Ærø, 10 %");
        let forged = plain("x\nHOLDS   handshake_1\u{1b}[2K\u{202e}");
        assert_eq!(forged, "x\\u{a}HOLDS   handshake_1\\u{1b}[2K\\u{202e}");
    }
}

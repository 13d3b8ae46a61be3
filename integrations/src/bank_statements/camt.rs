//! camt.053: the statement of ISO 20022, versions 001.02 and 001.08.
//!
//! What is read: `Stmt` with `Id`, `Acct/Id`, `Bal` (`OPBD` or `PRCD`, and `CLBD`), `FrToDt`, and every `Ntry` that is
//! booked (`Sts` is `BOOK`; in .08 `Sts/Cd`), with amount, direction, booking date and whatever refers to a payment.
//! `CdtDbtInd` tells the direction of the entry also where it reverses another. An entry with details whose amounts
//! come to its own (a batch) stays one line. Source: ISO 20022, camt.053.001.02 and camt.053.001.08.

use domain::kernel::Faults;
use domain::payouts::bank::statement::{LineInput, MAX_LINES, StatementInput};
use jiff::civil::Date;
use roxmltree::{Document, Node, ParsingOptions};

use super::{cents, fault, said};

/// The most nodes of a document: what 16 MiB of XML can hold of use.
pub const MAX_NODES: u32 = 4_000_000;
/// The namespaces that are understood.
const NAMESPACES: [&str; 2] =
    ["urn:iso:std:iso:20022:tech:xsd:camt.053.001.02", "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"];
/// Where an entry refers to a payment, or says what it is.
const TELLING: [&str; 10] = [
    "EndToEndId",
    "InstrId",
    "TxId",
    "PmtInfId",
    "MsgId",
    "NtryRef",
    "AcctSvcrRef",
    "Ustrd",
    "AddtlNtryInf",
    "AddtlTxInf",
];

/// Reads a document.
///
/// # Errors
/// All faults at once, each with its place: `/statements/0/entries/3/amount`.
pub fn read(bytes: &[u8]) -> Result<Vec<StatementInput>, Faults> {
    let mut faults = Faults::default();
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let text = std::str::from_utf8(bytes).map_err(|_| one_fault("invalid_xml", "the document is not UTF-8"))?;
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options).map_err(|error| {
        let is_dtd = matches!(error, roxmltree::Error::DtdDetected);
        one_fault(if is_dtd { "dtd_not_allowed" } else { "invalid_xml" }, &error.to_string())
    })?;
    let root = document.root_element();
    let namespace = root.tag_name().namespace().unwrap_or_default();
    if root.tag_name().name() != "Document" || !NAMESPACES.contains(&namespace) {
        return Err(one_fault("unknown_document", "expected a camt.053.001.02 or camt.053.001.08 document"));
    }
    let Some(message) = child(root, "BkToCstmrStmt") else {
        return Err(one_fault("unknown_document", "the document holds no BkToCstmrStmt"));
    };
    let statements: Vec<StatementInput> =
        children(message, "Stmt").enumerate().filter_map(|(n, node)| statement(node, n, &mut faults)).collect();
    if statements.is_empty() && faults.0.is_empty() {
        fault(&mut faults, "/statements", "required", "the document holds no statement");
    }
    if statements.iter().map(|statement| statement.lines.len()).sum::<usize>() > MAX_LINES {
        fault(&mut faults, "/statements", "too_many_lines", "a document has at most 200,000 entries");
    }
    faults.check()?;
    Ok(statements)
}

fn one_fault(code: &'static str, detail: &str) -> Faults {
    let mut faults = Faults::default();
    faults.push("", code, detail);
    faults
}

fn statement(node: Node<'_, '_>, n: usize, faults: &mut Faults) -> Option<StatementInput> {
    let at = format!("/statements/{n}");
    let opening = balance(node, &["OPBD", "PRCD"], &at, faults);
    let closing = balance(node, &["CLBD"], &at, faults);
    let lines: Vec<LineInput> = children(node, "Ntry")
        .enumerate()
        .filter(|(_, entry)| is_booked(*entry))
        .filter_map(|(m, entry)| line(entry, &format!("{at}/entries/{m}"), faults))
        .collect();
    let booked = lines.iter().map(|line| line.booked_on);
    let period = |name: &str| text(node, &["FrToDt", name]).and_then(|text| date(&text));
    let last = closing.map(|(_, on)| on).or(period("ToDtTm")).or(booked.clone().max());
    let Some(to_on) = last else {
        fault(faults, &at, "required", "neither a closing balance nor an entry tells the date of the statement");
        return None;
    };
    let from_on = opening.map(|(_, on)| on).or(period("FrDtTm")).or(booked.min()).unwrap_or(to_on).min(to_on);
    let account = text(node, &["Acct", "Id", "Othr", "Id"]).or_else(|| text(node, &["Acct", "Id", "IBAN"]));
    if account.is_none() {
        fault(faults, &format!("{at}/account"), "required", "Acct/Id tells the account");
    }
    Some(StatementInput {
        account,
        reference: said([text(node, &["Id"]).unwrap_or_default().as_str()]).chars().take(140).collect(),
        from_on,
        to_on,
        opening_minor: opening.map(|(minor, _)| minor),
        closing_minor: closing.map(|(minor, _)| minor),
        lines,
    })
}

/// The first balance of these kinds, in their order, with its date.
fn balance(node: Node<'_, '_>, kinds: &[&str], at: &str, faults: &mut Faults) -> Option<(i64, Date)> {
    let of = |kind: &&str| {
        children(node, "Bal").find(|balance| text(*balance, &["Tp", "CdOrPrtry", "Cd"]).as_deref() == Some(kind))
    };
    let balance = kinds.iter().find_map(of)?;
    let on = child(balance, "Dt").and_then(day);
    let amount = signed(balance, &format!("{at}/balance"), faults);
    if on.is_none() {
        fault(faults, &format!("{at}/balance"), "invalid_date", "a balance has a date");
    }
    amount.zip(on)
}

fn line(entry: Node<'_, '_>, at: &str, faults: &mut Faults) -> Option<LineInput> {
    let amount = signed(entry, &format!("{at}/amount"), faults);
    let booked_on = child(entry, "BookgDt").and_then(day).or_else(|| child(entry, "ValDt").and_then(day));
    if booked_on.is_none() {
        fault(faults, &format!("{at}/date"), "invalid_date", "a booked entry has a booking date");
    }
    if amount == Some(0) {
        // Banks book nothing now and then, to say something: no money moved.
        return None;
    }
    let telling: Vec<&str> = entry
        .descendants()
        .filter(|node| node.is_element() && TELLING.contains(&node.tag_name().name()))
        .filter_map(|node| node.text())
        .filter(|text| *text != "NOTPROVIDED")
        .collect();
    Some(LineInput { booked_on: booked_on?, amount_minor: amount?, text: said(telling) })
}

fn is_booked(entry: Node<'_, '_>) -> bool {
    let status = text(entry, &["Sts", "Cd"]).or_else(|| text(entry, &["Sts"]));
    status.is_none_or(|status| status.trim() == "BOOK")
}

/// `Amt` in AUD with the sign of `CdtDbtInd`.
fn signed(node: Node<'_, '_>, at: &str, faults: &mut Faults) -> Option<i64> {
    let amount = child(node, "Amt");
    let currency = amount.and_then(|amount| amount.attribute("Ccy"));
    if currency != Some("AUD") {
        fault(faults, at, "unknown_currency", "amounts are in AUD");
        return None;
    }
    let minor = amount.and_then(|amount| amount.text()).and_then(cents).filter(|minor| *minor >= 0);
    let sign = match text(node, &["CdtDbtInd"]).as_deref() {
        Some("CRDT") => Some(1),
        Some("DBIT") => Some(-1),
        _ => None,
    };
    if minor.is_none() || sign.is_none() {
        fault(faults, at, "invalid_amount", "an amount has whole cents and says CRDT or DBIT");
    }
    Some(minor? * sign?)
}

/// `Dt`, or the day of `DtTm`.
fn day(node: Node<'_, '_>) -> Option<Date> {
    text(node, &["Dt"]).or_else(|| text(node, &["DtTm"])).and_then(|text| date(&text))
}

fn date(text: &str) -> Option<Date> {
    text.trim().get(..10)?.parse().ok()
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}

fn text(node: Node<'_, '_>, path: &[&str]) -> Option<String> {
    let mut at = node;
    for name in path {
        at = child(at, name)?;
    }
    let text = at.text()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

//! camt.053 documents, as a bank writes them; `tests/payouts/camt.rs` has them checked against the published schemas.

use std::fmt::Write as _;

/// One entry: booked on, cents (positive: money came in), what it refers to, what it says.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The booking date.
    pub on: String,
    /// Cents, positive when money came in.
    pub minor: i64,
    /// `EndToEndId`.
    pub end_to_end: String,
    /// `Ustrd`.
    pub remittance: String,
    /// `AddtlNtryInf`.
    pub says: String,
}

/// An entry that says one thing.
#[must_use]
pub fn entry(on: &str, minor: i64, says: &str) -> Entry {
    let (end_to_end, remittance) = ("NOTPROVIDED".to_owned(), String::new());
    Entry { on: on.to_owned(), minor, end_to_end, remittance, says: says.to_owned() }
}

/// A statement of one day or several.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The number of the account, BSB first.
    pub account: String,
    /// `Id`.
    pub id: String,
    /// The date of the opening balance.
    pub from: String,
    /// The date of the closing balance.
    pub to: String,
    /// The opening balance in cents.
    pub opening: i64,
    /// The entries.
    pub entries: Vec<Entry>,
}

fn amount(minor: i64) -> String {
    format!("{}.{:02}", minor.abs() / 100, minor.abs() % 100)
}

fn direction(minor: i64) -> &'static str {
    if minor < 0 { "DBIT" } else { "CRDT" }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A document of version `"02"` or `"08"`.
#[must_use]
pub fn document(version: &str, statements: &[Statement]) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}\"><BkToCstmrStmt><GrpHdr><MsgId>MSG-1</MsgId><CreDtTm>2026-11-25T06:00:00</CreDtTm></GrpHdr>"
    );
    for statement in statements {
        written(&mut xml, version, statement);
    }
    xml.push_str("</BkToCstmrStmt></Document>\n");
    xml
}

fn written(xml: &mut String, version: &str, statement: &Statement) {
    let closing = statement.opening + statement.entries.iter().map(|entry| entry.minor).sum::<i64>();
    let _ = write!(
        xml,
        "<Stmt><Id>{}</Id><CreDtTm>2026-11-25T06:00:00</CreDtTm><Acct><Id><Othr><Id>{}</Id></Othr></Id><Ccy>AUD</Ccy></Acct>",
        statement.id, statement.account
    );
    for (kind, minor, on) in [("OPBD", statement.opening, &statement.from), ("CLBD", closing, &statement.to)] {
        let _ = write!(
            xml,
            "<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy=\"AUD\">{}</Amt><CdtDbtInd>{}</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>",
            amount(minor),
            direction(minor)
        );
    }
    for entry in &statement.entries {
        let status = if version == "02" { "<Sts>BOOK</Sts>" } else { "<Sts><Cd>BOOK</Cd></Sts>" };
        let remittance = if entry.remittance.is_empty() {
            String::new()
        } else {
            format!("<RmtInf><Ustrd>{}</Ustrd></RmtInf>", escaped(&entry.remittance))
        };
        let _ = write!(
            xml,
            "<Ntry><Amt Ccy=\"AUD\">{}</Amt><CdtDbtInd>{}</CdtDbtInd>{status}<BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>{}</EndToEndId></Refs>{}{remittance}</TxDtls></NtryDtls><AddtlNtryInf>{}</AddtlNtryInf></Ntry>",
            amount(entry.minor),
            direction(entry.minor),
            escaped(&entry.end_to_end),
            // From .04 on, details of a transaction say their amount and direction.
            if version == "02" {
                String::new()
            } else {
                format!(
                    "<Amt Ccy=\"AUD\">{}</Amt><CdtDbtInd>{}</CdtDbtInd>",
                    amount(entry.minor),
                    direction(entry.minor)
                )
            },
            escaped(&entry.says),
            on = entry.on,
        );
    }
    xml.push_str("</Stmt>");
}

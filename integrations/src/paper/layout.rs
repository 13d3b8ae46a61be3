//! Where everything stands on a paper: letterhead, parties, a table with its head on each page, totals, notes, page
//! numbers. Points (1/72 inch) from the upper left corner of A4.

use domain::tax::document::{Content, ContentLine, DocumentKind, Party};

use super::types::Types;

/// A4.
pub(super) const WIDTH: f32 = 595.28;
pub(super) const HEIGHT: f32 = 841.89;
const LEFT: f32 = 48.0;
const RIGHT: f32 = WIDTH - 48.0;
/// Below this nothing but the foot stands.
const BOTTOM: f32 = HEIGHT - 70.0;
/// Where the table goes on on further pages.
const TOP: f32 = 64.0;
const SMALL: f32 = 8.0;
const BODY: f32 = 9.0;
const LEADING: f32 = 12.5;
const DESCRIPTION_ROOM: f32 = 196.0;
const PARTY_ROOM: f32 = 165.0;

type Ink = [u8; 3];
const BLACK: Ink = [33, 37, 41];
const GREY: Ink = [108, 117, 125];
const ACCENT: Ink = [18, 68, 112];
const PALE: Ink = [232, 238, 244];
const WHITE: Ink = [255, 255, 255];

/// Something that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// A text; `y` is its baseline.
    Text { x: f32, y: f32, size: f32, bold: bool, ink: Ink, text: String },
    /// A filled rectangle.
    Bar { x: f32, y: f32, width: f32, height: f32, ink: Ink },
}

/// The pages of a paper.
pub(super) fn pages(content: &Content, types: &Types) -> Vec<Vec<Mark>> {
    let mut sheet = Sheet { types, pages: vec![Vec::new()], y: 0.0 };
    sheet.head(content);
    sheet.table(content);
    sheet.totals(content);
    sheet.notes(content);
    sheet.feet(content);
    sheet.pages
}

struct Sheet<'t> {
    types: &'t Types,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

/// The right edges of the columns of amounts.
const QUANTITY: f32 = 346.0;
const PRICE: f32 = 410.0;
const TAX: f32 = 470.0;
const TOTAL: f32 = RIGHT - 4.0;
const SUPPLIED: f32 = LEFT + 4.0 + DESCRIPTION_ROOM + 8.0;

impl Sheet<'_> {
    fn put(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn text(&mut self, x: f32, y: f32, (size, bold, ink): (f32, bool, Ink), text: &str) {
        let text = self.types.writable(text, bold);
        self.put(Mark::Text { x, y, size, bold, ink, text });
    }

    fn right(&mut self, x: f32, y: f32, (size, bold, ink): (f32, bool, Ink), text: &str) {
        let width = self.types.width(&self.types.writable(text, bold), size, bold);
        self.text(x - width, y, (size, bold, ink), text);
    }

    fn bar(&mut self, y: f32, height: f32, ink: Ink) {
        self.put(Mark::Bar { x: LEFT, y, width: RIGHT - LEFT, height, ink });
    }

    fn head(&mut self, content: &Content) {
        self.put(Mark::Bar { x: 0.0, y: 0.0, width: WIDTH, height: 8.0, ink: ACCENT });
        let recipient = content.recipient.clone().unwrap_or(Party { abn: None, name: String::new() });
        self.y = 52.0;
        for line in self.types.wrapped(&recipient.name, 15.0, true, RIGHT - LEFT) {
            self.text(LEFT, self.y, (15.0, true, ACCENT), &line);
            self.y += 18.0;
        }
        self.text(LEFT, self.y - 3.0, (SMALL, false, GREY), &abn(&recipient));
        self.y += 34.0;
        for line in self.types.wrapped(&content.title, 19.0, true, RIGHT - LEFT) {
            self.text(LEFT, self.y, (19.0, true, BLACK), &line);
            self.y += 23.0;
        }
        let top = self.y + 4.0;
        let supplier = self.party(LEFT, top, "Supplier", &content.supplier);
        let recipient = self.party(LEFT + 175.0, top, "Recipient", &recipient);
        let issued = content.issued_on.strftime("%-d %B %Y").to_string();
        let extent = format!("{} taxable", content.extent_taxable);
        let currency = "Australian dollars".to_owned();
        let number = content.number.clone();
        let facts = [("Number", number), ("Date of issue", issued), ("Supplies", extent), ("Currency", currency)];
        for (n, (name, value)) in (0_u8..).zip(facts) {
            let y = top + f32::from(n) * LEADING;
            self.text(LEFT + 350.0, y, (SMALL, false, GREY), name);
            self.right(RIGHT, y, (BODY, n == 0, BLACK), &value);
        }
        self.y = supplier.max(recipient).max(top + 3.0 * LEADING) + 2.0 * LEADING;
    }

    /// Gives where its last line stands; a name is never cut, however long.
    fn party(&mut self, x: f32, top: f32, role: &str, party: &Party) -> f32 {
        self.text(x, top, (SMALL, false, GREY), role);
        let mut y = top + LEADING;
        for line in self.types.wrapped(&party.name, 10.0, true, PARTY_ROOM) {
            self.text(x, y, (10.0, true, BLACK), &line);
            y += LEADING;
        }
        self.text(x, y, (BODY, false, BLACK), &abn(party));
        y
    }

    fn table(&mut self, content: &Content) {
        self.table_head(content.kind);
        for (n, line) in content.lines.iter().enumerate() {
            let words = self.described(line);
            let height = LEADING * words.len() as f32 + 5.0;
            if self.y + height > BOTTOM {
                self.turn();
                self.table_head(content.kind);
            }
            if n % 2 == 1 {
                self.bar(self.y, height, [246, 248, 250]);
            }
            let y = self.y + 11.0;
            for (word, n) in words.iter().zip(0_u8..) {
                self.text(LEFT + 4.0, y + f32::from(n) * LEADING, (BODY, false, BLACK), word);
            }
            let plain = (BODY, false, BLACK);
            self.text(SUPPLIED, y, plain, &line.supplied_on.strftime("%-d %b %Y").to_string());
            self.right(QUANTITY, y, plain, &line.quantity.to_string());
            self.right(PRICE, y, plain, &dollars(line.net.0));
            self.right(TAX, y, plain, &dollars(tax(content.kind, line)));
            self.right(TOTAL, y, plain, &dollars(due(content.kind, line)));
            self.y += height;
        }
        self.bar(self.y, 0.8, ACCENT);
    }

    fn described(&self, line: &ContentLine) -> Vec<String> {
        let mut words = self.types.wrapped(&line.description, BODY, false, DESCRIPTION_ROOM);
        words.extend(line.adjusts.iter().map(|number| format!("adjusts {number}")));
        words
    }

    fn table_head(&mut self, kind: DocumentKind) {
        self.bar(self.y, 18.0, ACCENT);
        let (y, white) = (self.y + 12.5, (SMALL, true, WHITE));
        self.text(LEFT + 4.0, y, white, "Description");
        self.text(SUPPLIED, y, white, "Supplied");
        self.right(QUANTITY, y, white, "Quantity");
        self.right(PRICE, y, white, if with_gst(kind) { "Price ex GST" } else { "Price" });
        self.right(TAX, y, white, if with_gst(kind) { "GST" } else { "Withheld" });
        self.right(TOTAL, y, white, if with_gst(kind) { "Total" } else { "Paid" });
        self.y += 19.0;
    }

    fn totals(&mut self, content: &Content) {
        let rows = if with_gst(content.kind) {
            vec![("Total without GST", content.net.0), ("GST", content.gst.0), ("Total with GST", content.total.0)]
        } else {
            let paid = content.total.0 - content.withheld.0;
            vec![("Total", content.total.0), ("Withheld for the tax office", content.withheld.0), ("Paid", paid)]
        };
        if self.y + 80.0 > BOTTOM {
            self.turn();
        }
        self.y += 8.0;
        let last = rows.len() - 1;
        for (n, (name, amount)) in rows.into_iter().enumerate() {
            if n == last {
                let bar = Mark::Bar { x: 330.0, y: self.y, width: RIGHT - 330.0, height: 20.0, ink: PALE };
                self.put(bar);
            }
            let set = (if n == last { 10.5 } else { BODY }, n == last, BLACK);
            self.text(338.0, self.y + 13.5, set, name);
            self.right(TOTAL, self.y + 13.5, set, &dollars(amount));
            self.y += if n == last { 26.0 } else { 16.0 };
        }
    }

    fn notes(&mut self, content: &Content) {
        self.y += 10.0;
        let gst = "GST is rounded half up to the cent on each line, and then summed.";
        let rounding = with_gst(content.kind).then(|| gst.to_owned());
        let amounts = "All amounts are in Australian dollars.".to_owned();
        for note in content.notes.iter().cloned().chain(rounding).chain(Some(amounts)) {
            for line in self.types.wrapped(&note, BODY, false, RIGHT - LEFT) {
                if self.y + LEADING > BOTTOM {
                    self.turn();
                }
                self.text(LEFT, self.y + 10.0, (BODY, false, BLACK), &line);
                self.y += LEADING;
            }
        }
    }

    /// Page numbers, and which paper a page is of.
    fn feet(&mut self, content: &Content) {
        let count = self.pages.len();
        let grey = (SMALL, false, GREY);
        for n in 0..count {
            let rest = self.pages.split_off(n + 1);
            let y = HEIGHT - 34.0;
            self.put(Mark::Bar { x: LEFT, y: y - 14.0, width: RIGHT - LEFT, height: 0.6, ink: PALE });
            self.text(LEFT, y, grey, &content.number);
            self.right(RIGHT, y, grey, &format!("Page {} of {count}", n + 1));
            self.pages.extend(rest);
        }
    }

    fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
        self.put(Mark::Bar { x: 0.0, y: 0.0, width: WIDTH, height: 8.0, ink: ACCENT });
    }
}

const fn with_gst(kind: DocumentKind) -> bool {
    match kind {
        DocumentKind::Rcti | DocumentKind::AdjustmentNote => true,
        DocumentKind::RemittanceStatement | DocumentKind::PaymentSummary => false,
    }
}

const fn tax(kind: DocumentKind, line: &ContentLine) -> i64 {
    if with_gst(kind) { line.gst.0 } else { line.withheld.0 }
}

const fn due(kind: DocumentKind, line: &ContentLine) -> i64 {
    if with_gst(kind) { line.total.0 } else { line.total.0 - line.withheld.0 }
}

/// `ABN 51 824 753 556`, or that there is none.
fn abn(party: &Party) -> String {
    let Some(abn) = &party.abn else { return "ABN not quoted".to_owned() };
    let digits: String = abn.chars().filter(char::is_ascii_digit).collect();
    match (digits.get(..2), digits.get(2..5), digits.get(5..8), digits.get(8..)) {
        (Some(a), Some(b), Some(c), Some(d)) => format!("ABN {a} {b} {c} {d}"),
        _ => format!("ABN {abn}"),
    }
}

/// Cents as `1,234.50`.
fn dollars(minor: i64) -> String {
    let (whole, cents) = (minor.unsigned_abs() / 100, minor.unsigned_abs() % 100);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{grouped}.{cents:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_people_read_them() {
        for (minor, text) in
            [(0, "0.00"), (5, "0.05"), (-7_800, "-78.00"), (123_456_789, "1,234,567.89"), (99_999, "999.99")]
        {
            assert_eq!(dollars(minor), text);
        }
        let party = Party { abn: Some("51824753556".into()), name: String::new() };
        assert_eq!(abn(&party), "ABN 51 824 753 556");
    }
}

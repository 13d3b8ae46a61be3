//! The type that papers are set in: widths of words, and what can be written.

use std::collections::BTreeMap;

use subsetter::GlyphRemapper;
use ttf_parser::Face;

/// DejaVu Sans.
pub(super) const REGULAR: &[u8] = include_bytes!("../../fonts/DejaVuSans.ttf");
/// DejaVu Sans Bold.
pub(super) const BOLD: &[u8] = include_bytes!("../../fonts/DejaVuSans-Bold.ttf");

/// Both faces.
pub(super) struct Types {
    regular: Face<'static>,
    bold: Face<'static>,
}

impl Types {
    /// Reads the faces that are part of the program.
    pub(super) fn read() -> Option<Self> {
        Some(Self { regular: Face::parse(REGULAR, 0).ok()?, bold: Face::parse(BOLD, 0).ok()? })
    }

    const fn face(&self, bold: bool) -> &Face<'static> {
        if bold { &self.bold } else { &self.regular }
    }

    /// The text with a question mark for each letter that there is no shape for.
    pub(super) fn writable(&self, text: &str, bold: bool) -> String {
        let face = self.face(bold);
        let known = |letter: char| !letter.is_control() && face.glyph_index(letter).is_some();
        text.chars().map(|letter| if known(letter) { letter } else { '?' }).collect()
    }

    /// How wide a text is, in points.
    pub(super) fn width(&self, text: &str, size: f32, bold: bool) -> f32 {
        let face = self.face(bold);
        let advance = |letter| face.glyph_index(letter).and_then(|glyph| face.glyph_hor_advance(glyph)).unwrap_or(0);
        let units: f32 = text.chars().map(|letter| f32::from(advance(letter))).sum();
        units * size / f32::from(face.units_per_em())
    }

    /// The text in lines that are at most so wide; a word that is wider is cut.
    pub(super) fn wrapped(&self, text: &str, size: f32, bold: bool, room: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&longer, size, bold) <= room {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for letter in word.chars() {
                line.push(letter);
                if self.width(&line, size, bold) > room && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, letter.to_string()));
                }
            }
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        lines
    }
}

/// One face as a document uses it: only the shapes that it needs are embedded, under new numbers.
pub(super) struct Used<'t> {
    face: &'t Face<'static>,
    data: &'static [u8],
    numbers: GlyphRemapper,
    /// Letters by the new number of their shape.
    letters: BTreeMap<u16, char>,
}

impl<'t> Used<'t> {
    /// A face of which nothing is used yet.
    pub(super) fn new(types: &'t Types, bold: bool) -> Self {
        let data = if bold { BOLD } else { REGULAR };
        Self { face: types.face(bold), data, numbers: GlyphRemapper::new(), letters: BTreeMap::new() }
    }

    /// A text as numbers of shapes, two bytes each.
    pub(super) fn encoded(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 * text.len());
        for letter in text.chars() {
            let Some(glyph) = self.face.glyph_index(letter) else { continue };
            let number = self.numbers.remap(glyph.0);
            self.letters.entry(number).or_insert(letter);
            bytes.extend(number.to_be_bytes());
        }
        bytes
    }

    /// The letters by the numbers of their shapes.
    pub(super) const fn letters(&self) -> &BTreeMap<u16, char> {
        &self.letters
    }

    /// The widths of the shapes in thousandths of the size, by number.
    pub(super) fn widths(&self) -> Vec<f32> {
        let per_em = f32::from(self.face.units_per_em());
        let width = |glyph| f32::from(self.face.glyph_hor_advance(ttf_parser::GlyphId(glyph)).unwrap_or(0));
        self.numbers.remapped_gids().map(|glyph| width(glyph) * 1000.0 / per_em).collect()
    }

    /// A measure of the face in thousandths of the size.
    pub(super) fn measure(&self, pick: impl Fn(&Face<'static>) -> i16) -> f32 {
        f32::from(pick(self.face)) * 1000.0 / f32::from(self.face.units_per_em())
    }

    /// The face with just the shapes that were used.
    pub(super) fn embedded(&self) -> Option<Vec<u8>> {
        subsetter::subset(self.data, 0, &self.numbers).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_their_room() {
        let types = Types::read().expect("the faces read");
        let text = "Referral commission upfront, FIXED-3Y, deal_01k0w4q7v8e2rtf3k2m9x5c6dz and more";
        let lines = types.wrapped(text, 9.0, false, 120.0);
        assert!(lines.len() > 3);
        assert!(lines.iter().all(|line| types.width(line, 9.0, false) <= 120.0), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert_eq!(types.wrapped("", 9.0, false, 120.0), [""]);
        assert_eq!(types.writable("Zoë 李\u{7}", false), "Zoë ??");
    }
}

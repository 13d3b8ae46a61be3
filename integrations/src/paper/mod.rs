//! Tax papers as PDF (ISO 32000-1): laid out by `layout` as marks on pages, set in the type of `types`, written here.
//!
//! A pure function of what a paper says: no date, no random id, so that the same paper gives the same bytes. The shapes
//! that are used are embedded (DejaVu Sans, whose licence allows it), so that a paper looks the same in years and its
//! text can be read out again; a letter that they lack is written as a question mark. Bounds: a page takes some 20 lines
//! of two rows; the PDF is held in memory, some 30 kB for the type and 30 kB for each full page.

use domain::tax::document::Content;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content as Drawing, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

mod layout;
mod types;

use layout::{HEIGHT, Mark, WIDTH};
use types::{Types, Used};

/// Why there is no PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PaperError {
    /// A font that is part of the program does not read: a defect.
    #[error("a font does not read")]
    Font,
    /// More pages than a PDF counts: a defect.
    #[error("there are too many pages")]
    Pages,
}

const SYSTEM: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
const CATALOG: i32 = 1;
const TREE: i32 = 2;
const INFO: i32 = 3;
/// The first of five objects of a face: font, its descendant, descriptor, map to Unicode, file.
const REGULAR: i32 = 4;
const BOLD: i32 = 9;
/// The first of two objects of a page: page, drawing.
const PAGES: i32 = 14;

/// A paper as PDF.
///
/// # Errors
/// See [`PaperError`].
pub fn pdf(content: &Content) -> Result<Vec<u8>, PaperError> {
    let types = Types::read().ok_or(PaperError::Font)?;
    let (mut regular, mut bold) = (Used::new(&types, false), Used::new(&types, true));
    let pages = layout::pages(content, &types);
    let count = i32::try_from(pages.len()).map_err(|_| PaperError::Pages)?;
    let mut pdf = Pdf::new();
    pdf.catalog(Ref::new(CATALOG)).pages(Ref::new(TREE));
    pdf.pages(Ref::new(TREE)).kids((0..count).map(|n| Ref::new(PAGES + 2 * n))).count(count);
    pdf.document_info(Ref::new(INFO)).title(TextStr(&content.title)).subject(TextStr(&content.number));
    for (marks, n) in pages.iter().zip(0..count) {
        let (page, drawing) = (Ref::new(PAGES + 2 * n), Ref::new(PAGES + 2 * n + 1));
        let mut drawn = Drawing::new();
        for mark in marks {
            draw(&mut drawn, mark, &mut regular, &mut bold);
        }
        let mut written = pdf.page(page);
        written.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).parent(Ref::new(TREE)).contents(drawing);
        let mut resources = written.resources();
        resources.fonts().pair(Name(b"R"), Ref::new(REGULAR)).pair(Name(b"B"), Ref::new(BOLD));
        resources.finish();
        written.finish();
        pdf.stream(drawing, &drawn.finish());
    }
    face(&mut pdf, &regular, REGULAR, b"FLIPRG+DejaVuSans")?;
    face(&mut pdf, &bold, BOLD, b"FLIPBD+DejaVuSans-Bold")?;
    Ok(pdf.finish())
}

fn draw<'t>(drawn: &mut Drawing, mark: &Mark, regular: &mut Used<'t>, bold: &mut Used<'t>) {
    let ink = |drawn: &mut Drawing, [red, green, blue]: [u8; 3]| {
        drawn.set_fill_rgb(f32::from(red) / 255.0, f32::from(green) / 255.0, f32::from(blue) / 255.0);
    };
    match mark {
        Mark::Text { x, y, size, bold: heavy, ink: colour, text } => {
            let (face, name) = if *heavy { (bold, Name(b"B")) } else { (regular, Name(b"R")) };
            let bytes = face.encoded(text);
            ink(drawn, *colour);
            drawn.begin_text().set_font(name, *size).next_line(*x, HEIGHT - y).show(Str(&bytes)).end_text();
        }
        Mark::Bar { x, y, width, height, ink: colour } => {
            ink(drawn, *colour);
            drawn.rect(*x, HEIGHT - y - height, *width, *height).fill_nonzero();
        }
    }
}

/// Writes a face with the shapes that were used, and which letters they stand for.
fn face(pdf: &mut Pdf, used: &Used<'_>, first: i32, name: &[u8]) -> Result<(), PaperError> {
    let [font, descendant, descriptor, unicode, file] = [0, 1, 2, 3, 4].map(|n| Ref::new(first + n));
    pdf.type0_font(font)
        .base_font(Name(name))
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(descendant)
        .to_unicode(unicode);
    let mut cid = pdf.cid_font(descendant);
    cid.subtype(CidFontType::Type2).base_font(Name(name)).system_info(SYSTEM).font_descriptor(descriptor);
    cid.default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
    cid.widths().consecutive(0, used.widths());
    cid.finish();
    let measure = |pick: fn(&ttf_parser::Face<'static>) -> i16| used.measure(pick);
    let (ascent, descent) = (measure(|f| f.ascender()), measure(|f| f.descender()));
    let cap_height = measure(|f| f.capital_height().unwrap_or_else(|| f.ascender()));
    let [left, bottom, right, top] = [
        measure(|f| f.global_bounding_box().x_min),
        measure(|f| f.global_bounding_box().y_min),
        measure(|f| f.global_bounding_box().x_max),
        measure(|f| f.global_bounding_box().y_max),
    ];
    pdf.font_descriptor(descriptor)
        .name(Name(name))
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(ascent)
        .descent(descent)
        .cap_height(cap_height)
        .stem_v(80.0)
        .font_file2(file);
    let mut map: UnicodeCmap = UnicodeCmap::new(Name(b"Custom"), SYSTEM);
    for (number, letter) in used.letters() {
        map.pair(*number, *letter);
    }
    pdf.cmap(unicode, &map.finish());
    let bytes = used.embedded().ok_or(PaperError::Font)?;
    pdf.stream(file, &bytes);
    Ok(())
}

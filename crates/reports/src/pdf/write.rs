//! Pages as a file: catalogue, contents, fonts and document information.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Date, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use sha2::{Digest, Sha256};

use super::font::Font;
use super::ink::{Pen, font_name};
use super::layout::{HEIGHT, WIDTH};
use super::meaning::Used;
use super::typeface::Typeface;
use crate::chart::Mark;
use crate::document::Document;
use crate::error::Result;

const IDENTITY: SystemInfo<'static> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// The file's bytes.
pub(super) fn document(
    document: &Document,
    pages: &[Vec<Mark>],
    typeface: &Typeface,
) -> Result<Vec<u8>> {
    let mut next = Ref::new(1);
    let (catalogue, tree, information) = (next.bump(), next.bump(), next.bump());
    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    pdf.catalog(catalogue).pages(tree).lang(TextStr("en"));
    let mut pen = Pen::new(typeface);
    let contents: Vec<Vec<u8>> = pages.iter().map(|marks| pen.page(marks)).collect();
    let fonts = fonts(&mut pdf, &mut next, typeface, &pen.used)?;
    let mut kids = Vec::new();
    for content in &contents {
        kids.push(page(&mut pdf, &mut next, tree, &fonts, content));
    }
    let count = i32::try_from(kids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(kids).count(count);
    describe(&mut pdf, information, document);
    let id = file_id(document, &contents);
    pdf.set_file_id((id.clone(), id));
    Ok(pdf.finish())
}

fn page(pdf: &mut Pdf, next: &mut Ref, tree: Ref, fonts: &[(usize, Ref)], content: &[u8]) -> Ref {
    let (id, stream) = (next.bump(), next.bump());
    let mut page = pdf.page(id);
    page.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT));
    page.parent(tree).contents(stream);
    let mut resources = page.resources();
    let mut named = resources.fonts();
    for (index, font) in fonts {
        named.pair(Name(font_name(*index).as_bytes()), *font);
    }
    named.finish();
    resources.finish();
    page.finish();
    pdf.stream(stream, &deflated(content))
        .filter(Filter::FlateDecode);
    id
}

/// The as-of date stands for the time of writing, so that equal reports are equal files.
fn describe(pdf: &mut Pdf, id: Ref, document: &Document) {
    let day = document.as_of;
    let created = Date::new(u16::try_from(day.year()).unwrap_or_default())
        .month(day.month().unsigned_abs())
        .day(day.day().unsigned_abs())
        .hour(0)
        .minute(0)
        .second(0)
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    pdf.document_info(id)
        .title(TextStr(&format!(
            "{} – {}",
            document.title, document.subtitle
        )))
        .subject(TextStr(&format!("{} as of {day}", document.subtitle)))
        .creator(TextStr("Celeriac"))
        .creation_date(created);
}

fn file_id(document: &Document, contents: &[Vec<u8>]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(document.title.as_bytes());
    for content in contents {
        hash.update(content);
    }
    hash.finalize()[..16].to_vec()
}

/// Embeds the fonts that are used.
fn fonts(
    pdf: &mut Pdf,
    next: &mut Ref,
    typeface: &Typeface,
    used: &BTreeMap<usize, Used>,
) -> Result<Vec<(usize, Ref)>> {
    let mut embedded = Vec::new();
    for (index, used) in used {
        let font = typeface.font(*index);
        embedded.push((*index, embed(pdf, next, font, used)?));
    }
    Ok(embedded)
}

fn embed(pdf: &mut Pdf, next: &mut Ref, font: &Font, used: &Used) -> Result<Ref> {
    let (outer, inner, descriptor) = (next.bump(), next.bump(), next.bump());
    let (file, meaning) = (next.bump(), next.bump());
    let subset = font.subset(&used.glyphs)?;
    let name = format!("{}+{}", tag(&subset), font.name);
    pdf.type0_font(outer)
        .base_font(Name(name.as_bytes()))
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(inner)
        .to_unicode(meaning);
    let mut cid = pdf.cid_font(inner);
    cid.subtype(CidFontType::Type2)
        .base_font(Name(name.as_bytes()))
        .system_info(IDENTITY)
        .font_descriptor(descriptor)
        .default_width(0.0)
        .cid_to_gid_map_predefined(Name(b"Identity"));
    let widths = used.glyphs.remapped_gids().map(|glyph| font.advance(glyph));
    cid.widths().consecutive(0, widths);
    cid.finish();
    describe_font(pdf, (descriptor, file), &name, font);
    let length = i32::try_from(subset.len()).unwrap_or(i32::MAX);
    let packed = deflated(&subset);
    let mut stream = pdf.stream(file, &packed);
    stream
        .filter(Filter::FlateDecode)
        .pair(Name(b"Length1"), length);
    stream.finish();
    let mut map = UnicodeCmap::new(Name(b"Custom"), IDENTITY);
    for (glyph, meaning) in &used.meanings {
        map.pair_with_multiple(*glyph, meaning.chars());
    }
    pdf.cmap(meaning, &map.finish());
    Ok(outer)
}

fn describe_font(pdf: &mut Pdf, (descriptor, file): (Ref, Ref), name: &str, font: &Font) {
    let [left, bottom, right, top] = font.metrics.bounds;
    pdf.font_descriptor(descriptor)
        .name(Name(name.as_bytes()))
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(font.metrics.ascent)
        .descent(font.metrics.descent)
        .cap_height(font.metrics.cap_height)
        .stem_v(80.0)
        .font_file2(file);
}

/// Six capital letters that mark a subset.
fn tag(subset: &[u8]) -> String {
    let hash = Sha256::digest(subset);
    hash.iter()
        .take(6)
        .map(|byte| char::from(b'A' + byte % 26))
        .collect()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
}

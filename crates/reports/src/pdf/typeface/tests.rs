use super::*;

fn ids(typeface: &Typeface, text: &str) -> Vec<u16> {
    let runs = typeface.runs(text, false);
    let glyphs = runs.iter().flat_map(|run| &run.glyphs);
    glyphs.map(|glyph| glyph.id).collect()
}

fn read(typeface: &Typeface) -> usize {
    let slots = typeface.slots.iter();
    slots.filter(|slot| slot.is_read()).count()
}

#[test]
fn latin_greek_and_cyrillic_need_two_fonts_only() {
    let typeface = Typeface::built_in().unwrap();
    let text = "Zürich Łódź Αθήνα Київ – “1 234,50 €” ≤";
    assert_eq!(typeface.missing(text), BTreeSet::new());
    assert_eq!(typeface.runs(text, true).len(), 1);
    assert!(typeface.width("WW", 10.0, false) > typeface.width("ii", 10.0, false));
    assert_eq!(read(&typeface), 2);
}

#[test]
fn a_script_brings_its_font_alone() {
    let typeface = Typeface::built_in().unwrap();
    assert_eq!(typeface.missing("محفظة الأسهم العالمية"), BTreeSet::new());
    assert_eq!(read(&typeface), 3);
}

#[test]
fn what_no_font_has_is_told() {
    let typeface = Typeface::built_in().unwrap();
    assert_eq!(typeface.missing("a漢\n"), BTreeSet::from(['漢']));
    let runs = typeface.runs("漢", false);
    assert_eq!(runs[0].glyphs[0].id, 0);
    // What shows nothing is not missing.
    assert_eq!(
        typeface.missing("क्\u{200d}ष a\u{2068}b\u{2069}\u{fe0f}"),
        BTreeSet::new()
    );
}

#[test]
fn a_letter_alone_comes_out_of_the_shaper_as_it_went_in() {
    let typeface = Typeface::built_in().unwrap();
    let font = typeface.font(0);
    let text = "AV Wałęsa, office fi 1.17 – Τοπ Уж";
    let shaped = font.shape(text, true);
    let pairs = text.char_indices().zip(&shaped);
    for ((at, character), glyph) in pairs {
        assert_eq!(Some(glyph.id), font.glyph(character), "{character}");
        assert_eq!((glyph.cluster, glyph.offset), (at, (0.0, 0.0)));
        assert_eq!(glyph.advance, font.advance(glyph.id), "{character}");
    }
    assert_eq!(shaped.len(), text.chars().count());
}

#[test]
fn arabic_letters_join() {
    let typeface = Typeface::built_in().unwrap();
    let alone: Vec<u16> = "لعب"
        .chars()
        .rev()
        .flat_map(|letter| ids(&typeface, &letter.to_string()))
        .collect();
    let joined = ids(&typeface, "لعب");
    assert_eq!(joined.len(), 3);
    for (joined, alone) in joined.iter().zip(&alone) {
        assert_ne!(joined, alone);
    }
    // Lam and alef become one glyph, which stands for both.
    let runs = typeface.runs("لا", false);
    assert_eq!(runs[0].clusters().len(), 1);
    assert_eq!(runs[0].clusters()[0].1, "لا");
}

#[test]
fn thai_marks_stand_on_their_letters() {
    let typeface = Typeface::built_in().unwrap();
    let width = |text| typeface.width(text, 10.0, false);
    assert_eq!(width("ที่"), width("ท"), "marks take no room");
    assert_eq!(typeface.runs("พอร์ตโฟลิโอ", false)[0].text, "พอร์ตโฟลิโอ");
}

#[test]
fn a_vowel_written_after_its_letter_can_stand_before_it() {
    let typeface = Typeface::built_in().unwrap();
    let font = typeface.runs("नि", false)[0].font;
    let letter = typeface.font(font).glyph('न').unwrap();
    assert_eq!(ids(&typeface, "नि").last(), Some(&letter));
}

#[test]
fn a_line_in_two_directions_keeps_its_numbers() {
    let typeface = Typeface::built_in().unwrap();
    let runs = typeface.runs("בנק הפועלים (2024) ETF", true);
    let texts: Vec<&str> = runs.iter().map(|run| run.text.trim()).collect();
    assert_eq!(texts, ["ETF", ")", "2024", "בנק הפועלים ("]);
    let open = typeface.font(1).glyph('(').unwrap();
    assert_eq!(
        runs[1].glyphs.last().map(|glyph| glyph.id),
        Some(open),
        "brackets turn round"
    );
}

#[test]
fn hebrew_marks_stay_with_their_letter() {
    let typeface = Typeface::built_in().unwrap();
    // Bet with dagesh, then alef.
    let runs = typeface.runs("ב\u{5bc}א", false);
    let bare = typeface.width("בא", 10.0, false);
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].width() * 10.0, bare);
}

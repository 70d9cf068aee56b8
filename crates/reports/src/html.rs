//! A document as one HTML file: no scripts, nothing loaded, charts as SVG.

use std::fmt::Write;

use crate::chart::{Anchor, Colour, Drawing, Mark, Point};
use crate::document::{Align, Block, Document, Figure, Table};

const STYLE: &str = include_str!("html.css");
const WRITES: &str = "writing to a string does not fail";

/// The file.
pub fn render(document: &Document) -> String {
    let mut page = String::new();
    let title = escape(&document.title);
    let subtitle = escape(&document.subtitle);
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – {subtitle}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <p class=\"kind\">{subtitle}</p>\n<h1>{title}</h1>\n"
    )
    .expect(WRITES);
    facts(&mut page, &document.facts);
    for item in &document.blocks {
        block(&mut page, item);
    }
    write!(
        page,
        "<footer>{title} · as of {}</footer>\n</main>\n</body>\n</html>\n",
        document.as_of
    )
    .expect(WRITES);
    page
}

fn facts(page: &mut String, facts: &[(String, String)]) {
    page.push_str("<dl class=\"facts\">");
    for (label, value) in facts {
        write!(page, "<dt>{}</dt><dd>{}</dd>", escape(label), escape(value)).expect(WRITES);
    }
    page.push_str("</dl>\n");
}

fn block(page: &mut String, block: &Block) {
    match block {
        Block::Heading(text) => writeln!(page, "<h2>{}</h2>", escape(text)).expect(WRITES),
        Block::Note(text) => {
            writeln!(page, "<p class=\"note\">{}</p>", escape(text)).expect(WRITES)
        }
        Block::Figures(list) => figures(page, list),
        Block::Table(rows) => table(page, rows),
        Block::Chart { caption, drawing } => {
            let shown = escape(caption);
            write!(page, "<figure><figcaption>{shown}</figcaption>").expect(WRITES);
            svg(page, caption, drawing);
            page.push_str("</figure>\n");
        }
    }
}

fn figures(page: &mut String, figures: &[Figure]) {
    page.push_str("<dl class=\"figures\">");
    for figure in figures {
        let (label, value) = (escape(figure.label), escape(&figure.value));
        write!(page, "<div><dt>{label}</dt><dd>{value}</dd></div>").expect(WRITES);
    }
    page.push_str("</dl>\n");
}

fn table(page: &mut String, table: &Table) {
    let titles: Vec<String> = table
        .columns
        .iter()
        .map(|column| column.title.clone())
        .collect();
    page.push_str("<div class=\"table\"><table>\n<thead>");
    row(page, table, "th", &titles);
    page.push_str("</thead>\n<tbody>\n");
    for cells in &table.rows {
        row(page, table, "td", cells);
    }
    page.push_str("</tbody>\n");
    if let Some(total) = &table.total {
        page.push_str("<tfoot>");
        row(page, table, "td", total);
        page.push_str("</tfoot>\n");
    }
    page.push_str("</table></div>\n");
}

fn row(page: &mut String, table: &Table, tag: &str, cells: &[String]) {
    page.push_str("<tr>");
    for (column, cell) in table.columns.iter().zip(cells) {
        let class = match column.align {
            Align::Left => "",
            Align::Right => " class=\"number\"",
        };
        write!(page, "<{tag}{class}>{}</{tag}>", escape(cell)).expect(WRITES);
    }
    page.push_str("</tr>\n");
}

fn svg(page: &mut String, caption: &str, drawing: &Drawing) {
    write!(
        page,
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
        drawing.width,
        drawing.height,
        escape(caption)
    )
    .expect(WRITES);
    for item in &drawing.marks {
        mark(page, item);
    }
    page.push_str("</svg>");
}

fn mark(page: &mut String, mark: &Mark) {
    match mark {
        Mark::Line {
            points,
            colour,
            width,
        } => write!(
            page,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"/>",
            path(points),
            hex(*colour)
        ),
        Mark::Area { points, colour } => {
            write!(page, "<polygon points=\"{}\" fill=\"{}\"/>", path(points), hex(*colour))
        }
        Mark::Text {
            at: (x, y),
            anchor,
            face,
            text,
        } => write!(
            page,
            "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{}\" text-anchor=\"{}\" fill=\"{}\">{}</text>",
            face.size,
            end(*anchor),
            hex(face.colour),
            escape(text)
        ),
    }
    .expect(WRITES);
}

fn path(points: &[Point]) -> String {
    let pairs: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{x:.2},{y:.2}"))
        .collect();
    pairs.join(" ")
}

fn hex(Colour(r, g, b): Colour) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn end(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

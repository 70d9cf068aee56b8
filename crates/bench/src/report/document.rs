//! docs/benchmarks.md: the text of `document.md` with the figures of a run put in.

use super::table::Table;
use super::{aims, tables};
use crate::figures::Figures;
use crate::machine::Machine;

/// The text, with a line `{{name}}` where something is put in.
const TEMPLATE: &str = include_str!("document.md");

/// The part that another program writes stands between these.
const FINANCE: (&str, &str) = ("<!-- finance -->\n", "<!-- /finance -->");

/// The whole document; the finance part is kept from the page `before`.
pub(crate) fn document(figures: &Figures, before: &str) -> String {
    let tables: Vec<String> = tables::all(figures).iter().map(section).collect();
    TEMPLATE
        .replace("{{aims}}", aims::table(figures).to_markdown().trim_end())
        .replace("{{tables}}", tables.join("\n").trim_end())
        .replace("{{parts}}", tables::parts(figures).to_markdown().trim_end())
        .replace("{{machine}}", &machine(&figures.machine))
        .replace("{{finance}}", finance(before).unwrap_or_default())
}

fn finance(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once(FINANCE.0)?;
    Some(rest.split_once(FINANCE.1)?.0)
}

fn section(table: &Table) -> String {
    format!("### {}\n\n{}", table.title, table.to_markdown())
}

fn machine(machine: &Machine) -> String {
    let celery = machine.celery.as_deref().map_or_else(
        || "not installed".to_owned(),
        |version| format!("{version}, prefork pool"),
    );
    let Machine {
        cpu,
        cores,
        memory_gib,
        kernel,
        redis,
        ..
    } = machine;
    format!(
        "- {cores} cores of {cpu}, {memory_gib:.0} GiB, Linux {kernel}; Redis, worker and producer share them\n\
         - Redis {redis}, without persistence but where a row says AOF (appendfsync everysec); Python Celery {celery}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_template_is_filled() {
        let machine = Machine {
            cpu: "some processor".to_owned(),
            cores: 2,
            memory_gib: 23.6,
            kernel: "6.1".to_owned(),
            redis: "7.0".to_owned(),
            celery: None,
        };
        let text = document(
            &Figures::new(machine),
            "<!-- finance -->\nkept<!-- /finance -->",
        );
        assert!(!text.contains("{{"), "{text}");
        assert!(
            text.contains("2 cores of some processor, 24 GiB") && text.contains("not installed"),
            "{text}"
        );
    }
}

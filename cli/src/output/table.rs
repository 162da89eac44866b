//! Tables: rows of cells, drawn to fit a terminal.

use rusqlite::{Params, Statement};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::kind::Kind;
use crate::cell::Cell;
use crate::error::Result;

/// No column of text is drawn narrower than this to make a table fit.
const NARROWEST: usize = 8;
/// Between two columns.
const GAP: &str = "  ";

/// A column: its name in data, its title in a table, and what it measures.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) kind: Kind,
    /// Left out of what people read.
    data_only: bool,
}

/// A column whose title is its name in words.
pub(crate) fn column(name: &str, kind: Kind) -> Column {
    Column {
        name: name.to_owned(),
        title: name.replace('_', " "),
        kind,
        data_only: false,
    }
}

impl Column {
    /// The same under another title.
    #[must_use]
    pub(crate) fn titled(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// The same, for programs only.
    #[must_use]
    pub(crate) fn data(mut self) -> Self {
        self.data_only = true;
        self
    }

    const fn is_right_aligned(&self) -> bool {
        matches!(
            self.kind,
            Kind::Count | Kind::Money | Kind::Duration | Kind::Bytes
        )
    }
}

/// Rows of the same columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// One thing, as pairs of a name and a value.
pub(crate) type Record = Vec<(Column, Cell)>;

impl Table {
    /// An empty one.
    pub(crate) const fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// The rows of a query, whose columns these are.
    pub(crate) fn of_query(
        columns: Vec<Column>,
        statement: &mut Statement<'_>,
        params: impl Params,
    ) -> Result<Self> {
        let width = columns.len();
        let rows = statement
            .query_map(params, |row| {
                (0..width)
                    .map(|at| row.get(at))
                    .collect::<rusqlite::Result<Vec<_>>>()
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { columns, rows })
    }

    /// A row as a JSON object.
    pub(crate) fn object(&self, row: &[Cell]) -> serde_json::Value {
        let pair = |(column, cell): (&Column, &Cell)| (column.name.clone(), cell.json());
        serde_json::Value::Object(self.columns.iter().zip(row).map(pair).collect())
    }

    /// The table's lines: titles, then rows, none wider than `width`.
    pub(crate) fn draw(&self, width: Option<usize>) -> Vec<String> {
        let shown = self.for_people();
        shown.draw_all(width)
    }

    fn draw_all(&self, width: Option<usize>) -> Vec<String> {
        let titles = self
            .columns
            .iter()
            .map(|column| column.title.to_uppercase())
            .collect();
        let rows = self.rows.iter().map(|row| self.cells(row).collect());
        let lines: Vec<Vec<String>> = std::iter::once(titles).chain(rows).collect();
        let widths = self.fit(&lines, width);
        lines.iter().map(|line| self.line(line, &widths)).collect()
    }

    /// The table in Markdown.
    pub(crate) fn markdown(&self) -> Vec<String> {
        let shown = self.for_people();
        shown.markdown_all()
    }

    fn markdown_all(&self) -> Vec<String> {
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let titles = self
            .columns
            .iter()
            .map(|column| column.title.clone())
            .collect();
        let rule = self
            .columns
            .iter()
            .map(|column| {
                if column.is_right_aligned() {
                    "---:"
                } else {
                    "---"
                }
                .to_owned()
            })
            .collect();
        let row = |row: &Vec<Cell>| {
            line(
                self.cells(row)
                    .map(|cell| cell.replace('|', "\\|"))
                    .collect(),
            )
        };
        let head = [line(titles), line(rule)];
        head.into_iter().chain(self.rows.iter().map(row)).collect()
    }

    /// The values of a row as a person reads them.
    fn cells(&self, row: &[Cell]) -> impl Iterator<Item = String> {
        let cells = self.columns.iter().zip(row);
        cells.map(|(column, cell)| column.kind.human(cell))
    }

    /// Without the columns that only programs want.
    fn for_people(&self) -> Self {
        let shown = |row: &Vec<Cell>| {
            let cells = self
                .columns
                .iter()
                .zip(row)
                .filter(|(column, _)| !column.data_only);
            cells.map(|(_, cell)| cell.clone()).collect()
        };
        let columns = self
            .columns
            .iter()
            .filter(|column| !column.data_only)
            .cloned()
            .collect();
        Self {
            columns,
            rows: self.rows.iter().map(shown).collect(),
        }
    }

    /// Each column's width: what it needs, and where that is too much in all,
    /// the widest texts give way first.
    fn fit(&self, lines: &[Vec<String>], limit: Option<usize>) -> Vec<usize> {
        let needed = |at: usize| {
            lines
                .iter()
                .filter_map(|line| line.get(at))
                .map(|cell| cell.width())
                .max()
                .unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.columns.len()).map(needed).collect();
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let Some(limit) = limit else { return widths };
        while widths.iter().sum::<usize>() + gaps > limit {
            let widest = widths
                .iter_mut()
                .zip(&self.columns)
                .filter(|(width, column)| {
                    matches!(column.kind, Kind::Text | Kind::Plain) && **width > NARROWEST
                })
                .max_by_key(|(width, _)| **width);
            let Some((width, _)) = widest else { break };
            *width -= 1;
        }
        widths
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, &width), column) in cells.iter().zip(widths).zip(&self.columns) {
            let cell = cut(cell, width);
            let pad = " ".repeat(width - cell.width().min(width));
            if !line.is_empty() {
                line.push_str(GAP);
            }
            if column.is_right_aligned() {
                line.push_str(&pad);
                line.push_str(&cell);
            } else {
                line.push_str(&cell);
                line.push_str(&pad);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// `text`, cut to `width` columns with an ellipsis.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let kept = text.chars().take_while(|letter| {
        used += letter.width().unwrap_or(0);
        used <= width
    });
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Kind, Table, column, cut};

    fn table() -> Table {
        let columns = vec![column("title", Kind::Text), column("tokens", Kind::Count)];
        let mut table = Table::new(columns);
        table
            .rows
            .push(vec!["Mend the\nbridge".into(), 1234_i64.into()]);
        table
            .rows
            .push(vec!["漢字のタイトルはとても長い".into(), 5_i64.into()]);
        table
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let expected = [
            "TITLE                       TOKENS",
            "Mend the bridge              1,234",
            "漢字のタイトルはとても長い       5",
        ];
        assert_eq!(table().draw(None), expected);
    }

    #[test]
    fn a_table_fits_its_width() {
        let expected = [
            "TITLE         TOKENS",
            "Mend the br…   1,234",
            "漢字のタイ…        5",
        ];
        assert_eq!(table().draw(Some(20)), expected);
    }

    #[test]
    fn markdown_keeps_its_columns_apart() {
        let mut table = table();
        table.rows.truncate(1);
        table.rows.push(vec!["a|b".into(), super::Cell::Null]);
        let expected = [
            "| title | tokens |",
            "| --- | ---: |",
            "| Mend the bridge | 1,234 |",
            r"| a\|b |  |",
        ];
        assert_eq!(table.markdown(), expected);
    }

    #[test]
    fn a_text_is_cut_where_it_is_too_wide() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("漢字", 3), "漢…");
    }
}

//! Comma-separated values, for programs, and for people's spreadsheets.

use std::io::Write;

use super::printable::clean;
use crate::cell::Cell;
use crate::error::Result;

/// How a cell begins that a spreadsheet takes for a formula.
const FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// How texts are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Csv {
    /// As they are stored, also where a spreadsheet would take one for a formula.
    pub(super) raw: bool,
    /// Where they go to a terminal.
    pub(super) is_terminal: bool,
}

impl Csv {
    /// The same, into a file.
    #[must_use]
    pub(crate) const fn into_file(self) -> Self {
        Self {
            is_terminal: false,
            ..self
        }
    }

    /// Writes lines.
    pub(crate) fn lines<'c>(
        self,
        to: &mut dyn Write,
        lines: impl IntoIterator<Item = &'c [Cell]>,
    ) -> Result<()> {
        let mut writer = csv::Writer::from_writer(to);
        for cells in lines {
            writer.write_record(cells.iter().map(|cell| self.text(cell)))?;
        }
        Ok(writer.flush()?)
    }

    fn text(self, cell: &Cell) -> String {
        let text = cell.plain();
        let is_number = matches!(cell, Cell::Int(_) | Cell::Real(_));
        let text = if !self.raw && !is_number && text.starts_with(FORMULAS) {
            format!("'{text}")
        } else {
            text
        };
        if self.is_terminal { clean(&text) } else { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(csv: Csv, cells: &[Cell]) -> String {
        let mut line = Vec::new();
        csv.lines(&mut line, [cells]).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn no_text_becomes_a_formula_unless_it_is_asked_for() {
        let mut csv = Csv {
            raw: false,
            is_terminal: false,
        };
        let cells = ["=1+1", "+1", "-1", "@x", "\tx", "a-b"].map(Cell::from);
        assert_eq!(line(csv, &cells), "'=1+1,'+1,'-1,'@x,'\tx,a-b\n");
        let numbers = [Cell::Int(-1), Cell::Real(-0.5), Cell::Null];
        assert_eq!(line(csv, &numbers), "-1,-0.5,\n");
        csv.raw = true;
        assert_eq!(line(csv, &cells), "=1+1,+1,-1,@x,\tx,a-b\n");
    }

    #[test]
    fn what_is_hidden_is_left_out_on_a_terminal_alone() {
        let csv = Csv {
            raw: true,
            is_terminal: true,
        };
        let cells = [Cell::from("a\u{1b}[2Jb")];
        assert_eq!(line(csv, &cells), "a[2Jb\n");
        assert_eq!(line(csv.into_file(), &cells), "a\u{1b}[2Jb\n");
    }
}

//! Where output goes, in which format, how wide and whether in colour.

use std::io::{BufWriter, IsTerminal, StdoutLock, Write};

use serde_json::{Map, Value};

use super::csv::Csv;
use super::kind::Kind;
use super::printable::{PAINT, indented_json, json, painted};
use super::table::{Record, Table, cut};
use crate::cell::Cell;
use crate::error::Result;

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// One JSON document
    Json,
    /// JSON Lines: one object a line
    Jsonl,
    /// Comma-separated values, with a header
    Csv,
    /// Markdown
    Md,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Colour {
    #[default]
    Auto,
    Always,
    Never,
}

/// How output is to look.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct OutputArgs {
    /// The form of output
    #[arg(
        long,
        short,
        global = true,
        value_name = "FORMAT",
        default_value = "table"
    )]
    format: Format,
    /// Whether to use colour; `NO_COLOR` is heeded
    #[arg(
        long = "color",
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = false
    )]
    colour: Colour,
    /// Fit tables to this many columns, instead of to the terminal
    #[arg(long, global = true, value_name = "COLUMNS")]
    width: Option<usize>,
    /// CSV: texts as they are stored, also where a spreadsheet takes one for a formula
    #[arg(long, global = true)]
    raw: bool,
}

/// Standard output, locked, and how it is written to.
pub(crate) struct Out {
    stdout: BufWriter<StdoutLock<'static>>,
    pub(crate) format: Format,
    colour: bool,
    width: Option<usize>,
    csv: Csv,
}

impl Out {
    pub(crate) fn new(args: OutputArgs) -> Self {
        let stdout = std::io::stdout();
        let is_terminal = stdout.is_terminal();
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let colour = match args.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => is_terminal && !is_set("NO_COLOR"),
        };
        let terminal = || {
            is_terminal
                .then(terminal_size::terminal_size)
                .flatten()
                .map(|(width, _)| usize::from(width.0))
        };
        let width = args.width.or_else(terminal);
        Self {
            stdout: BufWriter::new(stdout.lock()),
            format: args.format,
            colour,
            width,
            csv: Csv {
                raw: args.raw,
                is_terminal,
            },
        }
    }

    /// How CSV is written.
    pub(crate) const fn csv_style(&self) -> Csv {
        self.csv
    }

    /// Whether a person reads it.
    pub(crate) fn is_human(&self) -> bool {
        self.format == Format::Table
    }

    /// How wide a bar may be.
    pub(crate) fn bar_width(&self) -> usize {
        self.width.map_or(20, |width| (width / 5).clamp(8, 24))
    }

    /// How wide a line may be, where there is a limit.
    pub(crate) const fn width(&self) -> Option<usize> {
        self.width
    }

    /// A line, without what is hidden in it.
    pub(crate) fn line(&mut self, line: &str) -> Result<()> {
        let line = painted(line, self.colour);
        Ok(writeln!(self.stdout, "{line}")?)
    }

    /// A line of JSON Lines.
    pub(crate) fn json_line(&mut self, value: &Value) -> Result<()> {
        Ok(writeln!(self.stdout, "{}", json(value))?)
    }

    /// Bytes as they are; says how many were taken.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stdout.write(bytes)
    }

    /// A heading, for people.
    pub(crate) fn heading(&mut self, text: &str) -> Result<()> {
        let text = self.bold(text);
        self.line(&text)
    }

    /// A remark, for people.
    pub(crate) fn remark(&mut self, text: &str) -> Result<()> {
        let text = self.dim(text);
        self.line(&text)
    }

    /// A remark that is left out where a program reads.
    pub(crate) fn aside(&mut self, text: &str) -> Result<()> {
        match self.format {
            Format::Table => self.remark(text),
            Format::Md => self.line(&format!("\n{text}")),
            _ => Ok(()),
        }
    }

    /// A table, in the format that was asked for.
    pub(crate) fn table(&mut self, table: &Table) -> Result<()> {
        match self.format {
            Format::Table => {
                let lines = table.draw(self.width);
                for (at, line) in lines.iter().enumerate() {
                    let line = if at == 0 {
                        self.dim(line)
                    } else {
                        line.clone()
                    };
                    self.line(&line)?;
                }
                Ok(())
            }
            Format::Json => {
                let rows = table.rows.iter().map(|row| table.object(row)).collect();
                self.json(&Value::Array(rows))
            }
            Format::Jsonl => {
                for row in &table.rows {
                    self.json_line(&table.object(row))?;
                }
                Ok(())
            }
            Format::Csv => self.csv(table),
            Format::Md => {
                for line in table.markdown() {
                    self.line(&line)?;
                }
                Ok(())
            }
        }
    }

    /// One thing, as a list of its names and values.
    pub(crate) fn record(&mut self, record: Record) -> Result<()> {
        match self.format {
            Format::Table => {
                let title = |(column, _): &(super::Column, _)| column.title.len();
                let wide = record.iter().map(title).max().unwrap_or(0);
                for (column, cell) in &record {
                    let name = self.dim(&format!("{:wide$}", column.title));
                    let value = column.kind.human(cell);
                    let value = match self.width {
                        Some(width) => cut(&value, width.saturating_sub(wide + 2).max(8)),
                        None => value,
                    };
                    self.line(format!("{name}  {value}").trim_end())?;
                }
                Ok(())
            }
            Format::Json | Format::Jsonl => {
                let pair = |(column, cell): (super::Column, Cell)| (column.name, cell.json());
                let object = Value::Object(record.into_iter().map(pair).collect::<Map<_, _>>());
                if self.format == Format::Json {
                    self.json(&object)
                } else {
                    self.json_line(&object)
                }
            }
            Format::Csv => {
                let (columns, row) = record.into_iter().unzip();
                self.csv(&Table {
                    columns,
                    rows: vec![row],
                })
            }
            Format::Md => {
                let columns = vec![
                    super::column("name", Kind::Text),
                    super::column("value", Kind::Text),
                ];
                let row = |(column, cell): (super::Column, Cell)| {
                    vec![column.title.into(), column.kind.human(&cell).into()]
                };
                self.table(&Table {
                    columns,
                    rows: record.into_iter().map(row).collect(),
                })
            }
        }
    }

    /// A JSON document, indented.
    pub(crate) fn json(&mut self, value: &Value) -> Result<()> {
        Ok(writeln!(self.stdout, "{}", indented_json(value))?)
    }

    /// Sends what was written on its way.
    pub(crate) fn flush(&mut self) -> Result<()> {
        Ok(self.stdout.flush()?)
    }

    pub(crate) fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn green(&self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn yellow(&self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(crate) fn red(&self, text: &str) -> String {
        self.paint("31", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("{PAINT}{code}m{text}{PAINT}0m")
        } else {
            text.to_owned()
        }
    }

    fn csv(&mut self, table: &Table) -> Result<()> {
        let names = table.columns.iter();
        let names: Vec<Cell> = names.map(|column| column.name.as_str().into()).collect();
        let rows = table.rows.iter().map(Vec::as_slice);
        let lines = std::iter::once(names.as_slice()).chain(rows);
        self.csv.lines(&mut self.stdout, lines)
    }
}

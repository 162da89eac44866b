//! Asking before something that cannot be undone.

use std::io::Write;

use super::printable::clean;
use crate::error::{Error, Result};

/// Asks a question that is answered with yes or no, and waits for the answer.
/// The question goes to standard error: standard output may be read by a program.
pub(crate) fn confirm(question: &str) -> Result<bool> {
    let mut terminal = std::io::stderr();
    write!(terminal, "{} [y/N] ", clean(question))?;
    terminal.flush()?;
    let mut answer = String::new();
    if std::io::stdin().read_line(&mut answer)? == 0 {
        writeln!(terminal)?;
        return Err(
            Error::new("nobody answered, so nothing was done").hint("--yes does it without asking")
        );
    }
    let answer = answer.trim().to_lowercase();
    Ok(answer == "y" || answer == "yes")
}

//! What the fuzz target `import` tries: a document or a database of OpenCode's, brought
//! into a database of clankers'.

use std::path::Path;

use clankers::model::copy_rank::CopyRank;

use super::exported::Exported;
use super::report::Summary;
use super::run::import;
use super::source::Source;
use super::sqlite::Database;
use super::stored::Stored;
use crate::error::Result;
use crate::paths::Paths;
use crate::recorded::Recorded;
use crate::store::open_writer;

/// What came of an import.
#[derive(Debug, Default)]
pub struct Imported {
    /// How many sessions were brought in.
    pub sessions: usize,
    /// What could not be read.
    pub unreadable: Vec<String>,
    /// Why nothing could be read.
    pub refused: Vec<String>,
}

/// A database of clankers' that is open to import into.
pub struct Importer {
    stored: Stored,
    settings: Recorded,
}

impl Importer {
    /// Opens the file `db` in this folder.
    ///
    /// # Errors
    ///
    /// Says why it cannot be opened.
    pub fn open(folder: &Path, db: &str) -> std::result::Result<Self, String> {
        let paths = Paths {
            data: folder.to_owned(),
            db: folder.join(db),
            socket: folder.join("socket"),
            in_own_folder: false,
        };
        let writer = open_writer(&paths).map_err(|error| error.to_string())?;
        Ok(Self {
            stored: Stored::Written(writer),
            settings: Recorded {
                recorded: clankers::Recorded::default(),
                problems: Vec::new(),
            },
        })
    }

    /// Imports what `opencode export` wrote.
    pub fn document(&mut self, document: &[u8]) -> Imported {
        let mut document = document;
        let rank = CopyRank::of_export(1.0);
        let exported = Exported::read("the document", rank, &mut document);
        self.import(exported.map(|exported| [exported]))
    }

    /// Imports OpenCode's database.
    pub fn database(&mut self, path: &Path) -> Imported {
        self.import(Database::open(path))
    }

    fn import<S: Source + 'static>(
        &mut self,
        sources: Result<impl IntoIterator<Item = S>>,
    ) -> Imported {
        let mut summary = Summary::default();
        let done = sources.and_then(|sources| {
            sources.into_iter().try_for_each(|source| {
                let source = Box::new(source);
                import(
                    source,
                    &mut self.stored,
                    &self.settings,
                    false,
                    &mut summary,
                )
            })
        });
        summary.refused.extend(done.err());
        let refused = summary.refused.iter();
        Imported {
            sessions: summary.brought,
            refused: refused.map(|error| error.what().to_owned()).collect(),
            unreadable: summary.unreadable,
        }
    }
}

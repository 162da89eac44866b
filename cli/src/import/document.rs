//! Reading JSON documents: in any encoding that a shell gives them, with what
//! JavaScript writes and others refuse, from what may be no file at all.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde::de::{DeserializeOwned, Deserializer as _, IgnoredAny};
use serde_json::Deserializer;

use super::mend::mended;
use crate::error::{Context, Error, Result};
use crate::paths::shown;

/// How much is read before it must look like JSON, bytes.
const FIRST_PIECE: u64 = 1 << 20;
/// The longest text that is read, bytes. It is held in memory.
const LONGEST: u64 = 1 << 30;

/// The JSON document in a text.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|_| {
        let mended = mended(text);
        let mut reader = Deserializer::from_str(&mended);
        reader.disable_recursion_limit();
        let document = T::deserialize(&mut reader)?;
        reader.end()?;
        Ok(document)
    })
}

/// The text of a file. What is no file is not opened: a pipe or a device may
/// never answer, or never end.
pub(super) fn read_file(path: &Path) -> Result<String> {
    check_is_file(path)?;
    let what = || format!("cannot read {}", shown(path));
    fs::read(path).map(decoded).context(what)
}

/// Fails where a path names no regular file.
pub(super) fn check_is_file(path: &Path) -> Result<()> {
    let what = || format!("cannot read {}", shown(path));
    let kind = fs::metadata(path).context(what)?.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let text = format!("{} is {}, no file", shown(path), name_of(kind));
    Err(Error::new(text)
        .hint("what a program writes is read so: program | clankers import --from -"))
}

#[cfg(unix)]
fn name_of(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn name_of(kind: fs::FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else {
        "a device"
    }
}

/// The text of an export, from its first `{` on: some releases print what they are
/// doing before it. It may come from a program that never ends.
pub(super) fn read_export(name: &str, from: &mut dyn Read) -> Result<String> {
    let what = || format!("cannot read {name}");
    let mut bytes = Vec::new();
    from.take(FIRST_PIECE)
        .read_to_end(&mut bytes)
        .context(what)?;
    if !is_begin_of_json(&decoded(bytes.clone())) {
        return Err(no_export(name, "it holds no JSON object"));
    }
    from.take(LONGEST - FIRST_PIECE)
        .read_to_end(&mut bytes)
        .context(what)?;
    if bytes.len() as u64 == LONGEST {
        return Err(no_export(name, "it is longer than a gigabyte"));
    }
    let text = decoded(bytes);
    let at = text.find('{').unwrap_or_default();
    Ok(text.get(at..).unwrap_or_default().to_owned())
}

/// Says why something is no export.
pub(super) fn no_export(name: &str, why: &str) -> Error {
    Error::new(format!("{name} is no export of OpenCode: {why}")).hint(
        "make one with: opencode export SESSION > session.json (2.x: opencode session export)",
    )
}

/// Opens a file that is to be read as an export.
pub(super) fn open_file(path: &Path) -> Result<File> {
    check_is_file(path)?;
    File::open(path).context(|| format!("cannot read {}", shown(path)))
}

/// Whether a text goes on as a JSON object from its first `{` on, as far as it is
/// there.
fn is_begin_of_json(text: &str) -> bool {
    let Some(json) = text.find('{').and_then(|at| text.get(at..)) else {
        return false;
    };
    let mut reader = Deserializer::from_str(json);
    match reader.deserialize_ignored_any(IgnoredAny) {
        Ok(_) => true,
        Err(error) => error.is_eof(),
    }
}

/// What bytes say: UTF-8, or UTF-16 with its mark, as `>` of `PowerShell` writes it.
/// What is no character becomes U+FFFD.
fn decoded(bytes: Vec<u8>) -> String {
    match bytes.as_slice() {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes).unwrap_or_else(|error| {
            let lossy = String::from_utf8_lossy(error.as_bytes());
            lossy.into_owned()
        }),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks();
    let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
    String::from_utf16_lossy(&units)
}

//! A configuration is edited in place: comments and layout are kept, and so is
//! a copy of what it was.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstNode, CstRootNode};

use crate::error::{Context, Error, Result};
use crate::output::Out;
use crate::paths::shown;
use crate::store::{beside, make_way, private_file};

/// The lists in which the plugin may be named.
const LISTS: [&str; 2] = ["plugin", "plugins"];

/// The text of a configuration.
pub(super) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).context(|| format!("cannot read {}", shown(path)))
}

/// Replaces the file in one step, and keeps a copy of the old one beside it.
pub(super) fn write(path: &Path, text: &str, out: &mut Out) -> Result<()> {
    let what = || format!("cannot write {}", shown(path));
    // Of a symbolic link the target is replaced, so that it stays a link.
    let path = &fs::canonicalize(path).context(what)?;
    let backup = beside(path, ".before-clankers");
    let before = fs::read(path).context(what)?;
    write_like(path, &backup, &before).context(what)?;
    out.remark(&format!("what it was is in {}", shown(&backup)))?;
    let temporary = beside(path, ".new");
    write_like(path, &temporary, text.as_bytes()).context(what)?;
    fs::rename(&temporary, path).context(what)
}

/// Writes another file with the permissions of `path`, and never with wider ones: a
/// configuration may hold a password.
fn write_like(path: &Path, other: &Path, bytes: &[u8]) -> io::Result<()> {
    make_way(other)?;
    let mut file = private_file(OpenOptions::new().write(true).create_new(true), other)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::set_permissions(other, fs::metadata(path)?.permissions())
}

/// The configuration without the entries that name what is `ours`.
pub(super) fn without(text: &str, is_ours: &dyn Fn(&str) -> bool) -> Result<String> {
    let root = CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| {
        Error::new(error.to_string()).hint("repair it first: OpenCode cannot read it either")
    })?;
    let lists = LISTS.map(|name| root.object_value()?.array_value(name));
    for entry in lists.iter().flatten().flat_map(CstArray::elements) {
        if spec_in(&entry).is_some_and(|spec| is_ours(&spec)) {
            entry.remove();
        }
    }
    let mut text = root.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// What an entry names, in each of its forms.
fn spec_in(entry: &CstNode) -> Option<String> {
    let name = if let Some(with_options) = entry.as_array() {
        with_options.elements().into_iter().next()?
    } else if let Some(object) = entry.as_object() {
        object.get("package")?.value()?
    } else {
        entry.clone()
    };
    name.as_string_lit()?.decoded_value().ok()
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn entries_go_in_every_form_and_the_rest_stays() {
        let is_ours = |spec: &str| spec == "/opt/clankers";
        let text = "{\n\t// my model\n\t\"model\": \"a/b\", /* fast */\n\t\"plugin\": [\n\t\t\"other\", // mine\n\t\t\"/opt/clankers\",\n\t],\n\t\"plugins\": [{ \"package\": \"/opt/clankers\", \"options\": { \"a\": 1 } }, [\"/opt/clankers\", {}], { \"package\": \"x\" }]\n}\n";
        assert_eq!(
            without(text, &is_ours).unwrap(),
            "{\n\t// my model\n\t\"model\": \"a/b\", /* fast */\n\t\"plugin\": [\n\t\t\"other\", // mine\n\t],\n\t\"plugins\": [ { \"package\": \"x\" }]\n}\n"
        );
    }

    #[test]
    fn what_is_no_configuration_is_left_alone() {
        let is_ours = |_: &str| true;
        assert_eq!(without("[]\n", &is_ours).unwrap(), "[]\n");
        assert_eq!(
            without("{ \"plugin\": \"x\" }\n", &is_ours).unwrap(),
            "{ \"plugin\": \"x\" }\n"
        );
        assert!(without("{ broken", &is_ours).is_err());
    }
}

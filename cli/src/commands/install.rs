//! `clankers install` and `uninstall`: the plugin in OpenCode's configuration,
//! which is edited in place: comments and layout are kept, and so is a backup.

use std::fs;
use std::path::{Path, PathBuf};

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstNode, CstRootNode};

use crate::error::{Context, Error, Result};
use crate::opencode::config::{self, ConfigFile, Entry, Scope, is_ours, spec_of};
use crate::output::Out;
use crate::paths::shown;

/// Add the plugin to OpenCode's configuration
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only for the project in this folder
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = ".")]
    project: Option<PathBuf>,
    /// The plugin: a file, or a package's name; otherwise the one beside this program, else the package
    #[arg(long, value_name = "PLUGIN")]
    plugin: Option<String>,
    /// Say what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Remove the plugin from OpenCode's configuration; what was recorded stays
#[derive(Debug, clap::Args)]
pub(crate) struct UninstallArgs {
    /// Only from the project in this folder
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = ".")]
    project: Option<PathBuf>,
    /// Say what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Adds the plugin to the configuration.
pub(crate) fn run(args: &Args, out: &mut Out) -> Result<()> {
    let spec = match &args.plugin {
        Some(plugin) => entry_for(plugin)?,
        None => default_plugin()?,
    };
    let folder = match &args.project {
        Some(project) => std::path::absolute(project)?,
        None => config::global_folder()?,
    };
    let path = config_in(&folder);
    let text = read(&path)?;
    let (edited, previous) =
        with_plugin(&text, &spec).context(|| format!("cannot edit {}", shown(&path)))?;
    match previous {
        Previous::Same => {
            return out.line(&format!(
                "`{spec}` is installed already in {}",
                shown(&path)
            ));
        }
        Previous::Other(old) => out.line(&format!("replaces `{old}`"))?,
        Previous::Nothing => {}
    }
    let verb = if args.dry_run { "would add" } else { "added" };
    if !args.dry_run {
        write(&path, &text, &edited, out)?;
    }
    out.line(&format!("{verb} `{spec}` to {}", shown(&path)))?;
    out.remark("it is loaded when OpenCode starts next; `clankers doctor` checks that it can be")
}

/// Removes the plugin from the configuration, and its file from plugin folders.
pub(crate) fn uninstall(args: &UninstallArgs, out: &mut Out) -> Result<()> {
    let (scope, project) = match &args.project {
        Some(project) => (Scope::Project, std::path::absolute(project)?),
        None => (Scope::Global, std::env::current_dir()?),
    };
    let verb = if args.dry_run {
        "would remove"
    } else {
        "removed"
    };
    let mut removed = 0;
    for ConfigFile { path, plugins, .. } in config::files(&project)?
        .into_iter()
        .filter(|file| file.scope == scope)
    {
        if !plugins.iter().flatten().filter_map(spec_of).any(is_ours) {
            continue;
        }
        let text = read(&path)?;
        let (edited, specs) =
            without_plugin(&text).context(|| format!("cannot edit {}", shown(&path)))?;
        if !args.dry_run {
            write(&path, &text, &edited, out)?;
        }
        for spec in specs {
            out.line(&format!("{verb} `{spec}` from {}", shown(&path)))?;
            removed += 1;
        }
    }
    for Entry { at, .. } in config::entries(&project)?
        .into_iter()
        .filter(|entry| entry.scope == scope && entry.spec.is_none())
    {
        if !args.dry_run {
            fs::remove_file(&at).context(|| format!("cannot remove {}", shown(&at)))?;
        }
        out.line(&format!("{verb} {}", shown(&at)))?;
        removed += 1;
    }
    if removed == 0 {
        return out.line("the plugin is not installed here");
    }
    out.remark("what was recorded is still there")
}

/// The entry for the plugin that was given: a file's address, or a package's name.
fn entry_for(plugin: &str) -> Result<String> {
    if plugin.starts_with("file://") {
        return Ok(plugin.to_owned());
    }
    let path = Path::new(plugin);
    if path.is_dir() {
        return config::address(&path.join("dist/index.js"));
    }
    if path.is_file() {
        return config::address(path);
    }
    if plugin.contains(['/', '\\']) && !plugin.starts_with('@') {
        return Err(Error::new(format!("there is no plugin at {plugin}"))
            .hint("build it with `make build`; it is in plugin-shim/dist/"));
    }
    Ok(plugin.to_owned())
}

/// The plugin that was built or packaged with this program, else the npm package.
fn default_plugin() -> Result<String> {
    let program = std::env::current_exe().and_then(fs::canonicalize)?;
    let paths = [
        "plugin-shim/dist/index.js",
        "share/clankers/plugin/dist/index.js",
    ];
    let beside = program
        .ancestors()
        .skip(1)
        .flat_map(|folder| paths.map(|path| folder.join(path)))
        .find(|path| path.is_file());
    match beside {
        Some(path) => config::address(&path),
        None => Ok(config::PACKAGE.to_owned()),
    }
}

/// The file to edit: the one there is, or the one that OpenCode would create.
fn config_in(folder: &Path) -> PathBuf {
    let names = ["opencode.jsonc", "opencode.json", "config.json"];
    let there = names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file());
    there.unwrap_or_else(|| folder.join("opencode.json"))
}

fn read(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).context(|| format!("cannot read {}", shown(path))),
    }
}

/// Replaces the file in one step, and keeps a copy of the old one beside it.
fn write(path: &Path, before: &str, after: &str, out: &mut Out) -> Result<()> {
    let what = || format!("cannot write {}", shown(path));
    // Of a symbolic link the target is replaced, so that it stays a link.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).context(what)?;
    }
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    if !before.is_empty() {
        let backup = beside(".before-clankers");
        fs::copy(path, &backup).context(what)?;
        out.remark(&format!("what it was is in {}", shown(&backup)))?;
    }
    let temporary = beside(".new");
    fs::write(&temporary, after).context(what)?;
    if let Ok(found) = fs::metadata(path) {
        fs::set_permissions(&temporary, found.permissions()).context(what)?;
    }
    fs::rename(&temporary, path).context(what)
}

/// What the list named before.
#[derive(Debug, PartialEq, Eq)]
enum Previous {
    Nothing,
    Same,
    /// Another copy of the plugin, which this one replaces.
    Other(String),
}

/// The configuration with the plugin in its list.
fn with_plugin(text: &str, spec: &str) -> Result<(String, Previous)> {
    let root = parse(text)?;
    let object = root
        .object_value_or_create()
        .ok_or_else(|| Error::new("it is not an object"))?;
    if text.trim().is_empty() {
        object.append(
            "$schema",
            CstInputValue::String("https://opencode.ai/config.json".to_owned()),
        );
    }
    let list = object
        .array_value_or_create("plugin")
        .ok_or_else(|| Error::new("`plugin` is not a list"))?;
    let mut previous = Previous::Nothing;
    for entry in list.elements() {
        let Some(old) = spec_in(&entry).filter(|old| is_ours(old)) else {
            continue;
        };
        if old == spec && previous == Previous::Nothing {
            return Ok((text.to_owned(), Previous::Same));
        }
        // The options of an entry are kept.
        match entry
            .as_array()
            .and_then(|with_options| with_options.elements().into_iter().next())
        {
            Some(name) if previous == Previous::Nothing => replace(&name, spec)?,
            _ if previous == Previous::Nothing => replace(&entry, spec)?,
            _ => entry.remove(),
        }
        if previous == Previous::Nothing {
            previous = Previous::Other(old);
        }
    }
    if previous == Previous::Nothing {
        list.append(CstInputValue::String(spec.to_owned()));
    }
    Ok((with_newline(&root), previous))
}

/// The configuration without the plugin, and what was named there.
fn without_plugin(text: &str) -> Result<(String, Vec<String>)> {
    let root = parse(text)?;
    let list = root
        .object_value()
        .and_then(|object| object.array_value("plugin"));
    let mut specs = Vec::new();
    if let Some(list) = list {
        for entry in list.elements() {
            if let Some(spec) = spec_in(&entry).filter(|spec| is_ours(spec)) {
                specs.push(spec);
                entry.remove();
            }
        }
    }
    Ok((with_newline(&root), specs))
}

fn parse(text: &str) -> Result<CstRootNode> {
    CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| {
        Error::new(error.to_string()).hint("repair it first: OpenCode cannot read it either")
    })
}

fn spec_in(entry: &CstNode) -> Option<String> {
    let name = match entry.as_array() {
        Some(with_options) => with_options.elements().into_iter().next()?,
        None => entry.clone(),
    };
    name.as_string_lit()?.decoded_value().ok()
}

fn replace(entry: &CstNode, spec: &str) -> Result<()> {
    let literal = entry
        .as_string_lit()
        .ok_or_else(|| Error::new("an entry of `plugin` is no text"))?;
    literal.set_raw_value(serde_json::to_string(spec)?);
    Ok(())
}

fn with_newline(root: &CstRootNode) -> String {
    let mut text = root.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Previous, with_plugin, without_plugin};

    const SPEC: &str = "file:///opt/clankers/plugin-shim/dist/index.js";

    #[test]
    fn an_empty_configuration_is_begun() {
        let (text, previous) = with_plugin("", SPEC).unwrap();
        assert_eq!(previous, Previous::Nothing);
        assert_eq!(
            text,
            format!(
                "{{\n  \"$schema\": \"https://opencode.ai/config.json\",\n  \"plugin\": [\"{SPEC}\"]\n}}\n"
            )
        );
    }

    #[test]
    fn comments_and_layout_stay() {
        let text = "{\n\t// my model\n\t\"model\": \"a/b\", /* fast */\n\t\"plugin\": [\n\t\t\"other\", // mine\n\t],\n}\n";
        let (with, previous) = with_plugin(text, SPEC).unwrap();
        assert_eq!(previous, Previous::Nothing);
        assert_eq!(
            with,
            format!(
                "{{\n\t// my model\n\t\"model\": \"a/b\", /* fast */\n\t\"plugin\": [\n\t\t\"other\", // mine\n\t\t\"{SPEC}\",\n\t],\n}}\n"
            )
        );
        let (without, specs) = without_plugin(&with).unwrap();
        assert_eq!(specs, [SPEC]);
        assert_eq!(without, text);
    }

    #[test]
    fn it_is_added_once_and_an_older_copy_is_replaced_with_its_options() {
        let (text, _) = with_plugin("{}", SPEC).unwrap();
        assert_eq!(
            with_plugin(&text, SPEC).unwrap(),
            (text.clone(), Previous::Same)
        );
        let old = "{ \"plugin\": [[\"opencode-clankers@0.0.1\", { \"onDelete\": \"keep\" }], \"opencode-clankers\"] }\n";
        let (text, previous) = with_plugin(old, SPEC).unwrap();
        assert_eq!(
            previous,
            Previous::Other("opencode-clankers@0.0.1".to_owned())
        );
        assert_eq!(
            text,
            format!("{{ \"plugin\": [[\"{SPEC}\", {{ \"onDelete\": \"keep\" }}]] }}\n")
        );
    }

    #[test]
    fn what_is_no_configuration_is_left_alone() {
        assert!(with_plugin("[]", SPEC).is_err());
        assert!(with_plugin("{ \"plugin\": \"x\" }", SPEC).is_err());
        assert!(with_plugin("{ broken", SPEC).is_err());
    }
}

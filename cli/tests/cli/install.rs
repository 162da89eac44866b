//! `clankers install` and `uninstall`: what is placed where, and what is left alone.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::home::{Home, mode};
use crate::support::recording;

const FILE: &str = ".config/opencode/plugin/clankers.js";
const FOLDER: &str = ".config/opencode/plugin/clankers";
const SERVER: &str = ".config/opencode/plugin/clankers/server.js";
const SCREEN: &str = ".config/opencode/plugin/clankers/tui.js";
const KILO: &str = ".config/kilo/plugin/clankers.js";
const CONFIG: &str = ".config/opencode/opencode.json";

/// Runs `install` with a plugin of this version.
fn install(home: &Home, version: &str, more: &[&str]) -> String {
    let dist = home.built_plugin(version);
    let plugin = ["install", "--plugin", dist.to_str().unwrap()];
    home.stdout(&[&plugin, more].concat())
}

fn text(home: &Home, path: &str) -> String {
    fs::read_to_string(home.path(path)).unwrap()
}

/// The names in a folder.
fn names(home: &Home, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(home.path(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn both_forms_are_placed_once_and_brought_up_to_date() {
    let home = Home::new();
    home.write(".config/opencode/plugin/mine.js", "mine");
    let said = install(&home, "0.1.0", &[]);
    assert!(
        said.contains(&format!("OpenCode 1.x: placed ~/{FILE}")),
        "{said}"
    );
    assert!(
        said.contains(&format!("OpenCode 2.x: placed ~/{SERVER}")),
        "{said}"
    );
    assert!(text(&home, FILE).contains("a function for OpenCode 1.x"));
    assert!(text(&home, SERVER).contains("an object for OpenCode 2.x"));
    let placed = names(&home, ".config/opencode/plugin");
    assert_eq!(placed, ["clankers", "clankers.js", "mine.js"]);
    assert_eq!(
        names(&home, ".config/opencode"),
        ["plugin"],
        "1.0 does not start with `plugins`"
    );
    assert!(!home.path(".config/kilo").exists(), "Kilo is not here");

    let written = || fs::metadata(home.path(FILE)).unwrap().modified().unwrap();
    let before = written();
    let said = install(&home, "0.1.0", &[]);
    assert!(
        said.contains(&format!("OpenCode 1.x: ~/{FILE} is there already")),
        "{said}"
    );
    assert_eq!(written(), before);

    let said = install(&home, "0.2.0", &[]);
    assert!(
        said.contains(&format!("updated ~/{SERVER} from 0.1.0 to 0.2.0")),
        "{said}"
    );
    assert!(text(&home, FILE).contains("0.2.0") && text(&home, SERVER).contains("0.2.0"));
    assert_eq!(
        names(&home, ".config/opencode/plugin"),
        ["clankers", "clankers.js", "mine.js"]
    );
    assert_eq!(text(&home, ".config/opencode/plugin/mine.js"), "mine");
}

#[test]
fn where_all_that_is_here_is_2_x_its_screen_has_nothing_to_complain_of() {
    let home = Home::new();
    home.program("bin/opencode", "opencode v2.0.15");
    let said = install(&home, "0.1.0", &[]);
    assert!(
        said.contains("OpenCode 1.x: none is here") && said.contains("--all-releases"),
        "{said}"
    );
    assert_eq!(names(&home, ".config/opencode/plugin"), ["clankers"]);
    // Elsewhere there may be one all the same, and what is there is kept up to date.
    install(&home, "0.1.0", &["--all-releases"]);
    let placed = names(&home, ".config/opencode/plugin");
    assert_eq!(placed, ["clankers", "clankers.js"]);
    let said = install(&home, "0.2.0", &[]);
    assert!(said.contains("a plugin that failed: remove it"), "{said}");
    assert!(text(&home, FILE).contains("0.2.0"));
    // A project may be others' as well.
    let project = home.path("work");
    fs::create_dir_all(&project).unwrap();
    install(&home, "0.1.0", &["--project", project.to_str().unwrap()]);
    assert_eq!(
        names(&home, "work/.opencode/plugin"),
        ["clankers", "clankers.js"]
    );
    // Another that is 1.x, or does not say what it is, reads the file.
    for other in ["1.18.34", "what is this"] {
        let home = Home::new();
        home.program("bin/opencode", "opencode v2.0.15");
        home.program(".opencode/bin/opencode", other);
        let said = install(&home, "0.1.0", &[]);
        assert!(!said.contains("failed"), "{said}");
        assert!(home.path(FILE).exists(), "{other}: {said}");
    }
}

#[test]
fn uninstall_takes_out_what_was_placed_and_keeps_the_rest() {
    let home = Home::with_recordings(&["1.3.2/run.jsonl"]);
    let before = recording::dump(&home.open());
    home.write(".config/opencode/plugin/mine.js", "mine");
    home.write(".config/opencode/plugin/clankers/notes.txt", "notes");
    install(&home, "0.1.0", &[]);
    let dry = home.stdout(&["uninstall", "--dry-run"]);
    assert!(dry.contains(&format!("would remove ~/{FILE}")), "{dry}");
    assert!(home.path(FILE).exists() && home.path(SERVER).exists());
    let said = home.stdout(&["uninstall"]);
    assert!(said.contains(&format!("removed ~/{FILE}")), "{said}");
    assert!(
        said.contains(&format!("removed ~/{SERVER}; other files keep its folder")),
        "{said}"
    );
    assert!(said.contains("what was recorded is still there"), "{said}");
    assert_eq!(
        names(&home, ".config/opencode/plugin"),
        ["clankers", "mine.js"]
    );
    assert_eq!(names(&home, FOLDER), ["notes.txt"]);
    assert!(
        home.stdout(&["uninstall"])
            .contains("there is nothing of the plugin here")
    );
    assert_eq!(recording::dump(&home.open()), before);

    let other = Home::new();
    install(&other, "0.1.0", &[]);
    for file in [FILE, SERVER, SCREEN] {
        other.write(&format!("{file}.new"), "half of a plu");
    }
    other.stdout(&["uninstall"]);
    assert!(
        !other.path(".config/opencode/plugin").exists(),
        "it was made by `install`"
    );
}

#[test]
fn the_part_for_the_screen_is_placed_beside_the_object_and_kept_up_to_date() {
    let home = Home::new();
    install(&home, "0.1.0", &[]);
    let placed = text(&home, SCREEN);
    assert!(placed.contains("the part for the screen"), "{placed}");
    // As an install from before there was one has left it.
    fs::remove_file(home.path(SCREEN)).unwrap();
    install(&home, "0.1.0", &[]);
    assert_eq!(text(&home, SCREEN), placed);
    install(&home, "0.2.0", &[]);
    assert!(text(&home, SCREEN).contains("0.2.0"));
}

#[test]
fn what_is_somebody_elses_is_left_alone() {
    for (path, in_the_way) in [
        (FILE, FILE),
        (SERVER, FOLDER),
        (".config/opencode/plugin/clankers/index.ts", FOLDER),
        (SCREEN, FOLDER),
    ] {
        let home = Home::new();
        home.write(path, "export default async () => ({});\n");
        let dist = home.built_plugin("0.1.0");
        let error = home.stderr(&["install", "--plugin", dist.to_str().unwrap()]);
        assert!(
            error.contains(&format!("~/{in_the_way} is not clankers'")),
            "{error}"
        );
        assert_eq!(text(&home, path), "export default async () => ({});\n");
        let placed = [FILE, SERVER]
            .iter()
            .filter(|path| home.path(path).exists());
        assert!(placed.count() <= 1, "nothing is done by halves");
        assert!(
            home.stdout(&["uninstall"])
                .contains("there is nothing of the plugin here")
        );
        assert!(home.path(path).exists());
    }
}

#[test]
fn a_link_to_the_plugin_is_left_and_taken_out_as_a_link() {
    let home = Home::new();
    let dist = home.built_plugin("0.1.0");
    fs::create_dir_all(home.path(".config/opencode/plugin")).unwrap();
    symlink(dist.join("clankers.js"), home.path(FILE)).unwrap();
    symlink(dist.join("clankers"), home.path(FOLDER)).unwrap();
    let newer = Home::new().built_plugin("0.2.0");
    // The other home is gone by now: its plugin cannot be read.
    let error = home.stderr(&["install", "--plugin", newer.to_str().unwrap()]);
    assert!(error.contains("holds no built plugin"), "{error}");
    home.write(
        "newer/clankers.js",
        "// opencode-clankers 0.2.0, a function for OpenCode 1.x\n",
    );
    home.write(
        "newer/clankers/server.js",
        "// opencode-clankers 0.2.0, an object for OpenCode 2.x\n",
    );
    home.write(
        "newer/clankers/tui.js",
        "// opencode-clankers 0.2.0, the part for the screen of OpenCode 2.x\n",
    );
    let said = home.stdout(&["install", "--plugin", "newer"]);
    assert!(
        said.contains(&format!("~/{FILE} is a link to clankers already")),
        "{said}"
    );
    assert!(
        said.contains(&format!("~/{SERVER} is a link to clankers already")),
        "{said}"
    );
    home.stdout(&["uninstall"]);
    assert!(!home.path(".config/opencode/plugin").exists());
    assert!(dist.join("clankers.js").exists() && dist.join("clankers/server.js").exists());
}

#[test]
fn kilo_gets_its_own_file_where_it_is_here() {
    let home = Home::new();
    home.program("bin/kilo", "7.7.9");
    let said = install(&home, "0.1.0", &[]);
    assert!(said.contains(&format!("Kilo: placed ~/{KILO}")), "{said}");
    assert!(
        !home.path(".config/opencode").exists(),
        "OpenCode is not here"
    );
    home.program("bin/opencode", "1.18.34");
    let said = install(&home, "0.1.0", &[]);
    assert!(
        said.contains(&format!("Kilo: ~/{KILO} is there already")),
        "{said}"
    );
    assert!(home.path(FILE).exists() && home.path(SERVER).exists());
    home.stdout(&["uninstall"]);
    for path in [KILO, FILE, SERVER] {
        assert!(!home.path(path).exists(), "{path}");
    }

    let by_folder = Home::new();
    fs::create_dir_all(by_folder.path(".config/kilo")).unwrap();
    assert!(install(&by_folder, "0.1.0", &[]).contains("Kilo: placed"));
}

#[test]
fn one_project_is_served_without_the_others() {
    let home = Home::new();
    home.program("bin/opencode", "1.18.34");
    fs::create_dir_all(home.path("project/.git")).unwrap();
    fs::create_dir_all(home.path("project/.kilo")).unwrap();
    let dry = install(&home, "0.1.0", &["--project", "project", "--dry-run"]);
    assert!(
        dry.contains("would place ~/project/.opencode/plugin/clankers.js"),
        "{dry}"
    );
    assert!(!home.path("project/.opencode").exists());
    install(&home, "0.1.0", &["--project", "project"]);
    let placed = names(&home, "project/.opencode/plugin");
    assert_eq!(placed, ["clankers", "clankers.js"]);
    assert_eq!(names(&home, "project/.kilo/plugin"), ["clankers.js"]);
    assert!(!home.path(".config").exists());
    assert!(home.stdout(&["uninstall"]).contains("there is nothing"));
    let said = home.stdout(&["uninstall", "--project", "project"]);
    assert!(
        said.contains("removed ~/project/.opencode/plugin/clankers"),
        "{said}"
    );
    assert!(!home.path("project/.opencode/plugin").exists());
    assert!(!home.path("project/.kilo/plugin").exists());
}

#[test]
fn what_a_configuration_leads_to_is_not_placed_again() {
    let home = Home::new();
    let dist = home.built_plugin("0.1.0");
    // The name says nothing: it is known by what it leads to.
    symlink(&dist, home.path("anything")).unwrap();
    let anything = home.path("anything");
    home.write(CONFIG, &format!("{{ \"plugin\": [{anything:?}] }}"));
    let said = install(&home, "0.2.0", &[]);
    let already = format!(
        "OpenCode 1.x: `{}` in ~/{CONFIG} leads to clankers already",
        anything.display()
    );
    assert!(said.contains(&already), "{said}");
    assert!(said.contains("OpenCode 2.x: `"), "{said}");
    assert!(!home.path(".config/opencode/plugin").exists());

    // A file serves 1.x only, an object only 2.x.
    home.write(
        CONFIG,
        &format!(
            "{{ \"plugin\": [\"file://{}\"] }}",
            dist.join("index.js").display()
        ),
    );
    let said = install(&home, "0.1.0", &["--dry-run"]);
    assert!(said.contains("OpenCode 1.x: `file://"), "{said}");
    assert!(said.contains("OpenCode 2.x: would place"), "{said}");
    home.write(
        CONFIG,
        &format!("{{ \"plugins\": [{{ \"package\": {dist:?}, \"options\": {{}} }}] }}"),
    );
    let said = install(&home, "0.1.0", &["--dry-run"]);
    assert!(said.contains("OpenCode 1.x: would place"), "{said}");
    assert!(said.contains("OpenCode 2.x: `"), "{said}");

    // 1.x does not read a list that another file hides, nor up to 1.3 one with options.
    home.write(CONFIG, "{ \"plugin\": [\"opencode-clankers\"] }");
    home.write(".config/opencode/opencode.jsonc", "{ \"plugin\": [] }");
    home.program(".opencode/bin/opencode", "1.14.48");
    let said = install(&home, "0.1.0", &["--dry-run"]);
    assert!(said.contains("OpenCode 1.x: would place"), "{said}");
    assert!(
        said.contains("OpenCode 2.x: `opencode-clankers` in"),
        "{said}"
    );
    fs::remove_file(home.path(".config/opencode/opencode.jsonc")).unwrap();
    home.program(".opencode/bin/opencode", "1.18.34");
    home.write(
        CONFIG,
        "{ \"plugin\": [[\"opencode-clankers\", { \"onDelete\": \"keep\" }]] }",
    );
    assert!(install(&home, "0.1.0", &["--dry-run"]).contains("OpenCode 1.x: `opencode-clankers`"));
    home.program(".opencode/bin/opencode", "1.3.2");
    assert!(install(&home, "0.1.0", &["--dry-run"]).contains("OpenCode 1.x: would place"));
}

#[test]
fn uninstall_takes_entries_out_of_every_list_and_keeps_a_copy() {
    let home = Home::new();
    let dist = home.built_plugin("0.1.0");
    let before = format!(
        "{{\n  // mine\n  \"model\": \"a/b\",\n  \"plugin\": [\"other\", \"file://{}\", [\"opencode-clankers@0.0.1\", {{ \"onDelete\": \"keep\" }}]],\n  \"plugins\": [{{ \"package\": {dist:?}, \"options\": {{}} }}, \"file:///gone/plugin-shim/dist/index.js\"]\n}}\n",
        dist.join("index.js").display()
    );
    home.write(CONFIG, &before);
    let kilo = home.write(
        ".config/kilo/kilo.jsonc",
        &format!("{{ \"plugin\": [{dist:?}] }}\n"),
    );
    let copy = home.path(".config/opencode/plugins/another.js");
    home.write(
        ".config/opencode/plugins/another.js",
        "// opencode-clankers 0.0.9, a function for OpenCode 1.x\n",
    );
    let said = home.stdout(&["uninstall"]);
    assert!(
        said.contains(&format!(
            "removed `opencode-clankers@0.0.1` from ~/{CONFIG}"
        )),
        "{said}"
    );
    assert!(
        said.contains("removed `file:///gone/plugin-shim/dist/index.js`"),
        "{said}"
    );
    assert_eq!(
        text(&home, CONFIG),
        "{\n  // mine\n  \"model\": \"a/b\",\n  \"plugin\": [\"other\"],\n  \"plugins\": []\n}\n"
    );
    assert_eq!(
        text(&home, ".config/opencode/opencode.json.before-clankers"),
        before
    );
    assert_eq!(fs::read_to_string(kilo).unwrap(), "{ \"plugin\": [] }\n");
    assert!(!copy.exists(), "a built copy is clankers' under any name");
    assert!(dist.join("index.js").exists());
}

#[test]
fn nothing_is_written_through_a_link_that_a_project_brings() {
    let home = Home::new();
    home.program("bin/opencode", "1.18.34");
    let mine = home.write("mine.txt", "mine");
    let link = |below: &str| symlink(&mine, home.path("project").join(below)).unwrap();
    fs::create_dir_all(home.path("project/.opencode/plugin/clankers")).unwrap();
    for file in ["clankers.js", "clankers/server.js", "clankers/tui.js"] {
        link(&format!(".opencode/plugin/{file}.new"));
    }
    install(&home, "0.1.0", &["--project", "project"]);
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
    assert!(text(&home, "project/.opencode/plugin/clankers.js").contains("0.1.0"));

    let config = "{ \"plugin\": [\"opencode-clankers\"] }\n";
    home.write("project/opencode.json", config);
    link("opencode.json.new");
    link("opencode.json.before-clankers");
    home.stdout(&["uninstall", "--project", "project"]);
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
    assert_eq!(text(&home, "project/opencode.json"), "{ \"plugin\": [] }\n");
    assert_eq!(text(&home, "project/opencode.json.before-clankers"), config);
}

#[test]
fn a_configuration_and_its_copy_keep_its_mode() {
    for wanted in [0o600, 0o640] {
        let home = Home::new();
        let config = home.write(CONFIG, "{ \"plugin\": [\"opencode-clankers\"] }\n");
        fs::set_permissions(&config, fs::Permissions::from_mode(wanted)).unwrap();
        home.stdout(&["uninstall"]);
        for ending in ["", ".before-clankers"] {
            let file = home.path(&format!("{CONFIG}{ending}"));
            assert_eq!(mode(&file), wanted, "{ending}");
        }
    }
}

#[test]
fn a_folder_that_2_x_was_told_to_read_is_served_too() {
    let home = Home::new();
    let dist = home.built_plugin("0.1.0");
    let own = home.path("own");
    let run = |args: &[&str]| {
        let mut command = home.command(args);
        let output = command.env("OPENCODE_CONFIG_DIR", &own).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["install", "--plugin", dist.to_str().unwrap()]);
    assert_eq!(
        names(&home, "own/plugin"),
        ["clankers"],
        "1.x reads both folders"
    );
    assert!(home.path(FILE).exists() && home.path(SERVER).exists());
    run(&["uninstall"]);
    assert!(!own.join("plugin").exists() && !home.path(FILE).exists());
}

#[test]
fn what_cannot_be_done_is_said() {
    let home = Home::new();
    let error = home.stderr(&["install", "--plugin", "nowhere"]);
    assert!(error.contains("nowhere holds no built plugin"), "{error}");
    assert!(error.contains("make build"), "{error}");
    let dist = home.built_plugin("0.1.0");
    home.write(".config/opencode/plugin", "a file");
    let error = home.stderr(&["install", "--plugin", dist.to_str().unwrap()]);
    assert!(error.contains("plugin/clankers.js"), "{error}");
    assert!(!error.contains("panicked"), "{error}");

    let broken = Home::new();
    broken.write(CONFIG, "{ \"plugin\": [ ");
    install(&broken, "0.1.0", &[]);
    assert_eq!(
        text(&broken, CONFIG),
        "{ \"plugin\": [ ",
        "no configuration is written"
    );
}

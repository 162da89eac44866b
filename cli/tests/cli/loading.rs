//! `doctor` and `status`: which releases are here, whether each loads the
//! plugin, and what shows that it does. `tests/e2e/places.test.ts` holds the
//! same against real releases.

use std::fs;

use serde_json::Value;

use crate::support::diagnosis::{Diagnosis, doctor};
use crate::support::home::Home;

const CONFIG: &str = ".config/opencode/opencode.json";

/// A home with these releases; the first two are side by side.
fn home_with(programs: &[(&str, &str)]) -> Home {
    let home = Home::new();
    for (path, says) in programs {
        home.program(path, says);
    }
    home
}

fn home_of(release: &str) -> Home {
    home_with(&[("bin/opencode", release)])
}

fn install(home: &Home) {
    let dist = home.built_plugin("0.1.0");
    home.stdout(&["install", "--plugin", dist.to_str().unwrap()]);
}

/// A session that a release began at a time: one from now on, or a very old one.
fn session(home: &Home, source: &str, release: &str, is_new: bool) {
    let at = if is_new {
        "unixepoch() * 1000 + 60000"
    } else {
        "1000"
    };
    let sql = format!(
        "INSERT INTO sessions (id, source, source_version, created_at) VALUES ('ses_{source}{release}{is_new}', '{source}', '{release}', {at})"
    );
    home.open().execute_batch(&sql).unwrap();
}

/// What is said about the plugin in one release.
fn of_release(diagnosis: &Diagnosis, title: &str) -> Vec<(String, String)> {
    let found = diagnosis.of("plugin").into_iter();
    found.filter(|(_, text)| text.starts_with(title)).collect()
}

fn status(home: &Home) -> Value {
    serde_json::from_str(&home.stdout(&["status", "--format", "json"])).unwrap()
}

#[test]
fn a_run_that_ended_before_its_session_was_known_shows_that_it_was_recorded() {
    let home = Home::with_recordings(&[]);
    home.program("bin/opencode", "opencode v2.0.15");
    install(&home);
    let placed =
        |diagnosis: &Diagnosis| diagnosis.says("plugin", "warning", "OpenCode 2.0.15: placed");
    let hears = |session: &str, at: &str| {
        let sql = format!(
            "INSERT INTO sessions (id) VALUES ('{session}');
             INSERT INTO messages (id, session_id, created_at) VALUES ('msg_{session}', '{session}', {at})"
        );
        home.open().execute_batch(&sql).unwrap();
    };
    hears("ses_old", "1000");
    assert!(placed(&doctor(&home, &[])));
    hears("ses_new", "unixepoch() * 1000 + 60000");
    assert!(doctor(&home, &[]).says("plugin", "good", "OpenCode 2.0.15: recording"));
}

#[test]
fn releases_stand_side_by_side_and_each_has_its_own_proof() {
    let home = Home::with_recordings(&[]);
    home.program("bin/opencode", "opencode v2.0.15");
    home.program(".opencode/bin/opencode", "1.18.34");
    home.program("bin/kilo", "7.7.9");
    let diagnosis = doctor(&home, &[]);
    for title in ["OpenCode 2.0.15", "OpenCode 1.18.34", "Kilo 7.7.9"] {
        assert!(
            diagnosis.says(
                "plugin",
                "broken",
                &format!("{title} does not load it\nrun: clankers install")
            ),
            "{title}"
        );
        assert!(diagnosis.says("opencode", "good", title), "{title}");
    }
    install(&home);
    for (source, release) in [
        ("opencode", "2.0.15"),
        ("opencode", "1.18.34"),
        ("kilo", "7.7.9"),
    ] {
        session(&home, source, release, false);
    }
    let diagnosis = doctor(&home, &[]);
    assert_eq!(diagnosis.status, Some(1), "{:#}", diagnosis.report);
    for title in ["OpenCode 2.0.15", "OpenCode 1.18.34", "Kilo 7.7.9"] {
        let found = of_release(&diagnosis, title);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].1.contains("placed, not yet seen at work"),
            "{found:?}"
        );
    }
    let said = home.stdout(&["status"]);
    assert!(
        said.contains("○ plugin     OpenCode 2.0.15: placed, not yet seen at work"),
        "{said}"
    );

    session(&home, "opencode", "2.0.15", true);
    session(&home, "opencode", "7.7.9", true);
    let diagnosis = doctor(&home, &[]);
    assert!(diagnosis.says("plugin", "good", "OpenCode 2.0.15: recording"));
    assert!(
        diagnosis.says("plugin", "good", "Kilo 7.7.9: recording"),
        "an older core called it `opencode`"
    );
    assert!(diagnosis.says("plugin", "warning", "OpenCode 1.18.34: placed"));
    assert_eq!(
        status(&home)["plugin"],
        "OpenCode 2.0.15: recording; Kilo 7.7.9: recording; OpenCode 1.18.34: placed"
    );
    session(&home, "opencode", "1.18.34", true);
    assert_eq!(
        doctor(&home, &[])
            .of("plugin")
            .iter()
            .filter(|(level, _)| level != "good")
            .count(),
        0
    );
}

#[test]
fn what_was_refused_shows_a_release_at_work_too() {
    let home = Home::with_recordings(&[]);
    home.program("bin/kilo", "7.7.9");
    home.program("bin/opencode", "1.18.34");
    install(&home);
    let refused = |release: &str| {
        let sql = format!(
            "INSERT INTO rejections (event_type, code, path, source_version, count, last_seen) \
             VALUES ('a.{release}', 'unknown_event', 'type', '{release}', 3, unixepoch() * 1000 + 60000)"
        );
        home.open().execute_batch(&sql).unwrap();
    };
    refused("7.7.9");
    refused("2.0.15");
    let diagnosis = doctor(&home, &[]);
    assert!(diagnosis.says("plugin", "good", "Kilo 7.7.9: recording"));
    assert!(diagnosis.says("plugin", "warning", "OpenCode 1.18.34: placed"));
    assert!(diagnosis.says("rejections", "warning", "(3 times, Kilo 7.7.9)"));
    assert!(diagnosis.says("rejections", "warning", "(3 times, OpenCode 2.0.15)"));
    let issue = diagnosis.report["issue"].as_str().unwrap();
    assert!(issue.contains("| Kilo 7.7.9 | 3 |"), "{issue}");
}

#[test]
fn what_is_named_anew_is_not_shown_at_work_by_what_was_sent_before() {
    const KILO: &str = ".config/kilo/kilo.json";
    for (says, config, source, title, cache) in [
        (
            "1.18.34",
            CONFIG,
            "opencode",
            "OpenCode 1.18.34",
            "opencode/packages/opencode-clankers@latest",
        ),
        (
            "opencode v2.0.15",
            CONFIG,
            "opencode",
            "OpenCode 2.0.15",
            "opencode/npm/opencode-clankers@latest/1",
        ),
        (
            "7.7.9",
            KILO,
            "kilo",
            "Kilo 7.7.9",
            "kilo/packages/opencode-clankers@latest",
        ),
    ] {
        let home = Home::with_recordings(&[]);
        let program = if source == "kilo" { "kilo" } else { "opencode" };
        home.program(&format!("bin/{program}"), says);
        let release = title.split_once(' ').unwrap().1;
        session(&home, source, release, false);
        let is = |level: &str, words: &str| {
            let diagnosis = doctor(&home, &[]);
            let is_said = diagnosis.says("plugin", level, &format!("{title}: {words}"));
            assert!(is_said, "{words}: {:#}", diagnosis.report);
        };
        let dist = home.built_plugin("0.1.0");
        for file in ["index.js", "server.js"] {
            home.backdate(&format!("clankers/plugin-shim/dist/{file}"));
        }
        for spec in [dist.to_str().unwrap(), "opencode-clankers"] {
            home.write(config, &format!("{{ \"plugin\": [{spec:?}] }}"));
            is("warning", "placed");
            home.backdate(config);
            is("good", "recording");
        }
        let copy = format!(".cache/{cache}/node_modules/opencode-clankers/package.json");
        home.write(&copy, r#"{"name":"opencode-clankers","version":"0.1.0"}"#);
        is("warning", "placed");
        session(&home, source, release, true);
        is("good", "recording");
    }
}

#[test]
fn a_session_without_a_release_is_one_of_2_x() {
    let home = Home::with_recordings(&[]);
    home.program("bin/opencode", "opencode v2.0.15");
    home.program(".opencode/bin/opencode", "1.18.34");
    install(&home);
    home.open()
        .execute_batch(
            "INSERT INTO sessions (id, created_at) VALUES ('ses_x', unixepoch() * 1000 + 60000)",
        )
        .unwrap();
    let diagnosis = doctor(&home, &[]);
    assert!(diagnosis.says("plugin", "good", "OpenCode 2.0.15: recording"));
    assert!(diagnosis.says("plugin", "warning", "OpenCode 1.18.34: placed"));
}

/// In which releases the plugin is loaded from a place: 1.18.34, 2.0.15 and Kilo.
const PLACES: &[(&str, [bool; 3])] = &[
    (".config/opencode/opencode.json", [true, true, false]),
    (".config/opencode/opencode.jsonc", [true, true, false]),
    (".config/opencode/config.json", [true, false, false]),
    (".config/opencode/kilo.json", [false, false, false]),
    (".config/kilo/kilo.json", [false, false, true]),
    (".config/kilo/opencode.jsonc", [false, false, true]),
    (".config/kilo/config.json", [false, false, true]),
    (".opencode/opencode.json", [true, true, false]),
    (".opencode/config.json", [false, false, false]),
    (".kilo/kilo.jsonc", [false, false, true]),
    (".kilo/config.json", [false, false, false]),
    (".kilocode/opencode.json", [false, false, true]),
    ("opencode.json", [false, true, false]),
    ("code/opencode.json", [true, true, true]),
    ("code/kilo.json", [false, false, true]),
    ("code/config.json", [false, false, true]),
    ("code/.opencode/opencode.jsonc", [true, true, false]),
    ("code/.kilo/config.json", [false, false, true]),
    ("code/sub/opencode.json", [true, true, true]),
    ("code/other/opencode.json", [false, false, false]),
];

#[test]
fn each_release_is_looked_at_in_the_places_that_it_reads() {
    for (place, expected) in PLACES {
        let home = home_with(&[
            ("bin/opencode", "opencode v2.0.15"),
            (".opencode/bin/opencode", "1.18.34"),
            ("bin/kilo", "7.7.9"),
        ]);
        let dist = home.built_plugin("0.1.0");
        fs::create_dir_all(home.path("code/.git")).unwrap();
        fs::create_dir_all(home.path("code/sub")).unwrap();
        home.write(place, &format!("{{ \"plugin\": [{dist:?}] }}"));
        let mut command = home.command(&["doctor", "--format", "json"]);
        let output = command.current_dir(home.path("code/sub")).output().unwrap();
        let diagnosis = Diagnosis {
            status: output.status.code(),
            report: serde_json::from_slice(&output.stdout).unwrap(),
        };
        let titles = ["OpenCode 1.18.34", "OpenCode 2.0.15", "Kilo 7.7.9"];
        let loads =
            titles.map(|title| diagnosis.says("plugin", "warning", &format!("{title}: placed")));
        assert_eq!(loads, *expected, "{place}: {:#}", diagnosis.report);
    }
}

#[test]
fn what_2_x_leaves_out_without_a_word_is_explained() {
    let says = |config: &str, words: &str| {
        let home = home_of("opencode v2.0.15");
        let dist = home.built_plugin("0.1.0");
        home.write(
            "clankers/plugin-shim/package.json",
            r#"{"name":"opencode-clankers","version":"0.1.0"}"#,
        );
        home.write("empty/notes.txt", "");
        home.write(
            "function/index.js",
            &fs::read_to_string(dist.join("index.js")).unwrap(),
        );
        let folder = home.path("");
        home.write(CONFIG, &config.replace("~/", folder.to_str().unwrap()));
        let diagnosis = doctor(&home, &[]);
        assert_eq!(diagnosis.status, Some(2));
        assert!(
            diagnosis.says("plugin", "broken", words),
            "{config}: {:?}",
            diagnosis.of("plugin")
        );
    };
    says(
        r#"{ "plugins": ["file://~/clankers/plugin-shim/dist/index.js"] }"#,
        "names a file, and OpenCode 2.x takes a folder only: name the folder `plugin-shim/dist`",
    );
    says(
        r#"{ "plugin": ["~/clankers/plugin-shim"] }"#,
        "is a folder without `server.js` or `index.js`",
    );
    says(
        r#"{ "plugins": [{ "package": "~/function" }] }"#,
        "exports a function, the form for OpenCode 1.x",
    );
    says(
        r#"{ "plugins": ["~/gone/opencode-clankers"] }"#,
        "leads to nothing",
    );
    says(
        r#"{ "plugins": ["opencode-clankers", "-opencode-clankers"] }"#,
        "is turned off by `-opencode-clankers`",
    );
    says(
        r#"{ "plugins": ["opencode-clankers@0.1.0", "-*"] }"#,
        "is turned off by `-*`",
    );
    says(
        r#"{ "plugins": ["~/empty"] }"#,
        "does not load it\nrun: clankers install",
    );
    says(r#"{ "plugins": "opencode-clankers" }"#, "does not load it");

    let home = home_of("opencode v2.0.15");
    home.write(
        ".config/opencode/plugin/clankers.js",
        "// opencode-clankers 0.1.0, a function for OpenCode 1.x\n",
    );
    assert!(doctor(&home, &[]).says("plugin", "broken", "plugin/clankers.js exports a function"));
    install(&home);
    let diagnosis = doctor(&home, &[]);
    assert_eq!(
        diagnosis.of("plugin").len(),
        1,
        "the file is for 1.x, which is as it should be"
    );
    assert_eq!(of_release(&diagnosis, "OpenCode 2.0.15: placed").len(), 1);
}

#[test]
fn what_2_x_reads_behind_an_entry_that_turns_it_off_is_loaded() {
    let home = home_of("opencode v2.0.15");
    install(&home);
    home.write(CONFIG, r#"{ "plugins": ["-opencode-clankers"] }"#);
    let off = "plugin/clankers is turned off by `-opencode-clankers`";
    assert!(doctor(&home, &[]).says("plugin", "broken", off));
    home.write(
        CONFIG,
        r#"{ "plugins": ["-opencode-clankers", "opencode-clankers@0.1.0"] }"#,
    );
    let diagnosis = doctor(&home, &[]);
    let named = "placed, not yet seen at work (`opencode-clankers@0.1.0` in";
    assert!(diagnosis.says("plugin", "warning", named));
    assert!(diagnosis.says("plugin", "warning", off));
}

#[test]
fn what_1_x_leaves_out_is_explained() {
    let home = home_of("1.14.48");
    home.write(CONFIG, r#"{ "plugin": ["opencode-clankers"] }"#);
    assert!(doctor(&home, &[]).says("plugin", "warning", "OpenCode 1.14.48: placed"));
    home.write(
        ".config/opencode/opencode.jsonc",
        r#"{ "plugin": ["other"] }"#,
    );
    let hidden = "does not count, since ~/.config/opencode/opencode.jsonc has a list of its own";
    assert!(doctor(&home, &[]).says("plugin", "broken", hidden));
    install(&home);
    assert!(
        doctor(&home, &[]).says("plugin", "warning", hidden),
        "the file is loaded all the same"
    );
    for both_count in ["1.18.34", "opencode v2.0.15"] {
        home.program("bin/opencode", both_count);
        assert!(doctor(&home, &[]).says(
            "plugin",
            "warning",
            "`opencode-clankers` in ~/.config/opencode/opencode.json"
        ));
    }
    home.program("bin/opencode", "1.18.34");
    let mut told = home.command(&["doctor"]);
    let told = told
        .env("OPENCODE_CONFIG_DIR", home.path("own"))
        .output()
        .unwrap();
    assert!(String::from_utf8(told.stdout).unwrap().contains(hidden));
    home.write(
        ".config/opencode/config.json",
        r#"{ "plugin": ["opencode-clankers@1"] }"#,
    );
    assert!(doctor(&home, &[]).says(
        "plugin",
        "warning",
        "`opencode-clankers@1` in ~/.config/opencode/config.json does not count"
    ));

    let home = home_of("1.1.31");
    home.write(
        CONFIG,
        r#"{ "plugin": [["opencode-clankers", { "onDelete": "keep" }]] }"#,
    );
    assert!(doctor(&home, &[]).says(
        "plugin",
        "broken",
        "has options, which OpenCode takes from 1.14 on"
    ));
    home.program("bin/opencode", "1.18.34");
    assert!(doctor(&home, &[]).says("plugin", "warning", "OpenCode 1.18.34: placed"));

    let home = home_of("1.0.61");
    home.write(
        ".opencode/plugins/clankers.js",
        "// opencode-clankers 0.1.0, a function for OpenCode 1.x\n",
    );
    assert!(doctor(&home, &[]).says("plugin", "broken", "with which OpenCode 1.0 does not start"));
    home.write(
        ".opencode/plugin/clankers.js",
        "// opencode-clankers 0.1.0, an object for OpenCode 2.x\n",
    );
    assert!(doctor(&home, &[]).says(
        "plugin",
        "broken",
        "exports an object, the form for OpenCode 2.x"
    ));

    let home = home_of("1.18.34");
    home.write(CONFIG, "{ \"plugin\": ");
    assert!(doctor(&home, &[]).says("config", "broken", "opencode.json cannot be read"));
}

#[test]
fn several_places_and_another_version_are_told() {
    let home = Home::with_recordings(&[]);
    home.program("bin/opencode", "1.18.34");
    let dist = home.built_plugin("0.0.9");
    home.stdout(&["install", "--plugin", dist.to_str().unwrap()]);
    home.write(CONFIG, &format!("{{ \"plugin\": [{dist:?}] }}"));
    session(&home, "opencode", "1.18.34", true);
    let diagnosis = doctor(&home, &[]);
    assert!(diagnosis.says("plugin", "warning", "one place is enough"));
    assert!(diagnosis.says(
        "version",
        "warning",
        "plugin/clankers.js is 0.0.9; this is clankers 0.1.0"
    ));
}

#[test]
fn without_a_program_what_is_placed_is_told() {
    let home = Home::new();
    let diagnosis = doctor(&home, &[]);
    assert_eq!(diagnosis.status, Some(2));
    assert!(diagnosis.says(
        "plugin",
        "broken",
        "placed nowhere, neither for this project nor for all\nrun: clankers install"
    ));
    let none = "not installed: neither OpenCode nor Kilo is on the PATH or in ~/.opencode/bin";
    assert!(diagnosis.says("opencode", "warning", none));
    let said = home.stdout(&["status"]);
    assert!(said.contains(none), "{said}");
    assert!(said.contains("placed nowhere: run `clankers install`"));
    let dist = home.built_plugin("0.1.0");
    let installed = home.stdout(&["install", "--plugin", dist.to_str().unwrap()]);
    assert!(installed.contains(none), "{installed}");
    let said = home.stdout(&["status"]);
    assert!(said.contains(none), "{said}");
    assert!(doctor(&home, &[]).says("plugin", "warning", "OpenCode 2.x: placed"));
    home.program("bin/opencode", "command not found");
    assert!(doctor(&home, &[]).says(
        "opencode",
        "warning",
        "~/bin/opencode does not say its release"
    ));
}

#[test]
fn the_log_of_2_x_is_read_for_what_failed_since_it_was_placed() {
    let home = Home::with_recordings(&[]);
    home.program("bin/opencode", "opencode v2.0.15");
    install(&home);
    let folder = home.path(".config/opencode/plugin");
    let line = |at: &str, target: &str, cause: &str| {
        format!(
            "timestamp={at} level=WARN run=1 message=\"failed to load plugin\" target={} cause=\"{cause}\" role=server\n",
            folder.join(target).display()
        )
    };
    let failed = "Cause([Die(Error: bad times)])";
    let log = |text: &str| home.write(".local/share/opencode/log/opencode.log", text);
    log(&(line("2001-01-01T00:00:00.000Z", "clankers", failed)
        + &line("2100-01-01T00:00:00.000Z", "clankers.js", failed)
        + &line("2100-01-01T00:00:00.000Z", "other", failed)));
    assert!(
        doctor(&home, &[]).of("log").is_empty(),
        "old, expected or somebody else's"
    );
    log(&line("2100-01-01T00:00:00.000Z", "clankers", failed));
    let diagnosis = doctor(&home, &[]);
    assert_eq!(diagnosis.status, Some(2));
    assert!(
        diagnosis.says(
            "log",
            "broken",
            "it failed while it was loaded: Die(Error: bad times)"
        ),
        "{:?}",
        diagnosis.of("log")
    );
    // It was seen at work since.
    let at = "2099-01-01T00:00:00.000Z";
    log(&line(at, "clankers", failed));
    home.open()
        .execute_batch("INSERT INTO sessions (id, source_version, created_at) VALUES ('ses_later', '2.0.15', unixepoch('2100-01-01') * 1000)")
        .unwrap();
    assert!(doctor(&home, &[]).of("log").is_empty());
}

#[test]
fn no_program_of_the_folder_at_hand_is_run() {
    let home = home_of("1.18.34");
    for path in ["project/opencode", "project/bin/opencode"] {
        home.program(path, "9.9.9");
    }
    for relative in ["", ".", "bin"] {
        let path = format!("{relative}:{}", home.path("bin").display());
        let mut status = home.command(&["status", "--format", "json"]);
        let status = status
            .current_dir(home.path("project"))
            .env("PATH", path)
            .output()
            .unwrap();
        let said = String::from_utf8(status.stdout).unwrap();
        assert!(said.contains("1.18.34"), "{relative}: {said}");
        assert!(!said.contains("9.9.9"), "{relative}: {said}");
    }
}

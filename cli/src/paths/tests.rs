//! Where each system keeps the data, and what goes before.
#![expect(
    clippy::unwrap_used,
    reason = "a test says what it expects by failing, its helpers too"
)]

use super::{Machine, PathArgs, Paths, System};
use crate::error::Result;

/// What a machine with these variables says.
fn on<T>(
    system: System,
    variables: &[(&str, &str)],
    ask: impl FnOnce(Machine<'_>) -> Result<T>,
) -> T {
    let variable = |wanted: &str| {
        let found = variables.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value.into())
    };
    let machine = Machine {
        system,
        variable: &variable,
    };
    ask(machine).unwrap()
}

/// The paths on a machine with these variables.
fn paths(system: System, variables: &[(&str, &str)], args: &PathArgs) -> Paths {
    on(system, variables, |machine| args.resolve_on(machine))
}

fn data_and_db(system: System, variables: &[(&str, &str)]) -> [String; 2] {
    let found = paths(system, variables, &PathArgs::default());
    [found.data, found.db].map(|path| path.to_str().unwrap().to_owned())
}

fn in_folder(folder: &str) -> [String; 2] {
    [folder.to_owned(), format!("{folder}/clankers.db")]
}

const HOME: (&str, &str) = ("HOME", "/home/user");
const PROFILE: (&str, &str) = ("USERPROFILE", "/users/user");

#[test]
fn linux_keeps_the_data_in_xdg_data_home_else_in_local_share() {
    let xdg = ("XDG_DATA_HOME", "/xdg");
    assert_eq!(
        data_and_db(System::Other, &[HOME, xdg]),
        in_folder("/xdg/clankers")
    );
    for unusable in ["", "relative"] {
        assert_eq!(
            data_and_db(System::Other, &[HOME, ("XDG_DATA_HOME", unusable)]),
            in_folder("/home/user/.local/share/clankers")
        );
    }
}

#[test]
fn macos_keeps_the_data_in_application_support_whatever_xdg_says() {
    assert_eq!(
        data_and_db(System::MacOs, &[HOME, ("XDG_DATA_HOME", "/xdg")]),
        in_folder("/home/user/Library/Application Support/clankers")
    );
}

// A path of Windows is none from the root here: what is told is which folder is taken.
#[test]
fn windows_keeps_the_data_in_appdata_else_where_that_stands_for() {
    let other = [("HOME", "/home/user"), ("XDG_DATA_HOME", "/xdg"), PROFILE];
    assert_eq!(
        data_and_db(
            System::Windows,
            &[&other[..], &[("APPDATA", "/roaming")]].concat()
        ),
        in_folder("/roaming/clankers")
    );
    assert_eq!(
        data_and_db(System::Windows, &other),
        in_folder("/users/user/AppData/Roaming/clankers")
    );
}

#[test]
fn a_folder_or_a_file_that_is_named_goes_before_the_default_on_every_system() {
    for system in [System::Other, System::MacOs, System::Windows] {
        let folder = ("CLANKERS_DATA_PATH", "/data");
        let file = ("CLANKERS_DB_PATH", "/file.db");
        assert_eq!(
            data_and_db(system, &[HOME, PROFILE, folder]),
            in_folder("/data"),
            "{system:?}"
        );
        assert_eq!(
            data_and_db(system, &[HOME, PROFILE, folder, file]),
            ["/data", "/file.db"],
            "{system:?}"
        );
        let [_, db] = data_and_db(system, &[HOME, PROFILE, file]);
        assert_eq!(db, "/file.db", "{system:?}");
    }
}

#[test]
fn the_folder_is_clankers_own_only_where_nobody_named_another() {
    let own = |variables: &[(&str, &str)], args: &PathArgs| {
        paths(System::Other, &[&[HOME], variables].concat(), args).in_own_folder
    };
    let default = PathArgs::default();
    assert!(own(&[], &default));
    assert!(own(&[("XDG_DATA_HOME", "/xdg")], &default));
    assert!(own(&[("CLANKERS_SOCKET_PATH", "/s.sock")], &default));
    assert!(!own(&[("CLANKERS_DATA_PATH", "/data")], &default));
    assert!(!own(&[("CLANKERS_DB_PATH", "/file.db")], &default));
    let named = |db: Option<&str>, data: Option<&str>| PathArgs {
        db_path: db.map(Into::into),
        data_path: data.map(Into::into),
        socket: None,
    };
    assert!(!own(&[], &named(Some("/file.db"), None)));
    assert!(!own(&[], &named(None, Some("/data"))));
}

#[test]
fn a_persons_own_settings_are_in_the_configuration_else_beside_the_data() {
    let settings = |system, variables: &[(&str, &str)]| {
        let file = on(system, variables, |machine| machine.settings_file());
        file.to_str().unwrap().to_owned()
    };
    let usual = "/home/user/.config/clankers/config.json";
    assert_eq!(settings(System::Other, &[HOME]), usual);
    let relative = ("XDG_CONFIG_HOME", "relative");
    assert_eq!(settings(System::Other, &[HOME, relative]), usual);
    let xdg = ("XDG_CONFIG_HOME", "/xdg");
    assert_eq!(
        settings(System::Other, &[HOME, xdg]),
        "/xdg/clankers/config.json"
    );
    assert_eq!(
        settings(System::MacOs, &[HOME, xdg]),
        "/home/user/Library/Application Support/clankers/config.json"
    );
    assert_eq!(
        settings(System::Windows, &[PROFILE, ("APPDATA", "/roaming")]),
        "/roaming/clankers/config.json"
    );
}

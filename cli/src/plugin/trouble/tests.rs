use super::{DAY_MS, Matter, SILENT_MS, Trouble, found_in, lines_in};

const NOON: i64 = 1_790_000_000_000;
const MINUTE: i64 = 60_000;

/// A line as the plugin writes it, so many minutes after noon.
fn line(minute: i64, level: &str, about: &str, (pid, started): (u32, i64)) -> String {
    let at = NOON + minute * MINUTE;
    let started = NOON + started * MINUTE;
    format!(
        r#"{{"at":{at},"level":"{level}","about":"{about}","database":"/d/x.db","message":"{level} at {minute}","pid":{pid},"started":{started},"release":"2.0.15","plugin":"0.1.0"}}"#
    )
}

/// What is found so many minutes after noon.
fn found(lines: &[String], minute: i64) -> Vec<Trouble> {
    let lines = lines_in(&lines.join("\n\n")).collect();
    found_in(lines, NOON + minute * MINUTE)
}

/// Since when trouble lasts or is over, in minutes after noon.
fn minutes(found: &[Trouble]) -> Vec<(Matter, i64, Option<i64>)> {
    let minute = |at: i64| (at - NOON) / MINUTE;
    let each = |one: &Trouble| (one.matter, minute(one.since), one.over.map(minute));
    found.iter().map(each).collect()
}

const ONE: (u32, i64) = (1, -10);
const OTHER: (u32, i64) = (2, -20);
const LATER: (u32, i64) = (1, 3);

#[test]
fn trouble_lasts_until_its_own_process_says_that_it_is_over() {
    let mut lines = vec![
        line(1, "warn", "storage", ONE),
        line(2, "error", "storage", ONE),
    ];
    let lasting = found(&lines, 1_000_000);
    assert_eq!(minutes(&lasting), [(Matter::Storage, 1, None)]);
    assert!(lasting[0].is_error);
    assert!(lasting[0].described().starts_with("OpenCode 2.0.15, 2026-"));
    assert!(lasting[0].described().ends_with(": error at 2"));
    lines.push(line(3, "info", "storage", ONE));
    assert_eq!(minutes(&found(&lines, 4)), [(Matter::Storage, 1, Some(3))]);
    // It is told for a day.
    assert_eq!(found(&lines, 3 + DAY_MS / MINUTE), []);
    lines.push(line(5, "warn", "storage", ONE));
    assert_eq!(minutes(&found(&lines, 6)), [(Matter::Storage, 5, None)]);
}

#[test]
fn a_process_that_began_later_ends_what_an_earlier_one_left() {
    let lines = [
        line(1, "error", "storage", ONE),
        line(4, "info", "storage", LATER),
    ];
    assert_eq!(minutes(&found(&lines, 4)), [(Matter::Storage, 1, Some(4))]);
}

#[test]
fn a_process_that_was_there_already_ends_it_only_where_it_is_not_said_again() {
    let mut lines = vec![
        line(1, "error", "storage", ONE),
        line(4, "info", "storage", OTHER),
    ];
    let silent = SILENT_MS / MINUTE;
    assert_eq!(
        minutes(&found(&lines, silent + 1)),
        [(Matter::Storage, 1, None)]
    );
    assert_eq!(
        minutes(&found(&lines, silent + 2)),
        [(Matter::Storage, 1, Some(4))]
    );
    lines.push(line(11, "error", "storage", ONE));
    assert_eq!(minutes(&found(&lines, 12)), [(Matter::Storage, 1, None)]);
}

#[test]
fn each_matter_ends_by_itself_and_the_worst_comes_first() {
    let lines = [
        line(1, "error", "plugin", ONE),
        line(1, "warn", "settings", ONE),
        line(1, "warn", "events", ONE),
        line(2, "error", "stream", ONE),
        line(2, "error", "daemon", ONE),
        line(3, "warn", "storage", ONE),
        line(4, "info", "stream", ONE),
    ];
    let all = [
        (Matter::Storage, 3, None),
        (Matter::Stream, 2, Some(4)),
        (Matter::Daemon, 2, None),
        (Matter::Events, 1, None),
        (Matter::Settings, 1, None),
        (Matter::Plugin, 1, None),
    ];
    assert_eq!(minutes(&found(&lines, 5)), all);
    // A week later, what nothing may ever end is told no more.
    assert_eq!(
        minutes(&found(&lines, 2 + 7 * DAY_MS / MINUTE)),
        [(Matter::Storage, 3, None), (Matter::Settings, 1, None)]
    );
}

#[test]
fn trouble_lasts_though_a_clock_was_ahead_before() {
    const YEAR: i64 = 365 * 24 * 60;
    let lines = [
        line(YEAR, "error", "storage", (1, YEAR - 10)),
        line(YEAR + 1, "info", "storage", (1, YEAR - 10)),
        line(1, "error", "storage", OTHER),
    ];
    assert_eq!(minutes(&found(&lines, 2)), [(Matter::Storage, 1, None)]);
}

#[test]
fn what_cannot_be_read_is_passed_over() {
    let whole = line(1, "warn", "storage", ONE);
    let lines = [
        whole.chars().take(50).collect(),
        "null".to_owned(),
        line(2, "info", "something of a later plugin", ONE),
        whole,
    ];
    assert_eq!(minutes(&found(&lines, 3)), [(Matter::Storage, 1, None)]);
}

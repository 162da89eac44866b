//! Values as a person reads them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: impl TryInto<i64>) -> String {
    let number: i64 = number.try_into().unwrap_or(i64::MAX);
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// A number of things: `1 session`, `1,234 sessions`.
pub(crate) fn counted(number: impl TryInto<i64>, thing: &str) -> String {
    let number: i64 = number.try_into().unwrap_or(i64::MAX);
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {thing}{ending}", count(number))
}

/// US dollars: to the cent from a hundred on, to a hundredth of one below; a half is
/// rounded up.
pub(crate) fn money(dollars: f64) -> String {
    // Most amounts have no exact binary form, so that a cost that was added up may be
    // a little more or less than the same cost by itself. Nine digits of a dollar hold
    // every cost, and nothing of that difference.
    let digits = format!("{:.9}", dollars.abs());
    let billionths: u128 = digits.replace('.', "").parse().unwrap_or_default();
    let rounded = |unit: u128| (billionths + unit / 2) / unit;
    let tens_of_thousandths = rounded(100_000);
    let (whole, rest) = if tens_of_thousandths < 1_000_000 {
        let (whole, rest) = (tens_of_thousandths / 10_000, tens_of_thousandths % 10_000);
        (whole, format!("{rest:04}"))
    } else {
        let cents = rounded(10_000_000);
        (cents / 100, format!("{:02}", cents % 100))
    };
    let is_negative = dollars < 0.0 && tens_of_thousandths > 0;
    let sign = if is_negative { "-" } else { "" };
    format!("{sign}${whole}.{rest}")
}

/// A time in Unix milliseconds, local, to the minute.
pub(crate) fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(
        |_| ms.to_string(),
        |at| {
            at.to_zoned(TimeZone::system())
                .strftime("%Y-%m-%d %H:%M")
                .to_string()
        },
    )
}

/// Milliseconds as `340 ms`, `2.5 s`, `3 min 20 s` or `2 h 5 min`.
pub(crate) fn duration(ms: i64) -> String {
    let seconds = ms / 1000;
    match seconds {
        ..1 => format!("{ms} ms"),
        1..60 => format!("{seconds}.{} s", ms % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A size as `512 B`, `1.5 KiB` or `3.2 MiB`.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let mut tenths = u128::from(size) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!(
        "{}.{} {}",
        tenths / 10,
        tenths % 10,
        UNITS.get(unit).unwrap_or(&"TiB")
    )
}

/// A bar of eighths, `share` of `width` long.
pub(crate) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "between 0 and some hundreds"
    )]
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { eighths };
    "█".repeat(eighths / 8) + EIGHTHS.get(eighths % 8).unwrap_or(&"")
}

#[cfg(test)]
mod tests {
    use super::{bar, bytes, count, counted, duration, money};

    #[test]
    fn counts_are_grouped() {
        let all = [0, 999, 1000, 1_234_567, -1_234].map(count);
        assert_eq!(all, ["0", "999", "1,000", "1,234,567", "-1,234"]);
    }

    #[test]
    fn one_thing_is_no_plural() {
        let all = [0, 1, 1_234].map(|number| counted(number, "session"));
        assert_eq!(all, ["0 sessions", "1 session", "1,234 sessions"]);
    }

    #[test]
    fn money_shows_fractions_of_a_cent() {
        let all = [0.0, 0.001, 1.5, 123.456, -0.5, -0.0].map(money);
        assert_eq!(
            all,
            [
                "$0.0000", "$0.0010", "$1.5000", "$123.46", "-$0.5000", "$0.0000"
            ]
        );
    }

    #[test]
    fn the_same_cost_is_the_same_amount_however_it_was_added_up() {
        let added = 0.0005 + 0.000_55;
        assert_ne!(added.to_string(), "0.00105");
        assert_eq!([0.001_05, added].map(money), ["$0.0011", "$0.0011"]);
        let all = [0.000_05, 0.000_049, -0.000_04, 99.999_96, 100.005, 1e12].map(money);
        let amounts = [
            "$0.0001",
            "$0.0000",
            "$0.0000",
            "$100.00",
            "$100.01",
            "$1000000000000.00",
        ];
        assert_eq!(all, amounts);
    }

    #[test]
    fn durations_use_the_unit_that_fits() {
        let all = [340, 2_540, 200_000, 7_500_000].map(duration);
        assert_eq!(all, ["340 ms", "2.5 s", "3 min 20 s", "2 h 5 min"]);
    }

    #[test]
    fn sizes_use_the_unit_that_fits() {
        let all = [0, 1023, 1536, 3_355_443, u64::MAX].map(bytes);
        assert_eq!(
            all,
            ["0 B", "1023 B", "1.5 KiB", "3.1 MiB", "16777215.9 TiB"]
        );
    }

    #[test]
    fn a_bar_shows_the_smallest_share() {
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.001, 4), "▏");
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(bar(1.0, 3), "███");
    }
}

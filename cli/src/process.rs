//! Other processes, by the numbers that files and sockets tell.

use rustix::process::Pid;

/// The process of this number. A negative one would stand for a whole group of them,
/// or for all that are ours.
pub(crate) fn numbered(pid: i64) -> Option<Pid> {
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0)?;
    Pid::from_raw(pid)
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn a_number_stands_for_one_process_or_none() {
        for none in [0, -1, -5, i64::MIN, i64::MAX, 1 << 32] {
            assert_eq!(numbered(none), None, "{none}");
        }
        assert_eq!(numbered(5).map(|pid| pid.as_raw_nonzero().get()), Some(5));
    }
}

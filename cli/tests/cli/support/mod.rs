//! What the tests share.

pub(crate) mod client;
pub(crate) mod diagnosis;
pub(crate) mod history;
pub(crate) mod home;
pub(crate) mod recording;
pub(crate) mod rows;

use std::time::{Duration, Instant};

/// How long anything here may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Looks until `condition` gives something.
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

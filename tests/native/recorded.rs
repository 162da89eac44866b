//! What a person wants recorded, and nothing else.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a broken fixture is to fail loudly"
)]

mod ignored;
mod metadata;

use clankers::Recorded;
use clankers::model::row::Content;
use clankers::recorded::settings::{self, Found};

/// What settings with this content and these globs come to.
fn recorded(content: Content, globs: &[&str]) -> Recorded {
    let (recorded, problems) = settings::read(&Found {
        content: Some(content.word().to_owned()),
        ignore: Some(globs.join(":")),
        home: "/home/user".to_owned(),
        platform: "linux".to_owned(),
        ..Found::default()
    });
    assert_eq!(problems, [""; 0]);
    recorded
}

//! Whatever JSON comes as an event or as an answer, the core does not panic, ends, and
//! gives commands that survive the wire.

use clankers::catch_up::Answer;
use clankers::model::command::Command;
use clankers::sources::Dialect;
use clankers::{Core, Options, Urgency};

use crate::documents;

/// How many requests are answered: who answers nonsense is asked for ever.
const MOST_ANSWERS: usize = 32;

/// Tells each document as an event, and then answers with them in turn.
pub fn run(dialect: Dialect, input: &[u8]) {
    let documents = documents(input);
    let mut core = Core::new(Options {
        dialect,
        ..Options::default()
    });
    for (at, event) in documents.iter().enumerate() {
        if core.observe(&event, 1e12) == Urgency::Now {
            settle(&mut core, at % 2 == 0);
        }
    }
    core.compare("/home/user/project");
    let ids = documents.iter().filter_map(|one| one["id"].as_str());
    core.fetch("/home/user/project", ids.map(str::to_owned).collect());
    for document in documents.iter().cycle().take(MOST_ANSWERS) {
        if core.next_request(1e12).is_none() {
            break;
        }
        core.answer(Answer::Found(&document), 1e12);
    }
    settle(&mut core, true);
    assert!(core.drain().is_empty());
    assert!(core.notices().iter().all(|notice| !notice.is_empty()));
}

fn settle(core: &mut Core, is_stored: bool) {
    for command in core.drain() {
        let wire = serde_json::to_string(command).expect("a command is JSON");
        let read: Command = serde_json::from_str(&wire).expect("a command is read back");
        assert_eq!(*command, read);
    }
    core.settle(is_stored);
}

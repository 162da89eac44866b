//! What may happen in OpenCode 2, at random: what may happen in OpenCode 1,
//! and what only OpenCode 2 has.

use proptest::prelude::*;

use crate::properties::history::{self as one, TEXT};

/// What happens next. Numbers pick among what there is.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// What both have. What only OpenCode 1 has changes nothing.
    Both(one::Deed),
    /// Something waits to be said: by a person, or a note.
    Wait {
        session: usize,
        text: String,
        is_note: bool,
    },
    /// What waits first is taken back.
    Cancel { session: usize },
    /// OpenCode puts a message in.
    Note {
        session: usize,
        text: String,
        note: Note,
    },
    /// A person runs a command.
    Shell { session: usize, exit: u8 },
    /// What was said is summed up.
    Compact {
        session: usize,
        reason: Reason,
        fails: bool,
        input: u32,
        quarters: u8,
    },
    /// The provider refuses, and is asked again for the same message.
    Retry { session: usize },
    /// It refuses for good.
    Fail { session: usize, is_paid: bool },
    /// A person interrupts; the message has no end if it waited to be tried again.
    Interrupt { session: usize, waits: bool },
    /// The line breaks, and another message goes on.
    Cut { session: usize },
    /// A title is made, which only the total shows.
    Title {
        session: usize,
        title: String,
        input: u32,
        quarters: u8,
    },
    /// A person chooses an agent, or a model.
    Select {
        session: usize,
        choice: u8,
        is_agent: bool,
    },
    /// A person is asked, and answers or does not.
    Ask { session: usize, is_answered: bool },
    /// A fork up to a message, while its origin may be at work.
    ForkAt {
        session: usize,
        pick: usize,
        is_through: bool,
    },
    /// A revert that is not committed.
    Stage { session: usize, is_cleared: bool },
}

/// Which message OpenCode puts in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Note {
    Synthetic,
    Skill,
    System,
}

/// Why a session is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Manual,
    Auto,
}

pub(crate) fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    prop::collection::vec(deed(), 1..40).prop_map(|mut deeds| {
        deeds.insert(0, Deed::Both(one::Deed::Create { parent: None }));
        deeds
    })
}

/// These as what happens in OpenCode 2.
pub(crate) fn of_one(deeds: &[one::Deed]) -> Vec<Deed> {
    deeds.iter().cloned().map(Deed::Both).collect()
}

fn deed() -> impl Strategy<Value = Deed> {
    let session = 0usize..6;
    let spent = (0u32..100, 0u8..9);
    let note = prop_oneof![Just(Note::Synthetic), Just(Note::Skill), Just(Note::System)];
    let reason = prop_oneof![Just(Reason::Manual), Just(Reason::Auto)];
    prop_oneof![
        36 => one::deed().prop_map(Deed::Both),
        2 => (session.clone(), TEXT, any::<bool>())
            .prop_map(|(session, text, is_note)| Deed::Wait { session, text, is_note }),
        1 => session.clone().prop_map(|session| Deed::Cancel { session }),
        2 => (session.clone(), TEXT, note)
            .prop_map(|(session, text, note)| Deed::Note { session, text, note }),
        1 => (session.clone(), 0u8..3).prop_map(|(session, exit)| Deed::Shell { session, exit }),
        2 => (session.clone(), reason, prop::bool::weighted(0.3), spent.clone()).prop_map(
            |(session, reason, fails, (input, quarters))| {
                Deed::Compact { session, reason, fails, input, quarters }
            }
        ),
        2 => session.clone().prop_map(|session| Deed::Retry { session }),
        2 => (session.clone(), any::<bool>())
            .prop_map(|(session, is_paid)| Deed::Fail { session, is_paid }),
        2 => (session.clone(), any::<bool>())
            .prop_map(|(session, waits)| Deed::Interrupt { session, waits }),
        1 => session.clone().prop_map(|session| Deed::Cut { session }),
        1 => (session.clone(), TEXT, spent).prop_map(|(session, title, (input, quarters))| {
            Deed::Title { session, title, input, quarters }
        }),
        1 => (session.clone(), 0u8..3, any::<bool>())
            .prop_map(|(session, choice, is_agent)| Deed::Select { session, choice, is_agent }),
        1 => (session.clone(), any::<bool>())
            .prop_map(|(session, is_answered)| Deed::Ask { session, is_answered }),
        2 => (session.clone(), 0usize..6, any::<bool>())
            .prop_map(|(session, pick, is_through)| Deed::ForkAt { session, pick, is_through }),
        1 => (session, any::<bool>())
            .prop_map(|(session, is_cleared)| Deed::Stage { session, is_cleared }),
    ]
}

//! What may happen in OpenCode, at random.

use proptest::prelude::*;

/// How a release tells of a stream and of a session's totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// 1.0: the whole text so far and what came to it; no totals.
    Whole,
    /// 1.3: what came to it; no totals.
    Deltas,
    /// 1.18: what came to it, in events with ids; totals that can fall.
    Numbered,
}

/// What happens next. Numbers pick among what there is.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Create {
        parent: Option<usize>,
    },
    Prompt {
        session: usize,
        text: String,
    },
    Answer {
        session: usize,
        model: u8,
    },
    Write {
        session: usize,
        text: String,
        reasoning: bool,
    },
    EndText {
        session: usize,
    },
    Call {
        session: usize,
        fails: bool,
        asked: bool,
    },
    Step {
        session: usize,
        input: u32,
        quarters: u8,
    },
    Complete {
        session: usize,
    },
    RemovePart {
        pick: usize,
    },
    Revert {
        session: usize,
        keep: usize,
    },
    Fork {
        session: usize,
    },
    Rename {
        session: usize,
        title: String,
    },
    Archive {
        session: usize,
        archived: bool,
    },
    Todos {
        session: usize,
        count: usize,
    },
    Delete {
        session: usize,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) release: Release,
    pub(crate) deeds: Vec<Deed>,
}

/// What is said, at random.
pub(crate) const TEXT: &str = "[a-z\u{e9}\u{1f600}\n ]{0,6}";

pub(crate) fn history() -> impl Strategy<Value = History> {
    let release = prop_oneof![
        Just(Release::Whole),
        Just(Release::Deltas),
        Just(Release::Numbered)
    ];
    let deeds = prop::collection::vec(deed(), 1..40);
    (release, deeds).prop_map(|(release, mut deeds)| {
        deeds.insert(0, Deed::Create { parent: None });
        History { release, deeds }
    })
}

pub(crate) fn deed() -> impl Strategy<Value = Deed> {
    let session = 0usize..6;
    let text = TEXT;
    prop_oneof![
        2 => prop::option::of(0usize..6).prop_map(|parent| Deed::Create { parent }),
        4 => (session.clone(), text).prop_map(|(session, text)| Deed::Prompt { session, text }),
        6 => (session.clone(), 0u8..3).prop_map(|(session, model)| Deed::Answer { session, model }),
        8 => (session.clone(), text, prop::bool::weighted(0.3))
            .prop_map(|(session, text, reasoning)| Deed::Write { session, text, reasoning }),
        3 => session.clone().prop_map(|session| Deed::EndText { session }),
        4 => (session.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(session, fails, asked)| Deed::Call { session, fails, asked }),
        4 => (session.clone(), 0u32..100, 0u8..9)
            .prop_map(|(session, input, quarters)| Deed::Step { session, input, quarters }),
        5 => session.clone().prop_map(|session| Deed::Complete { session }),
        1 => (0usize..64).prop_map(|pick| Deed::RemovePart { pick }),
        2 => (session.clone(), 0usize..4).prop_map(|(session, keep)| Deed::Revert { session, keep }),
        2 => session.clone().prop_map(|session| Deed::Fork { session }),
        1 => (session.clone(), text).prop_map(|(session, title)| Deed::Rename { session, title }),
        1 => (session.clone(), any::<bool>())
            .prop_map(|(session, archived)| Deed::Archive { session, archived }),
        1 => (session.clone(), 0usize..4).prop_map(|(session, count)| Deed::Todos { session, count }),
        1 => session.prop_map(|session| Deed::Delete { session }),
    ]
}

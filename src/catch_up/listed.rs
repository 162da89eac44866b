//! A session as a host lists it, and whether what is stored of it differs.

use super::stored::StoredSession;
use crate::model::copy_rank::CopyRank;
use crate::model::number::Number;
use crate::model::redaction::is_redacted;
use crate::model::row::SessionStatus;

impl StoredSession {
    /// Whether it is stored as being at work, and may have been cut off.
    pub fn is_at_work(&self) -> bool {
        let at_work = |status| status != SessionStatus::Idle;
        self.status.is_some_and(at_work)
    }

    /// Whether another copy told it, and this one ranks above that. Else what this one
    /// tells of the same time of change is not taken.
    pub(super) fn ranks_below(&self, copy: CopyRank) -> bool {
        self.copy_rank.is_some_and(|held| held < copy.number())
    }

    /// Whether something of it is known to be missing, whatever a host lists.
    pub(super) fn is_cut_off(&self) -> bool {
        let whole_at = match self.seen_here {
            Some(_) => self.whole_here,
            None => self.whole_at,
        };
        let is_gone = self.deleted_at.is_some() || self.missing_since.is_some();
        !is_gone && (self.is_at_work() || whole_at.is_none())
    }
}

/// What a host's list says of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: Option<String>,
    /// Its cost, US dollars, where the host says one.
    pub cost: Option<Number>,
    /// When it was changed last, Unix milliseconds.
    pub updated_at: Option<Number>,
    /// When it was archived; none where it is not.
    pub archived_at: Option<Number>,
    /// The directory that it works in.
    pub directory: Option<String>,
}

impl Listed {
    /// Leaves nothing to compare that is never stored, but for what says that all its
    /// words were taken out.
    pub(super) fn forget_content(&mut self) {
        self.title = self.title.take().filter(|title| is_redacted(title));
    }

    /// Whether what is stored of it lacks something that the host has. Only
    /// where the store is known can it bring back what was missing or deleted.
    pub(super) fn is_news(&self, stored: &StoredSession, by: ListedBy) -> bool {
        let is_back = by == ListedBy::Store
            && (stored.deleted_here.is_some()
                || stored.missing_since.is_some()
                || stored.missing_here.is_some()
                || self.is_gone_on_with(stored));
        let is_changed = || stored.is_at_work() || self.is_changed(stored, by);
        is_back || stored.deleted_at.is_none() && is_changed()
    }

    /// Whether another store told its deletion, and it was changed here since.
    fn is_gone_on_with(&self, stored: &StoredSession) -> bool {
        stored.deleted_at.is_some()
            && !stored.is_for_good
            && stored.deleted_at < self.updated_at
            && stored.whole_here != self.updated_at
    }

    fn is_changed(&self, stored: &StoredSession, by: ListedBy) -> bool {
        match by {
            ListedBy::Copy(rank) => self.has_more_than(stored, rank),
            ListedBy::Store | ListedBy::Unknown => self.is_changed_at_its_store(stored, by),
        }
    }

    /// Whether its time of change says so. A store may go back in time, where a
    /// copy of it was put in its place; and a copy of another store may have gone
    /// on by itself, before that one did.
    fn is_changed_at_its_store(&self, stored: &StoredSession, by: ListedBy) -> bool {
        let (whole_at, is_changed) = match stored.seen_here {
            Some(_) => (stored.whole_here, stored.whole_here != self.updated_at),
            None if by == ListedBy::Store => (stored.whole_at, stored.whole_at != self.updated_at),
            None => (stored.whole_at, stored.whole_at < self.updated_at),
        };
        // What another store had later is not what this one lists.
        let is_of_another = stored.whole_at > self.updated_at;
        let differs = || whole_at == self.updated_at && !is_of_another && self.differs(stored);
        whole_at.is_none() || is_changed || differs()
    }

    /// Whether a copy has something of it that is not stored. One of which the words
    /// were taken out never has all, so it is not asked for until nothing is missing,
    /// but until it is stored; and so is one that does not say when it was changed.
    fn has_more_than(&self, stored: &StoredSession, rank: CopyRank) -> bool {
        let stored_at = if self.is_taken_out() || self.updated_at.is_none() {
            stored.updated_at
        } else {
            stored.whole_at
        };
        let is_unread = match self.updated_at {
            Some(updated_at) => stored_at.is_none_or(|stored_at| stored_at < updated_at),
            None if self.title.is_some() => stored.title.is_none(),
            // What is told of it without a title it has, once it was told by anybody.
            None => stored.updated_at.is_none() && stored.copy_rank.is_none(),
        };
        let rank = rank.of_session(self.is_taken_out());
        let is_other = || {
            self.costs_more(stored) || stored.ranks_below(rank) && self.is_called_otherwise(stored)
        };
        // What was told of another time ranks by that.
        let is_of_its_time = [stored_at, stored.updated_at] == [self.updated_at; 2];
        is_unread || self.has_title_for(stored) || is_of_its_time && is_other()
    }

    /// OpenCode 1.18 adds the last step to a session's totals and tells nobody: who
    /// has more of the same time of change is right, whatever its rank.
    fn costs_more(&self, stored: &StoredSession) -> bool {
        self.cost_beyond(stored) > CENTS
    }

    /// How much more it costs than is stored, US dollars; nothing where the host says
    /// no cost.
    fn cost_beyond(&self, stored: &StoredSession) -> f64 {
        self.cost.map_or(0.0, |cost| (cost - stored.cost).get())
    }

    /// Whether its title, and with that all its words, were taken out.
    pub(super) fn is_taken_out(&self) -> bool {
        self.title.as_deref().is_some_and(is_redacted)
    }

    /// Whether it has a title, and none is stored, as where no content was recorded, or
    /// nothing is left of it.
    fn has_title_for(&self, stored: &StoredSession) -> bool {
        let has_title = self.title.as_deref().is_some_and(|title| !title.is_empty());
        has_title && !self.is_taken_out() && stored.title.as_deref().is_none_or(is_redacted)
    }

    /// A few changes, such as archiving or a fork's totals, leave the time of
    /// change as it was.
    fn differs(&self, stored: &StoredSession) -> bool {
        self.cost_beyond(stored).abs() > CENTS || self.is_called_otherwise(stored)
    }

    /// Whether its title differs, or when it was archived.
    fn is_called_otherwise(&self, stored: &StoredSession) -> bool {
        // A title that was taken out replaces none.
        let title = self.title.as_deref().filter(|title| !is_redacted(title));
        (title.is_some() && stored.title.as_deref() != title)
            || stored.archived_at != self.archived_at
    }
}

/// Where a list of sessions comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ListedBy {
    /// A store of the agent's that is known.
    Store,
    /// The agent, and which store it works on is not known.
    Unknown,
    /// A copy of the agent's data.
    Copy(CopyRank),
}

/// A difference in cost that is none, US dollars: sums are rounded.
const CENTS: f64 = 1e-9;

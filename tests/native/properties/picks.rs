//! What a deed is done to: it names it by a number, in the model of either engine.

/// The state of an engine, of which a deed picks something.
pub(crate) trait Picks: Sized {
    /// The sessions that were not deleted, in the order of their ids.
    fn alive(&self) -> Vec<&String>;

    /// The answer that is being written in a session.
    fn open_answer(&self, session: &str) -> Option<String>;

    /// The present.
    fn clock(&mut self) -> &mut u32;

    /// The session of this number.
    fn session(&self, pick: usize) -> Option<String> {
        let alive = self.alive();
        let place = pick.checked_rem(alive.len())?;
        alive.get(place).map(|id| (*id).clone())
    }

    fn in_session(&mut self, pick: usize, act: impl FnOnce(&mut Self, &str)) {
        if let Some(id) = self.session(pick) {
            act(self, &id);
        }
    }

    fn in_answer(&mut self, pick: usize, act: impl FnOnce(&mut Self, &str)) {
        let open = self.session(pick).and_then(|id| self.open_answer(&id));
        if let Some(answer) = open {
            act(self, &answer);
        }
    }

    /// An id that there was none of, a little later.
    fn new_id(&mut self, kind: &str) -> String {
        let now = self.clock();
        *now += 1;
        format!("{kind}_{now:09}")
    }
}

//! What stands above the messages: the session's title and what is known of it.

use super::transcript::Transcript;
use crate::output::{counted, money, one_line, time};
use crate::plugin::seen::release_name;

impl Transcript {
    /// The session's title, or why it has none.
    pub(super) fn title(&self) -> String {
        let fallback = if self.session.int("deleted_at").is_some() {
            "(deleted)"
        } else if self.session.missing_since().is_some() {
            "(missing)"
        } else {
            "(no title)"
        };
        one_line(self.session.text("title").unwrap_or(fallback))
    }

    /// What is known of it: its id, where it ran, what it cost, its state.
    pub(super) fn facts(&self) -> Vec<String> {
        let session = &self.session;
        let mut facts = vec![
            session.text("id").unwrap_or_default().to_owned(),
            self.origin(),
            self.spending(),
        ];
        let parent = session.text("parent_id");
        facts.extend(parent.map(|parent| format!("sub-agent of {parent}")));
        let states = [
            ("deleted", session.int("deleted_at")),
            ("missing in OpenCode since", session.missing_since()),
            ("archived", session.int("archived_at")),
        ];
        for (state, at) in states {
            facts.extend(at.map(|at| format!("{state} {}", time(at))));
        }
        facts.retain(|fact| !fact.is_empty());
        facts
    }

    /// Where and when it began, with which release.
    fn origin(&self) -> String {
        let version = self.session.text("source_version");
        let source = self.session.text("source");
        joined(&[
            self.session.text("project_path").map(one_line),
            self.session.int("created_at").map(time),
            version.map(|version| release_name(source, &one_line(version))),
        ])
    }

    /// The model, and what was spent.
    fn spending(&self) -> String {
        let model = self.session.text("model");
        let model = model.map(|model| match self.session.text("provider") {
            Some(provider) => format!("{provider}/{model}"),
            None => model.to_owned(),
        });
        let tokens = self.spent.int("inclusive_tokens");
        let tokens = tokens.filter(|&tokens| tokens > 0);
        let cost = self.spent.real("inclusive_cost");
        let of_sub_agents = cost - self.spent.real("own_cost");
        let has_sub_agents = of_sub_agents.abs() > 1e-9;
        joined(&[
            model,
            tokens.map(|tokens| counted(tokens, "token")),
            Some(money(cost)),
            has_sub_agents.then(|| format!("of it {} by sub-agents", money(of_sub_agents))),
        ])
    }
}

fn joined(facts: &[Option<String>]) -> String {
    let known: Vec<&str> = facts.iter().flatten().map(String::as_str).collect();
    known.join(" · ")
}

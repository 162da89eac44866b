//! `clankers stats --tree`: sessions with their sub-agents under them.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::cell::Cell;
use crate::commands::filter::Filter;
use crate::error::Result;
use crate::output::{Kind, Out, Table, column};

const SESSIONS: &str = "\
SELECT sessions.id, parent_id,
  CASE
    WHEN deleted_at IS NOT NULL THEN coalesce(title, '(deleted)')
    WHEN missing_since IS NOT NULL THEN '(missing)'
    ELSE coalesce(title, '') END, agent,
  own_tokens, round(own_cost, 9), inclusive_tokens, round(inclusive_cost, 9), sessions.cost,
  round(inherited_cost, 9)
FROM sessions JOIN session_usage ON session_usage.session_id = sessions.id
WHERE (:since IS NULL OR coalesce(updated_at, created_at) >= :since)
  AND (:until IS NULL OR coalesce(updated_at, created_at) < :until)
  AND (:project IS NULL OR project_name LIKE :project ESCAPE '\\' OR project_path LIKE :project ESCAPE '\\')
  AND (:model IS NULL OR model LIKE :model ESCAPE '\\' OR provider LIKE :model ESCAPE '\\')
  AND :more IS NULL
ORDER BY inclusive_cost DESC, sessions.id";

/// Prints each session, its sub-agents indented below it.
pub(super) fn run(filter: &Filter, db: &Connection, out: &mut Out) -> Result<()> {
    let columns = vec![
        column("id", Kind::Id).titled("session"),
        column("parent_id", Kind::Id).data(),
        column("title", Kind::Text),
        column("agent", Kind::Text),
        column("own_tokens", Kind::Count),
        column("own_cost", Kind::Money),
        column("inclusive_tokens", Kind::Count).titled("with sub-agents"),
        column("inclusive_cost", Kind::Money).titled("cost"),
        column("opencode_cost", Kind::Money).titled("OpenCode says"),
        column("inherited_cost", Kind::Money).data(),
    ];
    let flat = filter.table(columns, &mut db.prepare(SESSIONS)?, &rusqlite::types::Null)?;
    let mut table = Table::new(flat.columns.clone());
    for (depth, at) in order(&flat) {
        let Some(mut row) = flat.rows.get(at).cloned() else {
            continue;
        };
        if out.is_human()
            && depth > 0
            && let Some(Cell::Text(title)) = row.get_mut(2)
        {
            *title = format!("{}└ {title}", "\u{a0}\u{a0}".repeat(depth - 1));
        }
        table.rows.push(row);
    }
    out.table(&table)?;
    if table.rows.is_empty() {
        return out.aside("no session matches");
    }
    out.aside("cost is what was spent with sub-agents; OpenCode's figure is each session's own")
}

/// The rows as they stand in the tree, with their depth. Sessions whose parent
/// is not among them are roots; a cycle of parents is broken where it is met.
fn order(flat: &Table) -> Vec<(usize, usize)> {
    let text = |row: &Vec<Cell>, at: usize| row.get(at).map(Cell::plain).unwrap_or_default();
    let ids: BTreeSet<String> = flat.rows.iter().map(|row| text(row, 0)).collect();
    let mut children: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, row) in flat.rows.iter().enumerate() {
        let parent = Some(text(row, 1))
            .filter(|parent| ids.contains(parent))
            .unwrap_or_default();
        children.entry(parent).or_default().push(at);
    }
    let roots = children.get("").cloned().unwrap_or_default();
    let mut stack: Vec<(usize, usize)> = roots.into_iter().rev().map(|at| (0, at)).collect();
    let mut seen = BTreeSet::new();
    let mut ordered = Vec::new();
    loop {
        let Some((depth, at)) = stack.pop() else {
            // What is left belongs to cycles of parents: begin anywhere in one.
            let Some(left) = (0..flat.rows.len()).find(|at| !seen.contains(at)) else {
                break;
            };
            stack.push((0, left));
            continue;
        };
        if !seen.insert(at) {
            continue;
        }
        ordered.push((depth, at));
        let id = flat
            .rows
            .get(at)
            .map(|row| text(row, 0))
            .unwrap_or_default();
        let below = children.get(&id).into_iter().flatten().rev();
        stack.extend(below.map(|&child| (depth + 1, child)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::{Table, order};
    use crate::cell::Cell;

    #[test]
    fn a_cycle_of_parents_ends() {
        let row = |id: &str, parent: &str| vec![Cell::from(id), Cell::from(parent)];
        let rows = vec![
            row("a", "b"),
            row("b", "a"),
            row("c", ""),
            row("d", "c"),
            row("e", "d"),
        ];
        let table = Table {
            columns: Vec::new(),
            rows,
        };
        assert_eq!(order(&table), [(0, 2), (1, 3), (2, 4), (0, 0), (1, 1)]);
    }
}

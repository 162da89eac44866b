//! The numbers of batches that are stored, and how their writers are.

/// Claims a writer's batch, `?1`, `{ writer, number, report }`, in the transaction that
/// stores it: answers a row if it is to be stored, and none if it, or a later
/// one of that writer, has been. So it does not matter which of two processes
/// that hold a batch comes last: it is neither counted twice, nor does it put
/// older values in the place of newer ones. The
/// [`Report`](crate::model::report::Report) is kept with it, where there is one.
pub const CLAIM_BATCH: &str = "\
INSERT INTO batches (writer, number, stored_at, report)
VALUES (?1 ->> 'writer', ?1 ->> 'number', unixepoch(), ?1 ->> 'report')
ON CONFLICT (writer) DO UPDATE SET number = excluded.number, stored_at = excluded.stored_at,
  report = coalesce(excluded.report, batches.report)
WHERE excluded.number > batches.number
RETURNING number";

/// Forgets writers that are long gone, their numbers and their reports.
pub const FORGET_BATCHES: &str = "DELETE FROM batches WHERE stored_at < unixepoch() - 7 * 86400";

//! The numbers of batches that are stored.

/// Claims a writer's batch, `?1`, `{ writer, number }`, in the transaction that
/// stores it: answers a row if it is to be stored, and none if it, or a later
/// one of that writer, has been. So it does not matter which of two processes
/// that hold a batch comes last: it is neither counted twice, nor does it put
/// older values in the place of newer ones.
pub const CLAIM_BATCH: &str = "\
INSERT INTO batches (writer, number, stored_at)
VALUES (?1 ->> 'writer', ?1 ->> 'number', unixepoch())
ON CONFLICT (writer) DO UPDATE SET number = excluded.number, stored_at = excluded.stored_at
WHERE excluded.number > batches.number
RETURNING number";

/// Forgets the numbers of writers that are long gone.
pub const FORGET_BATCHES: &str = "DELETE FROM batches WHERE stored_at < unixepoch() - 7 * 86400";

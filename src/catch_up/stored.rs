//! What the store answers, `store::STORED_SESSIONS` and `store::STORED_MESSAGES`: what
//! is said once of a row's columns gives its struct, its reading and its TypeScript type.

use crate::model::number::Number;
use crate::model::row::SessionStatus;
use crate::read::node::Node;

/// What a column of a row is read as. Nothing where the row is then none.
trait Cell: Sized {
    fn read<N: Node>(row: &N, name: &'static str) -> Option<Self>;
}

impl Cell for String {
    fn read<N: Node>(row: &N, name: &'static str) -> Option<Self> {
        row.text_at(name)
    }
}

impl Cell for Option<String> {
    fn read<N: Node>(row: &N, name: &'static str) -> Option<Self> {
        Some(row.text_at(name))
    }
}

impl Cell for Option<Number> {
    fn read<N: Node>(row: &N, name: &'static str) -> Option<Self> {
        Some(row.number_at(name).and_then(Number::new))
    }
}

/// Zero where there is none.
impl Cell for Number {
    fn read<N: Node>(row: &N, name: &'static str) -> Option<Self> {
        <Option<Self> as Cell>::read(row, name).map(Option::unwrap_or_default)
    }
}

/// A number, as SQL has it.
impl Cell for bool {
    fn read<N: Node>(row: &N, name: &'static str) -> Option<Self> {
        <Number as Cell>::read(row, name).map(|is_it| !is_it.is_zero())
    }
}

impl Cell for Option<SessionStatus> {
    fn read<N: Node>(row: &N, name: &'static str) -> Option<Self> {
        let word = row.text_at(name);
        Some(word.and_then(|word| SessionStatus::parse(&word)))
    }
}

/// A JSON list.
impl Cell for Vec<String> {
    fn read<N: Node>(row: &N, name: &'static str) -> Option<Self> {
        let list = row.text_at(name)?;
        Some(serde_json::from_str(&list).unwrap_or_default())
    }
}

/// Declares what a query selects.
macro_rules! stored {
    (
        $(#[doc = $doc:literal])+
        $name:ident {
            $($(#[doc = $fdoc:literal])+ $field:ident: $json:literal $type:ty = $ts:literal;)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $($(#[doc = $fdoc])+ pub $field: $type,)+
        }

        impl $name {
            /// The query's columns.
            pub const COLUMNS: &'static [&'static str] = &[$($json,)+];
            /// The row's TypeScript type, for the generated declarations.
            pub const TYPESCRIPT: &'static str = concat!(
                "/**", $($doc,)+ " */\nexport interface ", stringify!($name), " {\n",
                $("  /**", $($fdoc,)+ " */\n  ", $json, ": ", $ts, ";\n",)+
                "}\n",
            );

            /// Reads a row of the query.
            pub fn read<N: Node>(row: &N) -> Option<Self> {
                Some(Self { $($field: Cell::read(row, $json)?,)+ })
            }
        }
    };
}

stored! {
    /// A session as it is stored. Of one that was purged little is known.
    StoredSession {
        /// Its id.
        id: "id" String = "string";
        /// When it was changed last, as far as is stored, Unix milliseconds.
        updated_at: "updatedAt" Option<Number> = "number | null";
        /// The time of change up to which nothing of it is missing, whoever told it.
        whole_at: "wholeAt" Option<Number> = "number | null";
        /// The same as the store has it that is asked.
        whole_here: "wholeHere" Option<Number> = "number | null";
        /// How the copy ranks that told it last; none where the agent itself did.
        copy_rank: "copyRank" Option<Number> = "number | null";
        /// When it was deleted, Unix milliseconds.
        deleted_at: "deletedAt" Option<Number> = "number | null";
        /// Its title, as far as is stored.
        title: "title" Option<String> = "string | null";
        /// Its cost, US dollars; none where it was purged.
        cost: "cost" Number = "number | null";
        /// When it was archived.
        archived_at: "archivedAt" Option<Number> = "number | null";
        /// The directory it works in.
        project_path: "projectPath" Option<String> = "string | null";
        /// What it is doing, as far as is stored.
        status: "status" Option<SessionStatus> = "SessionStatus | null";
        /// Since when every store that had it lacks it.
        missing_since: "missingSince" Option<Number> = "number | null";
        /// When the store that is asked told of it last; none where it never did.
        seen_here: "seenHere" Option<Number> = "number | null";
        /// Since when that store lacks it.
        missing_here: "missingHere" Option<Number> = "number | null";
        /// When that store told its deletion, if nobody did later.
        deleted_here: "deletedHere" Option<Number> = "number | null";
        /// Whether it was deleted and no store may bring it back, as where a person
        /// has asked clankers to delete it: 1 or 0.
        is_for_good: "isForGood" bool = "number";
    }
}

stored! {
    /// A message as it is stored.
    StoredMessage {
        /// Its id.
        id: "id" String = "string";
        /// The ids of its parts and tool calls, a JSON list.
        part_ids: "partIds" Vec<String> = "string";
    }
}

//! What is said once of each column: its names, its type, and which of two
//! values stays. The store makes its SQL from it, the reconciler merges by it.

use crate::model::known::Known;

/// Which of two values of a column stays: the one that is held, or a newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The newer one, if it is known.
    Latest,
    /// Like `Latest`, unless the row was erased: then it stays what it is.
    Content,
    /// Like `Content`, until there are parts that it is derived from.
    Derived,
    /// The first value.
    First,
    /// The least value: of a time that is noted when it is observed.
    Earliest,
    /// The greatest value, and also where the row itself is older than the
    /// stored one: of what was spent, which is never lowered.
    Greatest,
    /// Like `Latest`, once OpenCode reports totals for the session.
    Reported,
    /// Like `Latest`, and also where the row itself is older than the stored one.
    Apart,
    /// Like `First`, and also where the row itself is older: of who tells it.
    Provenance,
}

impl Rule {
    /// Whether a row that is older than the stored one leaves the column alone.
    pub const fn is_guarded(self) -> bool {
        !matches!(self, Self::Apart | Self::Greatest | Self::Provenance)
    }

    /// Takes over of `newer` what stays of it.
    pub(crate) fn merge<T: PartialOrd>(self, held: &mut Known<T>, newer: Known<T>) {
        let is_kept = match (self, held.value(), newer.value()) {
            (Self::First | Self::Provenance, Some(_), _)
            | (Self::Earliest | Self::Greatest, Some(_), None) => true,
            (Self::Earliest, Some(held), Some(newer)) => held <= newer,
            (Self::Greatest, Some(held), Some(newer)) => held >= newer,
            _ => false,
        };
        if !is_kept {
            held.merge_from(newer);
        }
    }
}

/// When a column is stored, by what a person wants to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Always: ids, times, names of models and tools, counts, what it cost.
    Always,
    /// Where content is recorded too: what is written, read and done, and where.
    InFull,
}

/// When a row that comes in is older than the stored one, and changes nothing
/// of it but what is not [guarded](Rule::is_guarded).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Never.
    Never,
    /// Its `updated_at` is less, or when it was told where it has none.
    Updated,
    /// It is known not to be completed and the stored one is, or it was
    /// completed earlier.
    Completed,
    /// It is still written and the stored one has ended or is longer; or it
    /// has a start, a text and no end that is told, and the stored one has ended.
    Written,
    /// It is not as far: pending, running, then ended one way or the other.
    Status,
}

/// A column of a table that a command fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The table that holds it; none where it only says how to take the others.
    pub table: &'static str,
    /// Its name in that table.
    pub name: &'static str,
    /// Its name on the wire.
    pub json: &'static str,
    /// The type of its values on the wire, in TypeScript.
    pub typescript: &'static str,
    /// Its type in that table.
    pub sql_type: &'static str,
    /// What is stored where there is no value, as SQL.
    pub default: &'static str,
    /// Which of two values stays.
    pub rule: Rule,
    /// When it is stored.
    pub kept: Kept,
}

/// A row of a table, as far as it is known.
pub trait Row: Sized {
    /// The table.
    const TABLE: &'static str;
    /// What says that a row is older than the stored one.
    const GUARD: Guard;
    /// The columns that say which row it is and what it belongs to: its key first.
    const KEYS: &'static [Column];
    /// The other columns, in the order of the declaration.
    const COLUMNS: &'static [Column];

    /// Whether the other row is the same one and belongs to the same.
    fn has_keys_of(&self, other: &Self) -> bool;

    /// Which of the guarded columns are known: a bit for each column.
    fn known(&self) -> u64;

    /// Takes over what `newer` tells, each column by its rule.
    fn merge_from(&mut self, newer: Self);

    /// The same of the columns that are not guarded alone.
    fn merge_unguarded(&mut self, newer: &Self);

    /// Tells nothing any more of what is [kept in full](Kept::InFull) only.
    fn forget_content(&mut self);

    /// The bytes of what it tells, about.
    fn weight(&self) -> usize;
}

/// Declares a row: its struct, what is said of each column, and its
/// TypeScript type, from one list of fields.
macro_rules! row {
    (
        $(#[$doc:meta])*
        $name:ident in $table:literal guarded by $guard:ident {
            $($(#[$kdoc:meta])* $key:ident: $kjson:literal $(or $kalias:literal)? kept $kkept:ident),+ $(,)?
        }
        $($(#[$fdoc:meta])*
        $field:ident: $json:literal $type:ty = $ts:literal,
            $sql:ident $($column:literal)? $(or $default:literal)? $(of $place:literal)?, $rule:ident, $kept:ident;)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$kdoc])* #[serde(rename = $kjson $(, alias = $kalias)?)] pub $key: String,)+
            $($(#[$fdoc])*
            #[serde(rename = $json, default, skip_serializing_if = "Known::is_unknown")]
            pub $field: Known<$type>,)*
        }

        impl $name {
            /// The row's TypeScript type, for the generated declarations.
            pub const TYPESCRIPT: &'static str = concat!(
                "export interface ", stringify!($name), " {\n",
                $("  ", $kjson, ": string;\n",)+
                $("  ", $json, "?: ", $ts, " | null;\n",)*
                "}\n",
            );
        }

        impl Row for $name {
            const TABLE: &'static str = $table;
            const GUARD: Guard = Guard::$guard;
            const KEYS: &'static [Column] = &[$(Column {
                table: $table,
                name: stringify!($key),
                json: $kjson,
                typescript: "string",
                sql_type: "TEXT",
                default: "NULL",
                rule: Rule::First,
                kept: Kept::$kkept,
            },)+];
            const COLUMNS: &'static [Column] = &[$(Column {
                table: row!(@or $table $(, $place)?),
                name: row!(@or (stringify!($field)) $(, $column)?),
                json: $json,
                typescript: $ts,
                sql_type: stringify!($sql),
                default: row!(@or "NULL" $(, $default)?),
                rule: Rule::$rule,
                kept: Kept::$kept,
            },)*];

            fn has_keys_of(&self, other: &Self) -> bool {
                $(self.$key == other.$key)&&+
            }

            fn known(&self) -> u64 {
                let columns = [$((Rule::$rule.is_guarded(), self.$field.is_unknown()),)*];
                let bits = columns.iter().enumerate();
                bits.filter(|(_, (is_guarded, is_unknown))| *is_guarded && !is_unknown)
                    .fold(0, |known, (at, _)| known | 1 << at)
            }

            fn merge_from(&mut self, newer: Self) {
                $(Rule::$rule.merge(&mut self.$field, newer.$field);)*
            }

            fn merge_unguarded(&mut self, newer: &Self) {
                $(if !Rule::$rule.is_guarded() {
                    Rule::$rule.merge(&mut self.$field, newer.$field.clone());
                })*
            }

            fn forget_content(&mut self) {
                $(if Kept::$kkept == Kept::InFull {
                    self.$key.clear();
                })+
                $(if Kept::$kept == Kept::InFull {
                    self.$field = Known::Unknown;
                })*
            }

            fn weight(&self) -> usize {
                0 $(+ self.$key.weight())+ $(+ self.$field.weight())*
            }
        }
    };
    (@or $default:tt) => { row!(@is $default) };
    (@or $default:tt, $given:literal) => { $given };
    (@is ($default:expr)) => { $default };
    (@is $default:expr) => { $default };
}

pub(crate) use row;

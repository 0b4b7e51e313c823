//! The sequence of an identity column as people write it: keys of the column's `identity`, or SEQUENCE NAME in SQL.

use super::IdentitySequence;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::ident::Ident;
use crate::span::Span;
use crate::yaml::Flag;

/// What is said about the sequence of an identity column, before its table is known.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Its name, with its schema where that is said, and where.
    pub name: Option<(Vec<Ident>, Span)>,
    /// Whether it is unlogged.
    pub unlogged: Option<Flag>,
}

/// The sequence of a column of a table. What is as the table has it goes without saying.
///
/// # Errors
/// Another schema than the table's: PostgreSQL keeps both in one.
pub fn sequence(said: &Said, schema: Ident, table_is_unlogged: bool) -> Result<IdentitySequence, Diagnostic> {
    let name = match &said.name {
        None => None,
        Some((parts, span)) => match parts.as_slice() {
            [own] => Some(*own),
            [place, own] if *place == schema => Some(*own),
            _ => {
                let message = "the sequence of an identity column is in the schema of its table";
                let error = Diagnostic::error(Code::WrongStatement, message).at(*span);
                return Err(error.help(format!("write its name without a schema; it is in {schema}")));
            }
        },
    };
    let unlogged = said.unlogged.map(|flag| flag.value).filter(|unlogged| *unlogged != table_is_unlogged);
    Ok(IdentitySequence { name, unlogged })
}

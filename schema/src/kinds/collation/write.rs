//! Collations in the files of an import.

use super::Collation;
use crate::id::ObjectId;
use crate::write::{Node, Writer, name};

/// A collation.
pub fn write(collation: &Collation, id: ObjectId, out: &mut Writer<'_>) {
    let Collation { provider, collate, ctype, deterministic, rules, owner } = collation;
    let owner = owner.0.filter(|owner| Some(*owner) != out.owner);
    let entry = out.entry(id);
    entry.set("provider", Node::word(provider));
    if collate == ctype {
        entry.set("locale", Node::Text(collate.as_str().into()));
    } else {
        entry.set("lc_collate", Node::Text(collate.as_str().into()));
        entry.set("lc_ctype", Node::Text(ctype.as_str().into()));
    }
    if !deterministic {
        entry.set("deterministic", Node::word(false));
    }
    if let Some(rules) = rules {
        entry.set("rules", Node::Text(rules.as_str().into()));
    }
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
}

//! Sorts the tables of the flat schema `public` into domains, as rules say.

use crate::relocate::Relocation;
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::declare::Move;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::kinds;
use schemac_schema::spec::RuleSpec;
use schemac_schema::sql;
use schemac_schema::write::{File, Node, Writer};
use std::collections::BTreeSet;

/// What the rules come to.
#[derive(Debug, Default)]
pub struct Sorted {
    /// The tables that go elsewhere.
    pub moves: Vec<Move>,
    /// The tables that no rule speaks of.
    pub review_needed: Vec<QName>,
    /// The rules that fit no table.
    pub unused_rules: Vec<String>,
}

/// Asks the rules about each table of `public`; the first that fits counts.
pub fn sort(catalog: &Catalog, rules: &[RuleSpec]) -> Sorted {
    let mut sorted = Sorted::default();
    let mut used = BTreeSet::new();
    for (id, entry) in catalog.iter() {
        let Some(table) = id.qname().filter(|table| table.schema.as_str() == "public") else { continue };
        // A partition stays with the others of its table.
        let Some(partition) = kinds::is_partition(&entry.object) else { continue };
        if rules.is_empty() || entry.standing != Standing::Managed || partition {
            continue;
        }
        let Some(at) = rules.iter().position(|rule| rule.matches(table.name.as_str())) else {
            sorted.review_needed.push(table);
            continue;
        };
        let rule = &rules[at];
        used.insert(at);
        let own = rule.name.as_ref().map_or(table.name, |name| Ident::new(name.as_str()));
        let to = ObjectId::of_table(QName::new(rule.domain.as_str(), own));
        if to != id {
            sorted.moves.push(Move { from: vec![id], to, span: rule.domain.span });
        }
    }
    let unused = rules.iter().enumerate().filter(|(at, _)| !used.contains(at));
    sorted.unused_rules = unused.map(|(_, rule)| rule.r#match.as_str().to_owned()).collect();
    sorted
}

/// Writes where a table was, its facade, and in a new domain who may look into it: whoever may do something with it.
pub fn write_move(relocation: &Relocation, writer: &mut Writer<'_>) {
    let (Some(old), Some(new)) = (relocation.from.qname(), relocation.to.qname()) else { return };
    if !relocation.to.kind().has_plain_columns() {
        return;
    }
    let name = sql::qualified(old);
    let entry = writer.entry(relocation.to);
    entry.set("moved_from", Node::List(vec![Node::Text(name.clone())]));
    entry.set("facade", Node::Text(name));
    if writer.catalog.contains(ObjectId::of_schema(new.schema)) {
        return;
    }
    let grantees: BTreeSet<Ident> = writer
        .catalog
        .descendants(relocation.to)
        .into_iter()
        .filter(|id| id.kind().is_grant())
        .map(ObjectId::name)
        .collect();
    let file = writer.file(File::Domain(new.schema));
    for grantee in grantees {
        file.named("grants").put(grantee.as_str(), "", 0, Node::word("usage"));
    }
}

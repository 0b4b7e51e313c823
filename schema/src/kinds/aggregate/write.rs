//! Aggregates in the files of an import; the keys are the words of CREATE AGGREGATE.

use super::{Aggregate, Modify, Way};
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::function::Parallel;
use crate::kinds::grant;
use crate::reference::Reference;
use crate::sql::{self, Sql};
use crate::write::{Map, Node, Writer, name};

/// An aggregate.
pub fn write(aggregate: &Aggregate, id: ObjectId, out: &mut Writer<'_>) {
    let Aggregate { arguments, ordered, way, moving, combine, serialize, deserialize, sort, parallel, owner } =
        aggregate;
    let owner = owner.0.filter(|owner| Some(*owner) != out.owner);
    let everybody = out.catalog.contains(grant::id(id, Ident::new("public")));
    let entry = out.entry(id);
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
    if !everybody {
        entry.set("public", Node::word("none"));
    }
    if !arguments.is_empty() {
        let mut sql = Sql::default();
        aggregate.write_arguments(&mut sql);
        entry.set("arguments", Node::Sql(sql.into_text()));
    }
    const USUAL: [&str; 8] =
        ["sfunc", "", "stype", "sspace", "finalfunc", "finalfunc_extra", "finalfunc_modify", "initcond"];
    const MOVING: [&str; 8] = [
        "msfunc",
        "minvfunc",
        "mstype",
        "msspace",
        "mfinalfunc",
        "mfinalfunc_extra",
        "mfinalfunc_modify",
        "minitcond",
    ];
    write_way(way, &USUAL, ordered.is_some(), entry);
    if let Some(moving) = moving {
        write_way(moving, &MOVING, ordered.is_some(), entry);
    }
    reference(entry, "combinefunc", combine.as_ref());
    reference(entry, "serialfunc", serialize.as_ref());
    reference(entry, "deserialfunc", deserialize.as_ref());
    entry.flag("hypothetical", ordered.is_some_and(|ordered| ordered.hypothetical));
    match parallel {
        Parallel::Unsafe => {}
        Parallel::Restricted => drop(entry.set("parallel", Node::word("restricted"))),
        Parallel::Safe => drop(entry.set("parallel", Node::word("safe"))),
    }
    if let Some((schema, operator)) = sort {
        let text = format!("{}.{}", schema.as_str(), operator.as_str());
        entry.set("sortop", Node::Sql(text));
    }
}

fn write_way(way: &Way, keys: &[&'static str; 8], ordered: bool, entry: &mut Map) {
    reference(entry, keys[0], Some(&way.transition));
    reference(entry, keys[1], way.inverse.as_ref());
    entry.set(keys[2], Node::Sql(way.state.text().as_str().into()));
    if way.space != 0 {
        entry.set(keys[3], Node::word(way.space));
    }
    reference(entry, keys[4], way.last.as_ref());
    entry.flag(keys[5], way.extra);
    if way.modify != Modify::usual(ordered) {
        entry.set(keys[6], Node::word(way.modify.word().to_ascii_lowercase()));
    }
    if let Some(first) = way.first {
        entry.set(keys[7], Node::Text(first.as_str().into()));
    }
}

fn reference(entry: &mut Map, key: &'static str, reference: Option<&Reference>) {
    if let Some(name) = reference.and_then(Reference::qname) {
        entry.set(key, Node::Text(sql::qualified(name)));
    }
}

//! A digest of objects as they are, so that `apply` can tell whether they changed since the plan was made.

use schemac_schema::catalog::Catalog;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// What a plan was made from, as far as it concerns the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The objects that it concerns, by the names that they had and those that they get.
    pub concerned: Vec<ObjectId>,
    /// A digest of them as they were.
    pub fingerprint: String,
    /// The schemas that belonged to somebody else.
    pub external: BTreeSet<Ident>,
    /// The server's major version.
    pub version: u32,
}

impl Seen {
    /// Whether the objects are in that catalog as they were.
    pub fn holds(&self, catalog: &Catalog) -> bool {
        fingerprint(catalog, &self.concerned) == self.fingerprint
    }
}

/// A digest of the objects and everything below them: what they are, with their canonical texts, and which of them
/// are not there. Take it of a catalog as it was read, before anything in it is mapped to desired names.
///
/// It is the same in every process and on every machine. Where an object was declared and what uses it play no part.
pub fn fingerprint(catalog: &Catalog, ids: &[ObjectId]) -> String {
    let mut concerned = BTreeSet::new();
    for id in ids {
        concerned.insert(*id);
        concerned.extend(catalog.descendants(*id));
    }
    let mut digest = Sha256::new();
    for id in concerned {
        let object = catalog.get(id).map(|entry| &entry.object);
        // The id shows its kind and its names; names may hold anything, so lengths stand in front.
        for text in [format!("{id:?}"), format!("{object:?}")] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemac_schema::catalog::{Entry, Standing};
    use schemac_schema::fragment::{Fragment, Grammar};
    use schemac_schema::ident::QName;
    use schemac_schema::kinds::check::Check;
    use schemac_schema::object::{Kind, Object};

    fn catalog(expression: &str) -> Catalog {
        let mut catalog = Catalog::default();
        let expression = Fragment::canonical(expression, Grammar::Expression);
        let object =
            Object::Check(Check { expression, no_inherit: false, not_valid: false, not_enforced: false });
        let entry = Entry { object, span: None, standing: Standing::Managed, uses: Vec::new() };
        catalog.insert(ObjectId::on(Kind::Check, table(), "positive"), entry).unwrap();
        catalog
    }

    fn table() -> ObjectId {
        ObjectId::in_schema(Kind::Table, QName::new("app", "t"))
    }

    #[test]
    fn what_is_below_counts_and_what_is_missing_too() {
        let one = fingerprint(&catalog("a > 0"), &[table()]);
        assert_eq!(one, fingerprint(&catalog("a > 0"), &[table(), table()]));
        assert_ne!(one, fingerprint(&catalog("a > 1"), &[table()]));
        assert_ne!(one, fingerprint(&Catalog::default(), &[table()]));
        assert_ne!(fingerprint(&Catalog::default(), &[]), fingerprint(&Catalog::default(), &[table()]));
    }
}

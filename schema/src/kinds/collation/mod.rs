//! Collations that users made.

pub mod declare;
pub mod read;
pub mod write;

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::{naming, types};
use crate::object::{Alter, Context, Nature, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::write::Writer;

/// A collation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Collation {
    /// Who knows the order: `libc`, `icu`, `builtin`.
    pub provider: Text,
    /// The locale of the order.
    pub collate: Text,
    /// The locale of the classes of characters: the same, save for libc.
    pub ctype: Text,
    /// Whether only equal bytes are equal.
    pub deterministic: bool,
    /// Rules beyond the locale's (PostgreSQL 16).
    pub rules: Option<Text>,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

impl Collation {
    /// The locales as they are compared: since 16, ICU's are kept as language tags (`de-DE` for `de_DE`).
    fn locales(&self) -> (String, String) {
        let tag = |locale: Text| match self.provider.as_str() {
            "icu" => locale.as_str().replace('_', "-"),
            _ => locale.as_str().to_owned(),
        };
        (tag(self.collate), tag(self.ctype))
    }

    fn options(&self) -> Vec<Sql> {
        let mut items = Vec::new();
        let mut add = |name: &'static str, value: &str| {
            let mut item = Sql::new(name);
            item.kw("=").literal(value);
            items.push(item);
        };
        add("provider", self.provider.as_str());
        if self.collate == self.ctype {
            add("locale", self.collate.as_str());
        } else {
            add("lc_collate", self.collate.as_str());
            add("lc_ctype", self.ctype.as_str());
        }
        if !self.deterministic {
            add("deterministic", "false");
        }
        if let Some(rules) = self.rules {
            add("rules", rules.as_str());
        }
        items
    }
}

impl ObjectKind for Collation {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::CARRIED }
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    crate::kinds::types::has_owner!();

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE COLLATION");
        naming::own_name(&mut sql, id);
        sql.kw(" (").tight().list(&self.options()).kw(")");
        out.push(sql);
        types::set_owner(id, self.owner.0, context, out);
    }

    fn alter(old: &Self, new: &Self, _: ObjectId, _: &Context<'_>, _: &mut Steps) -> Alter {
        let Self { provider, collate: _, ctype: _, deterministic, rules, owner: _ } = new;
        let same = *provider == old.provider && *deterministic == old.deterministic && *rules == old.rules;
        if same && new.locales() == old.locales() {
            return Alter::InPlace;
        }
        Alter::Replace("a collation's locale is chosen when it is created")
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(types::drop(id)).loses(Loss::DropObject, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, _: &Context<'_>, out: &mut Steps) {
        types::rename_type(from, to, out);
    }
}

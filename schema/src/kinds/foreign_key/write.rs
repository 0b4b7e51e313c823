//! Foreign keys in the files of an import: `(user_id) references auth.users (id) on delete cascade`.

use super::{Action, ForeignKey};
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::key::write::timing;
use crate::sql::Sql;
use crate::write::{Node, Writer};

/// A foreign key.
pub fn write(key: &ForeignKey, id: ObjectId, out: &mut Writer<'_>) {
    out.put(id, 0, Node::definition(definition(key)));
    if key.not_valid || key.not_enforced {
        let entry = out.entry(id);
        entry.flag("not_valid", key.not_valid && !key.not_enforced);
        if key.not_enforced {
            entry.set("enforced", Node::word(false));
        }
    }
}

fn definition(key: &ForeignKey) -> String {
    let mut sql = Sql::default();
    columns(&mut sql, &key.columns, key.period);
    sql.kw("references");
    if let Some(target) = key.target.qname() {
        sql.name(target);
    }
    columns(&mut sql, &key.target_columns, key.period);
    if key.match_full {
        sql.kw("match full");
    }
    action(&mut sql, "on delete", &key.on_delete);
    action(&mut sql, "on update", &key.on_update);
    sql.kw(timing(key.timing));
    sql.into_text().trim_end().to_owned()
}

fn columns(sql: &mut Sql, names: &[Ident], period: bool) {
    let last = names.len();
    let items: Vec<Sql> = (1..)
        .zip(names)
        .map(|(number, name)| {
            let mut item = Sql::default();
            if period && number == last {
                item.kw("period");
            }
            item.ident(*name);
            item
        })
        .collect();
    sql.kw("(").tight().list(&items).kw(")");
}

fn action(sql: &mut Sql, event: &'static str, action: &Action) {
    let (word, columns) = match action {
        Action::NoAction => return,
        Action::Restrict => ("restrict", None),
        Action::Cascade => ("cascade", None),
        Action::SetNull(columns) => ("set null", Some(columns)),
        Action::SetDefault(columns) => ("set default", Some(columns)),
    };
    sql.kw(event).kw(word);
    if let Some(columns) = columns.filter(|columns| !columns.is_empty()) {
        sql.idents(columns);
    }
}

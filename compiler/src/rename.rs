//! Maps names inside objects: from the names that the database has to those that it will have, and back.
//!
//! Only what is named is mapped: relations, types, routines and columns in fragments, references and types, and names
//! in constants that PostgreSQL resolves (`nextval('public.s')`, `'t'::regclass`). String bodies are never touched.

use schemac_schema::fragment::{Fragment, Grammar};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, MAX_NAME_BYTES, QName};
use schemac_schema::names::{self, Mention, MentionKind};
use schemac_schema::object::{Object, Visitor};
use schemac_schema::parse::{self, Token};
use schemac_schema::reference::{Reference, Target};
use schemac_schema::sql;
use schemac_schema::type_name::TypeName;
use std::collections::HashMap;

/// What is called otherwise on the other side.
#[derive(Clone, Debug, Default)]
pub struct Renaming {
    /// Relations by their old names.
    pub relations: HashMap<QName, QName>,
    /// Types by their old names; row types of relations too.
    pub types: HashMap<QName, QName>,
    /// Routines by their old names.
    pub routines: HashMap<QName, QName>,
    /// Columns: of which relation (by its old name), from, to.
    pub columns: HashMap<(QName, Ident), Ident>,
    /// The schemas of operators and operator classes, which have no ids of their own: by the schema and the name as
    /// PostgreSQL writes them, the new schema.
    pub operators: HashMap<(String, String), String>,
    /// Relations in FROM and their columns stay: stand-ins take their place there.
    pub constants_only: bool,
}

impl Renaming {
    /// Whether nothing is renamed.
    pub fn is_empty(&self) -> bool {
        self.relations.is_empty()
            && self.types.is_empty()
            && self.routines.is_empty()
            && self.columns.is_empty()
            && self.operators.is_empty()
    }

    /// The renaming that undoes this one.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let back = |map: &HashMap<QName, QName>| map.iter().map(|(from, to)| (*to, *from)).collect();
        let columns = self.columns.iter().map(|((relation, from), to)| {
            let relation = self.relations.get(relation).copied().unwrap_or(*relation);
            ((relation, *to), *from)
        });
        Self {
            relations: back(&self.relations),
            types: back(&self.types),
            routines: back(&self.routines),
            columns: columns.collect(),
            operators: self
                .operators
                .iter()
                .map(|((from, name), to)| ((to.clone(), name.clone()), from.clone()))
                .collect(),
            constants_only: self.constants_only,
        }
    }

    /// The same renaming for fragments whose relations are stand-ins.
    #[must_use]
    pub fn of_constants(&self) -> Self {
        Self { constants_only: true, ..self.clone() }
    }

    /// Maps everything inside an object. `own` is the relation that it stands on, by its old name: unqualified
    /// columns of an expression are that relation's.
    pub fn apply(&self, object: &mut Object, own: Option<QName>) {
        if !self.is_empty() {
            object.visit(&mut Mapper { renaming: self, own });
        }
    }

    /// Maps the names in one text.
    pub fn text(&self, fragment: &Fragment, own: Option<QName>) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let names = fragment.names().ok()?;
        let (text, mentions) = (fragment.text(), &names.mentions);
        let mut changes = self.moved_operators(fragment);
        // Which relation a name in front of a column stands for.
        let mut aliases: HashMap<Ident, QName> = HashMap::new();
        for mention in mentions.iter().filter(|mention| mention.kind == MentionKind::Relation) {
            if let [schema, name] = mention.parts[..] {
                aliases.insert(mention.alias.unwrap_or(name), QName { schema, name });
            }
        }
        let fronts = self.fronts(mentions);
        if let Some(own) = own {
            aliases.entry(own.name).or_insert(own);
        }
        for mention in mentions {
            if let (MentionKind::Relation, Some(alias)) = (mention.kind, mention.alias) {
                changes.extend(fronts.get(&alias).and_then(|new| renamed_alias(text, mention, alias, *new)));
            }
            if let Some(new) = self.mention(mention, (&aliases, &fronts), own) {
                // `x.old AS new` needs no AS any more.
                let alias = mention.output.filter(|output| {
                    let own = sql::quoted(*output);
                    new == own || new.ends_with(&format!(".{own}"))
                });
                let alias = alias.map(|output| format!(" AS {}", sql::quoted(output)));
                let rest = text.get(mention.end..).unwrap_or("");
                let end = mention.end
                    + alias.filter(|alias| rest.starts_with(alias.as_str())).map_or(0, |a| a.len());
                changes.push((mention.start, end, new));
            }
        }
        (!changes.is_empty()).then(|| names::splice(text, changes))
    }

    /// The schemas in front of operators, which only `OPERATOR(s.+)` says, and of the operator classes of keys.
    fn moved_operators(&self, fragment: &Fragment) -> Vec<(usize, usize, String)> {
        let has_keys =
            matches!(fragment.grammar(), Grammar::Index | Grammar::Exclusion | Grammar::PartitionKey);
        let text = fragment.text();
        let tokens = if self.operators.is_empty() { None } else { parse::tokens(text).ok() };
        let tokens = tokens.unwrap_or_default();
        let word = |token: &Token| text.get(token.start..token.end).unwrap_or("");
        let moved = tokens.windows(3).filter_map(|three| {
            let (schema, name) = (word(&three[0]), word(&three[2]));
            let is_class = name.starts_with(|first: char| first.is_alphabetic() || "_\"".contains(first));
            if word(&three[1]) != "." || is_class && !has_keys {
                return None;
            }
            let new = self.operators.get(&(schema.to_owned(), name.to_owned()))?;
            Some((three[0].start, three[0].end, new.clone()))
        });
        moved.collect()
    }

    /// How relations in FROM are called after their renaming by what stands in front of their columns. PostgreSQL keeps
    /// an alias that somebody wrote, and else takes the table's new name, numbered where it occurs more than once.
    /// Where that would be another relation's name, the old name becomes the alias.
    fn fronts(&self, mentions: &[Mention]) -> HashMap<Ident, Ident> {
        let mut relations: HashMap<Ident, Vec<QName>> = HashMap::new();
        let mut whole_rows: Vec<Ident> = Vec::new();
        for mention in mentions {
            match (mention.kind, &mention.parts[..]) {
                (MentionKind::Relation, [schema, name]) => {
                    let full = QName { schema: *schema, name: *name };
                    relations.entry(mention.alias.unwrap_or(*name)).or_default().push(full);
                }
                (MentionKind::Relation, [name]) => {
                    let unknown = QName { schema: *name, name: *name };
                    relations.entry(mention.alias.unwrap_or(*name)).or_default().push(unknown);
                }
                (MentionKind::Column, [name]) => whole_rows.push(*name),
                _ => {}
            }
        }
        if self.constants_only {
            return HashMap::new();
        }
        let mut fronts = HashMap::new();
        for (front, of) in &relations {
            let (Some(first), true) = (of.first(), of.windows(2).all(|pair| pair[0] == pair[1])) else {
                continue;
            };
            let Some(new) = self.relations.get(first).filter(|new| new.name != first.name) else { continue };
            let number = match front.as_str().strip_prefix(first.name.as_str()) {
                Some("") => "",
                Some(rest) if rest.strip_prefix('_').is_some_and(|n| n.parse::<u32>().is_ok()) => rest,
                _ => continue,
            };
            let to = Ident::new(&format!("{}{number}", new.name.as_str()));
            if !relations.contains_key(&to)
                && !whole_rows.contains(front)
                && to.as_str().len() <= MAX_NAME_BYTES
            {
                fronts.insert(*front, to);
            }
        }
        fronts
    }

    fn mention(
        &self,
        mention: &Mention,
        (aliases, fronts): (&HashMap<Ident, QName>, &HashMap<Ident, Ident>),
        own: Option<QName>,
    ) -> Option<String> {
        let full = match mention.parts[..] {
            [schema, name] => Some(QName { schema, name }),
            _ => None,
        };
        match mention.kind {
            MentionKind::Relation | MentionKind::Column if self.constants_only => None,
            MentionKind::Relation => {
                let old = full?;
                let new = *self.relations.get(&old)?;
                let mut text = sql::qualified(new);
                // Where columns go on being qualified by the old name, it becomes the alias.
                if mention.alias.is_none() && new.name != old.name && !fronts.contains_key(&old.name) {
                    text.push_str(&format!(" {}", sql::quoted(old.name)));
                }
                Some(text)
            }
            MentionKind::RelationLiteral => {
                let new = self.relations.get(&full?)?;
                Some(sql::doubled(&sql::qualified(*new)))
            }
            MentionKind::Type => self.types.get(&full?).map(|new| sql::qualified(*new)),
            MentionKind::TypeLiteral => self.types.get(&full?).map(|new| sql::doubled(&sql::qualified(*new))),
            MentionKind::Routine => self.routines.get(&full?).map(|new| sql::qualified(*new)),
            MentionKind::RoutineLiteral => {
                self.routines.get(&full?).map(|new| sql::doubled(&sql::qualified(*new)))
            }
            MentionKind::Column => {
                let (mut text, renamed) = self.column(&mention.parts, (aliases, fronts), own)?;
                // An output column keeps the name that its users know.
                if let (true, Some(name)) = (mention.names_output && renamed, mention.parts.last()) {
                    text.push_str(&format!(" AS {}", sql::quoted(*name)));
                }
                Some(text)
            }
        }
    }

    fn column(
        &self,
        parts: &[Ident],
        (aliases, fronts): (&HashMap<Ident, QName>, &HashMap<Ident, Ident>),
        own: Option<QName>,
    ) -> Option<(String, bool)> {
        match *parts {
            [column] => {
                let of_own = own.and_then(|own| self.columns.get(&(own, column)));
                let of_any = || aliases.values().find_map(|relation| self.columns.get(&(*relation, column)));
                of_own.or_else(of_any).map(|new| (sql::quoted(*new).to_owned(), true))
            }
            [alias, column] => {
                let relation = *aliases.get(&alias)?;
                let renamed = self.columns.get(&(relation, column));
                // In an expression on a table its own name stands in front; a renamed table has another one.
                let own_front = (own == Some(relation) && alias == relation.name)
                    .then(|| self.relations.get(&relation))
                    .flatten()
                    .map(|new| new.name);
                let front = own_front.or_else(|| fronts.get(&alias).copied()).unwrap_or(alias);
                (renamed.is_some() || front != alias).then(|| {
                    let column = renamed.copied().unwrap_or(column);
                    let column = if column.as_str() == "*" { "*" } else { sql::quoted(column) };
                    (format!("{}.{column}", sql::quoted(front)), renamed.is_some())
                })
            }
            _ => None,
        }
    }
}

/// Where a relation's alias stands, which PostgreSQL made of its name, and its new text.
fn renamed_alias(text: &str, mention: &Mention, alias: Ident, new: Ident) -> Option<(usize, usize, String)> {
    let rest = text.get(mention.end..)?;
    let blanks = rest.len() - rest.trim_start().len();
    let start = mention.end + blanks;
    let (parts, end) = names::dotted_name(text, start)?;
    (parts == [alias]).then(|| (start, end, sql::quoted(new).to_owned()))
}

struct Mapper<'a> {
    renaming: &'a Renaming,
    own: Option<QName>,
}

impl Visitor for Mapper<'_> {
    fn fragment(&mut self, _: &str, fragment: &mut Fragment) {
        if let Some(text) = self.renaming.text(fragment, self.own) {
            fragment.rewrite(&text);
        }
    }

    fn type_name(&mut self, type_name: &mut TypeName) {
        if let Some(new) = type_name.qname().and_then(|name| self.renaming.types.get(&name)) {
            *type_name = type_name.renamed(*new);
        }
    }

    fn column(&mut self, of: Option<&Reference>, name: &mut Ident) {
        let relation = of.map_or(self.own, Reference::qname);
        if let Some(new) = relation.and_then(|relation| self.renaming.columns.get(&(relation, *name))) {
            *name = *new;
        }
    }

    fn reference(&mut self, reference: &mut Reference) {
        let map = match reference.target {
            Target::Relation => &self.renaming.relations,
            Target::Routine | Target::AnyRoutine => &self.renaming.routines,
            Target::Role | Target::Collation => return,
        };
        if let Some(new) = reference.qname().and_then(|name| map.get(&name)) {
            reference.schema = Some(new.schema);
            reference.name = new.name;
        }
    }
}

/// The relation that an object stands on, as the scope of its unqualified columns.
pub fn own_relation(id: ObjectId) -> Option<QName> {
    let root = id.root();
    // A table's own fragment is its partition key.
    (root != id || id.kind().has_plain_columns()).then(|| root.qname()).flatten()
}

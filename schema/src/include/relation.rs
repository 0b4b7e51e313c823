//! Views, types, and the triggers and indexes of what the same domain's file declares.

use super::{Done, File, Made, Part, What};
use crate::diagnostic::Diagnostic;
use crate::spec::types::{EnumSpec, LongEnumSpec};
use crate::spec::{Map, MaterializedViewSpec, TypeSpec, ViewSpec};
use crate::tree::Tree;
use crate::yaml::{Flag, Name, OneOrMany, Sql, Written};

impl File<'_> {
    pub(super) fn view(&mut self, words: &Part<'_>, tree: &Tree) -> Done {
        let range = tree.get("view");
        let (name, behind) = self.relation_name(words, range)?;
        if words.has(0..5, "recursive") {
            return Err(words
                .refuse(0, "a recursive view stands in YAML")
                .help("write its query with WITH RECURSIVE"));
        }
        if range.get("relpersistence").str() == "t" {
            return Err(words.refuse(0, "a temporary view is gone with its session"));
        }
        let (query, _) = query(words, behind, tree.get("aliases"), &["check", "option"])?;
        let mut options = words.options(tree.get("options"));
        let check = match tree.get("with_check_option").int() {
            2 => Some("local"),
            3 => Some("cascaded"),
            _ => None,
        };
        if let Some(check) = check {
            let at = words.len().saturating_sub(1);
            let key = Name { text: "check_option".into(), span: words.span(at, at + 1) };
            options.push((key, words.text(at, check)));
        }
        let spec = ViewSpec {
            query,
            options: Map(options),
            columns: Map::default(),
            comment: None,
            owner: None,
            grants: Map::default(),
            rules: Default::default(),
            triggers: Map::default(),
            moved_from: OneOrMany::default(),
            facade: crate::spec::facade::TableFacades::default(),
        };
        self.domain.views.0.push((name.clone(), spec));
        self.made(What::View, name, self.domain.views.len() - 1);
        Ok(())
    }

    pub(super) fn materialized_view(&mut self, words: &Part<'_>, tree: &Tree) -> Done {
        let into = tree.get("into");
        let (name, behind) = self.relation_name(words, into.get("rel"))?;
        let (query, end) = query(words, behind, into.get("col_names"), &["data"])?;
        let named = |field: &str| {
            let text = into.get(field).str();
            (!text.is_empty()).then(|| Name { text: text.to_owned(), span: name.span })
        };
        let span = words.span(end, words.len());
        let spec = MaterializedViewSpec {
            query,
            options: Map(words.options(into.get("options"))),
            columns: Map::default(),
            indexes: Map::default(),
            statistics: Map::default(),
            with_data: into.get("skip_data").flag().then_some(Flag { value: false, span }),
            access_method: named("access_method"),
            tablespace: named("table_space_name"),
            comment: None,
            owner: None,
            grants: Map::default(),
            moved_from: OneOrMany::default(),
            facade: crate::spec::facade::TableFacades::default(),
        };
        self.domain.materialized_views.0.push((name.clone(), spec));
        self.made(What::MaterializedView, name, self.domain.materialized_views.len() - 1);
        Ok(())
    }

    pub(super) fn enumeration(&mut self, words: &Part<'_>, tree: &Tree) -> Done {
        let at = words.find_outside(0, "type").unwrap_or(0) + 1;
        let (name, behind) = self.name(words, at, &tree.get("type_name").strings())?;
        // AS ENUM ( 'a' , 'b' )
        let values = tree.get("vals").strings();
        let values =
            (0..).zip(values).map(|(index, value)| words.text(behind + 3 + index * 2, value)).collect();
        let long = LongEnumSpec {
            values,
            moved_from: OneOrMany::default(),
            comment: None,
            owner: None,
            grants: Map::default(),
        };
        self.domain.enums.0.push((name.clone(), EnumSpec::Long(long)));
        self.made(What::Enum, name, self.domain.enums.len() - 1);
        Ok(())
    }

    pub(super) fn composite(&mut self, words: &Part<'_>, tree: &Tree) -> Done {
        let (name, behind) = self.relation_name(words, tree.get("typevar"))?;
        // AS ( a int , b text )
        let open = behind + 1;
        let fields = words.pieces(open + 1, words.closing(open).unwrap_or(words.len()));
        let fields = fields.into_iter().map(|field| {
            (words.own_name(field.start), Written::Short(words.slice(field.start + 1, field.end)))
        });
        let spec = TypeSpec { fields: Map(fields.collect()), ..TypeSpec::default() };
        self.domain.types.0.push((name.clone(), spec));
        self.made(What::Composite, name, self.domain.types.len() - 1);
        Ok(())
    }

    pub(super) fn trigger(&mut self, words: &Part<'_>, tree: &Tree) -> Done {
        let at = words.find_outside(0, "trigger").unwrap_or(0) + 1;
        let (table, behind) = self.relation_name(words, tree.get("relation"))?;
        let mut sql = words.slice(at + 1, words.len());
        if tree.get("isconstraint").flag() {
            // The entry says so with its first word.
            let (from, name) = (words.find_outside(0, "constraint").unwrap_or(0), words.start(at));
            let offset = words.start(from);
            let after = words.start(at + 1) - offset;
            let all = words.slice(from, words.len());
            let constraint = all.text().find(char::is_whitespace).map_or(name - offset, |end| end + 1);
            sql = all.without(constraint, after);
        }
        let _ = behind;
        let entry = (words.own_name(at), Written::Short(sql));
        let own = table.as_str();
        let tables = self.domain.tables.0.iter_mut().filter(|(name, _)| name.as_str() == own);
        let views = self.domain.views.0.iter_mut().filter(|(name, _)| name.as_str() == own);
        let triggers = tables
            .map(|(_, spec)| &mut spec.triggers)
            .chain(views.map(|(_, spec)| &mut spec.triggers))
            .next();
        let Some(triggers) = triggers else { return Err(elsewhere(&table, "trigger")) };
        refuse_twice(triggers, &entry.0, &table)?;
        triggers.0.push(entry);
        Ok(())
    }

    pub(super) fn index(&mut self, words: &Part<'_>, tree: &Tree) -> Done {
        if tree.get("idxname").str().is_empty() {
            return Err(words.refuse(0, "the index has no name").help("write CREATE INDEX name ON …"));
        }
        let index = words.find_outside(0, "index").unwrap_or(0);
        if tree.get("concurrent").flag() {
            return Err(words
                .refuse(index + 1, "how an index is made is decided by the plan")
                .help("leave CONCURRENTLY out"));
        }
        let on = words.find_outside(index, "on").unwrap_or(index);
        if words.is(on + 1, "only") {
            return Err(words.refuse(on + 1, "an index on a partitioned table alone stands in YAML"));
        }
        let (table, behind) = self.relation_name(words, tree.get("relation"))?;
        let mut sql = words.slice(behind, words.len());
        if tree.get("unique").flag() {
            // The entry says so with its first word.
            let first = index - 1;
            let offset = words.start(first);
            let all = words.slice(first, words.len());
            sql = all.without("unique ".len().min(all.text().len()), words.start(behind) - offset);
        }
        let name = words.own_name(on - 1);
        let entry = (name, Written::Short(sql));
        let own = table.as_str();
        let tables = self.domain.tables.0.iter_mut().filter(|(name, _)| name.as_str() == own);
        let views = self.domain.materialized_views.0.iter_mut().filter(|(name, _)| name.as_str() == own);
        let indexes =
            tables.map(|(_, spec)| &mut spec.indexes).chain(views.map(|(_, spec)| &mut spec.indexes)).next();
        let Some(indexes) = indexes else { return Err(elsewhere(&table, "index")) };
        refuse_twice(indexes, &entry.0, &table)?;
        indexes.0.push(entry);
        Ok(())
    }

    fn made(&mut self, what: What, name: Name, at: usize) {
        self.made.push(Made { what, name: name.text, inputs: Vec::new(), at });
    }
}

/// The query behind AS, without `WITH … CHECK OPTION` or `WITH … DATA` at its end, and the token behind it.
fn query(words: &Part<'_>, behind: usize, aliases: &Tree, tail: &[&str]) -> Result<(Sql, usize), Diagnostic> {
    if !aliases.items().is_empty() {
        let error = words.refuse(behind, "a list of column names behind the view's name is not read");
        return Err(error.help("name the columns in the query: `select a as b`"));
    }
    let first = words.find_outside(behind, "as").map_or(behind, |at| at + 1);
    let mut end = words.len();
    let has_tail =
        tail.iter().rev().enumerate().all(|(back, word)| end > back && words.is(end - 1 - back, word));
    if has_tail {
        // WITH [NO | LOCAL | CASCADED] stands at most two words before.
        let with = (1..=2).map(|back| end.saturating_sub(tail.len() + back)).find(|at| words.is(*at, "with"));
        end = with.filter(|at| *at > first).unwrap_or(end);
    }
    Ok((words.slice(first, end), end))
}

fn elsewhere(table: &Name, what: &str) -> Diagnostic {
    let message = format!("`{table}` is not declared in the file that includes this one");
    Diagnostic::error(crate::code::Code::UnknownRelation, message)
        .at(table.span)
        .help(format!("write the {what} where `{table}` is declared, or include this file there"))
}

fn refuse_twice<V>(map: &Map<V>, name: &Name, of: &Name) -> Done {
    let Some((first, _)) = map.0.iter().find(|(known, _)| known.text == name.text) else { return Ok(()) };
    let message = format!("`{name}` on `{of}` is declared twice");
    Err(Diagnostic::error(crate::code::Code::TwoOwners, message).at(name.span).label(first.span, "the first"))
}

//! COMMENT ON, GRANT and REVOKE for what the same file makes.

use super::{Done, File, Part, What, position};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::parse::object_type;
use crate::spec::routine::PublicExecute;
use crate::spec::types::EnumSpec;
use crate::spec::{Grants, Text};
use crate::tree::Tree;
use crate::yaml::{At, Name, OneOrMany};

/// Something that another file makes.
pub(super) fn not_made_here(name: &Name) -> Diagnostic {
    let message = format!("`{name}` is not made in this file");
    Diagnostic::error(Code::WrongStatement, message)
        .at(name.span)
        .help("its comment and its privileges stand where it is declared")
}

impl File<'_> {
    pub(super) fn comment(&mut self, words: &Part<'_>, tree: &Tree) -> Done {
        let object = tree.get("object");
        let last = words.len().saturating_sub(1);
        let text = tree.get("comment").str();
        let comment = (!text.is_empty()).then(|| words.text(last, text));
        let (what, at) = match object_type(tree.get("objtype").int()) {
            "OBJECT_FUNCTION" => (What::Function, 3),
            "OBJECT_PROCEDURE" => (What::Procedure, 3),
            "OBJECT_VIEW" => (What::View, 3),
            "OBJECT_MATVIEW" => (What::MaterializedView, 4),
            "OBJECT_TYPE" => (What::Enum, 3),
            _ => {
                return Err(words
                    .refuse(2, "a comment on this is not read from a file of SQL")
                    .help(super::KNOWN));
            }
        };
        if matches!(what, What::Function | What::Procedure) {
            self.routine_of(words, at, what, object)?.comment = comment;
            return Ok(());
        }
        let (name, _) = self.name(words, at, &super::parts(object))?;
        let (_, slot) = self.relation(what, &name)?;
        *slot = comment;
        Ok(())
    }

    /// The privileges and the comment of a view or type that the file made.
    fn relation(&mut self, what: What, name: &Name) -> Result<(&mut Grants, &mut Option<Text>), Diagnostic> {
        let is_it = |made: &super::Made| {
            let same = made.what == what || (what == What::Enum && made.what == What::Composite);
            same && made.name == name.text
        };
        let made = self.made.iter().find(|made| is_it(made)).ok_or_else(|| not_made_here(name))?;
        let (at, domain) = (made.at, &mut *self.domain);
        let found = match made.what {
            What::View => domain.views.0.get_mut(at).map(|(_, spec)| (&mut spec.grants, &mut spec.comment)),
            What::MaterializedView => {
                domain.materialized_views.0.get_mut(at).map(|(_, spec)| (&mut spec.grants, &mut spec.comment))
            }
            What::Composite => {
                domain.types.0.get_mut(at).map(|(_, spec)| (&mut spec.grants, &mut spec.comment))
            }
            What::Enum => match domain.enums.0.get_mut(at) {
                Some((_, EnumSpec::Long(spec))) => Some((&mut spec.grants, &mut spec.comment)),
                _ => None,
            },
            What::Function | What::Procedure => None,
        };
        found.ok_or_else(|| not_made_here(name))
    }

    pub(super) fn grant(&mut self, words: &Part<'_>, tree: &Tree) -> Done {
        let given = tree.get("is_grant").flag();
        if !tree.get("grantor").is_nothing() {
            return Err(words.refuse(0, "who gives a privilege is the owner: leave GRANTED BY out"));
        }
        let on = words.find_outside(1, "on").unwrap_or(1);
        let kind = object_type(tree.get("objtype").int());
        for object in tree.get("objects").items() {
            match kind {
                "OBJECT_FUNCTION" | "OBJECT_PROCEDURE" | "OBJECT_ROUTINE" => {
                    let what = if kind == "OBJECT_PROCEDURE" { What::Procedure } else { What::Function };
                    let parts = object.get("objname").strings();
                    let own = parts.last().copied().unwrap_or("");
                    let length = parts.len() * 2 - usize::from(!parts.is_empty());
                    let own_at = (on + 2..words.len()).find(|at| words.own_name(*at).as_str() == own);
                    let at = own_at.map_or(on + 2, |own_at| own_at + 1 - length.min(own_at + 1));
                    let grants = grants(words, tree, on)?;
                    let spec = self.routine_of(words, at, what, object)?;
                    if given {
                        add(&mut spec.grants, grants);
                    } else {
                        let span = revoked_from_public(words, tree)?;
                        spec.public = Some(At { value: PublicExecute::None, span });
                    }
                }
                "OBJECT_TABLE" | "OBJECT_TYPE" if given => {
                    let grants = grants(words, tree, on)?;
                    let name = match kind {
                        "OBJECT_TABLE" => self.relation_name(words, object)?.0,
                        _ => self.name(words, on + 2, &super::parts(object))?.0,
                    };
                    let kinds: &[What] = match kind {
                        "OBJECT_TABLE" => &[What::View, What::MaterializedView],
                        _ => &[What::Enum],
                    };
                    let what = kinds.iter().copied().find(|what| self.relation(*what, &name).is_ok());
                    let what = what.ok_or_else(|| not_made_here(&name))?;
                    add(self.relation(what, &name)?.0, grants);
                }
                "OBJECT_TABLE" | "OBJECT_TYPE" => {
                    let error = words.refuse(0, "nobody has a privilege here that is not given");
                    return Err(error.help("leave REVOKE out: what is not granted is taken away"));
                }
                _ => {
                    let error = words.refuse(on + 1, "privileges on this are not read from a file of SQL");
                    return Err(error.help(super::KNOWN));
                }
            }
        }
        Ok(())
    }
}

/// For each role of a GRANT, the privileges as they stand there.
fn grants(words: &Part<'_>, tree: &Tree, on: usize) -> Result<Vec<(Name, crate::yaml::Sql)>, Diagnostic> {
    let mut found = Vec::new();
    let all = words.slice(1, on);
    let privileges = match tree.get("grant_option").flag() && tree.get("is_grant").flag() {
        true => crate::yaml::Sql::made(format!("{} with grant option", all.text()), all.span()),
        false => all,
    };
    for role in tree.get("grantees").items() {
        let at = words.index_at(position(role.get("location")));
        // ROLESPEC_CSTRING is 1 and ROLESPEC_PUBLIC is 5 of pg_query's numbers.
        let text = match role.get("roletype").int() {
            1 => role.get("rolename").str().to_owned(),
            5 => "public".to_owned(),
            _ => {
                return Err(
                    words.refuse(at, "name the role: who applies the project is somebody else each time")
                );
            }
        };
        found.push((Name { text, span: words.span(at, at + 1) }, privileges.clone()));
    }
    Ok(found)
}

fn add(grants: &mut Grants, new: Vec<(Name, crate::yaml::Sql)>) {
    for (role, privileges) in new {
        match grants.0.iter_mut().find(|(known, _)| known.text == role.text) {
            Some((_, known)) => known.0.push(privileges),
            None => grants.0.push((role, OneOrMany(vec![privileges]))),
        }
    }
}

/// REVOKE is read as `public: none`, and as nothing else.
fn revoked_from_public(words: &Part<'_>, tree: &Tree) -> Result<crate::span::Span, Diagnostic> {
    let roles = tree.get("grantees").items();
    match roles {
        [one] if one.get("roletype").int() == 5 && !tree.get("grant_option").flag() => {
            let at = words.index_at(position(one.get("location")));
            Ok(words.span(at, at + 1))
        }
        _ => Err(words
            .refuse(0, "only PUBLIC has a privilege that is not given")
            .help("write REVOKE ALL ON FUNCTION … FROM PUBLIC alone; what is not granted is taken away")),
    }
}

//! Reads privileges: access control lists as the server writes them, `{owner=arwdDxt/owner,=r/owner}`.

use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::grant::{self, Grant, all_privileges};
use crate::object::{Kind, Object};
use crate::read::{Declarations, Error, OtherGrantor, Reader, elements};
use std::collections::BTreeMap;

/// Privileges. The owner's own entry is left out when it is complete, and is there when it is empty.
pub const READER: Reader = Reader {
    name: "privileges",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (class, oid, sub) = (row.oid()?, row.oid()?, row.sub()?);
        let (owner, list) = (row.oid()?, row.text()?);
        let Some(target) = out.target(class, oid, sub) else { return Ok(()) };
        let owner = out.role(owner)?;
        let items = items(list)?;
        let mut grants = by_grantee(&items);
        if sub == 0 {
            // Where there is a list, what it does not give to the owner was taken away.
            grants.entry(owner).or_default();
        }
        for (grantee, grant) in grants {
            if grantee == owner && is_complete(&grant, target.kind(), out.version) {
                continue;
            }
            out.add_satellite(grant::id(target, grantee), Object::Grant(grant))?;
        }
        note_other_grantors(&items, owner, |grantee| grant::id(target, grantee), out);
        Ok(())
    },
};

/// One entry of an access control list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// To whom.
    pub grantee: Ident,
    /// What, and whether with grant option.
    pub privileges: Vec<(Text, bool)>,
    /// By whom.
    pub grantor: Ident,
}

fn note_other_grantors(items: &[Item], owner: Ident, id: impl Fn(Ident) -> ObjectId, out: &mut Declarations) {
    for item in items.iter().filter(|item| item.grantor != owner) {
        let grant = id(item.grantee);
        let others = item.privileges.iter().map(|(privilege, _)| (grant, *privilege, item.grantor));
        let others = others.map(|(grant, privilege, grantor)| OtherGrantor { grant, privilege, grantor });
        out.other_grantors.extend(others);
    }
}

/// Whether these are all privileges that a kind of object has.
pub fn is_complete(grant: &Grant, kind: Kind, version: u32) -> bool {
    kind != Kind::Column
        && all_privileges(kind, version).iter().all(|word| grant.privileges.contains_key(&Text::new(word)))
}

/// What each grantee has, from all grantors together.
pub fn by_grantee(items: &[Item]) -> BTreeMap<Ident, Grant> {
    let mut grants: BTreeMap<Ident, Grant> = BTreeMap::new();
    for item in items {
        let grant = grants.entry(item.grantee).or_default();
        for (privilege, option) in &item.privileges {
            *grant.privileges.entry(*privilege).or_insert(false) |= *option;
        }
    }
    grants.retain(|_, grant| !grant.privileges.is_empty());
    grants
}

/// The entries of an access control list.
pub fn items(list: &str) -> Result<Vec<Item>, Error> {
    elements(list)?.iter().map(|text| item(text)).collect()
}

/// `grantee=arw*/grantor`; names are quoted when they need it (`putid`), and nobody before the sign is everybody.
fn item(text: &str) -> Result<Item, Error> {
    let malformed = || Error::Malformed(format!("\"{text}\" is no entry of an access control list"));
    let (grantee, rest) = name(text);
    let (letters, grantor) =
        rest.strip_prefix('=').and_then(|rest| rest.split_once('/')).ok_or_else(malformed)?;
    let mut privileges: Vec<(Text, bool)> = Vec::new();
    for letter in letters.chars() {
        match (letter, privileges.last_mut()) {
            ('*', Some(last)) => last.1 = true,
            _ => privileges.push((Text::new(word(letter).ok_or_else(malformed)?), false)),
        }
    }
    let grantee = if grantee.is_empty() { "public" } else { &grantee };
    Ok(Item { grantee: Ident::new(grantee), privileges, grantor: Ident::new(&name(grantor).0) })
}

fn name(text: &str) -> (String, &str) {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find('=').unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut name = String::new();
    while let Some(end) = rest.find('"') {
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => break,
        }
    }
    (name, rest)
}

/// PostgreSQL's documentation, "ACL Privilege Abbreviations".
fn word(letter: char) -> Option<&'static str> {
    Some(match letter {
        'r' => "SELECT",
        'a' => "INSERT",
        'w' => "UPDATE",
        'd' => "DELETE",
        'D' => "TRUNCATE",
        'x' => "REFERENCES",
        't' => "TRIGGER",
        'm' => "MAINTAIN",
        'U' => "USAGE",
        'C' => "CREATE",
        'c' => "CONNECT",
        'T' => "TEMPORARY",
        'X' => "EXECUTE",
        's' => "SET",
        'A' => "ALTER SYSTEM",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart_as_postgresql_writes_them() {
        let list = r#"{owner=r*w/owner,=X/owner,"\"a b\"\"c=/\"=U/\"x y\""}"#;
        let expected = [
            ("owner", vec![("SELECT", true), ("UPDATE", false)], "owner"),
            ("public", vec![("EXECUTE", false)], "owner"),
            ("a b\"c=/", vec![("USAGE", false)], "x y"),
        ];
        let expected: Vec<Item> = expected
            .into_iter()
            .map(|(grantee, privileges, grantor)| Item {
                grantee: Ident::new(grantee),
                privileges: privileges.into_iter().map(|(word, option)| (Text::new(word), option)).collect(),
                grantor: Ident::new(grantor),
            })
            .collect();
        assert_eq!(items(list), Ok(expected));
        assert_eq!(items("{}"), Ok(vec![]));
        for broken in ["{a}", "{a=q/b}", "{a=r}", "a=r/b"] {
            assert!(items(broken).is_err(), "{broken}");
        }
    }
}

//! SQL that a body puts together of nothing but texts: `'truncate ' || 'public.users'`, `format('… %I.%I', 'public',
//! 'users')`. What takes a variable in is not read here.

use super::words::Words;
use crate::ident::Ident;
use crate::sql::{literal, quoted};

impl Words<'_> {
    /// The SQL that begins at a token and ends with its statement; `None` where anything but texts goes into it.
    pub(super) fn put_together(&self, at: usize) -> Option<String> {
        let (mut sql, mut next) = self.piece(at)?;
        while self.raw(next) == "||" {
            let (more, behind) = self.piece(next + 1)?;
            sql.push_str(&more);
            next = behind;
        }
        matches!(self.word(next).as_str(), ";" | "using" | "into" | "" | "loop").then_some(sql)
    }

    /// A text or a call of `format`, and what comes behind it.
    fn piece(&self, at: usize) -> Option<(String, usize)> {
        if self.is_text(at) {
            return self.plain(at).map(|text| (text, at + 1));
        }
        let qualified = self.word(at) == "pg_catalog" && self.raw(at + 1) == ".";
        let call = if qualified { at + 2 } else { at };
        if self.word(call) != "format" || self.raw(call + 1) != "(" {
            return None;
        }
        let mut given = Vec::new();
        let mut next = call + 2;
        loop {
            given.push(self.plain(next)?);
            match self.raw(next + 1) {
                "," => next += 2,
                ")" => break,
                _ => return None,
            }
        }
        let (template, given) = given.split_first()?;
        Some((formatted(template, given)?, next + 2))
    }

    /// What a text says, where no escapes are in it.
    fn plain(&self, at: usize) -> Option<String> {
        let escaped =
            self.raw(at).starts_with(|first: char| first.is_alphabetic()) && self.raw(at).contains('\\');
        (self.is_text(at) && !escaped).then(|| self.content(at).0)
    }
}

/// What PostgreSQL's `format` makes of texts; `None` where it would fail, or pad.
fn formatted(template: &str, given: &[String]) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    let mut next = 0;
    while let Some((before, behind)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(behind) = behind.strip_prefix('%') {
            out.push('%');
            rest = behind;
            continue;
        }
        let (at, behind) = match behind.split_once('$') {
            Some((number, behind))
                if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                (number.parse::<usize>().ok()?.checked_sub(1)?, behind)
            }
            _ => (next, behind),
        };
        let value = given.get(at)?;
        next = at + 1;
        let (how, behind) = behind.split_at_checked(1)?;
        match how {
            "I" => out.push_str(quoted(Ident::new(value))),
            "L" => out.push_str(&literal(value)),
            "s" => out.push_str(value),
            _ => return None,
        }
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_is_read_as_postgresql_reads_it() {
        let given = ["public".to_owned(), "Users".to_owned(), "it's".to_owned()];
        let said = |template: &str| formatted(template, &given);
        assert_eq!(said("truncate %I.%I").as_deref(), Some("truncate public.\"Users\""));
        assert_eq!(
            said("select %3$L, %% from %1$I.%s").as_deref(),
            Some("select 'it''s', % from public.Users")
        );
        for failing in ["%", "%I %I %I %I", "%5$I", "%-10s", "%0$s", "%x"] {
            assert_eq!(said(failing), None, "{failing}");
        }
    }

    #[test]
    fn only_texts_are_put_together() {
        let said = |body: &str| Words::of(body).and_then(|words| words.put_together(1));
        assert_eq!(said("execute 'truncate ' || 'public.users';").as_deref(), Some("truncate public.users"));
        assert_eq!(
            said("execute format('drop table %I', 'a b') || ' restrict' using 1").as_deref(),
            Some("drop table \"a b\" restrict")
        );
        assert_eq!(said("execute pg_catalog.format('x');").as_deref(), Some("x"));
        for open in [
            "execute 'a' || b;",
            "execute format('%I', t);",
            "execute e'\\n' || 'a';",
            "execute query;",
            "execute",
        ] {
            assert_eq!(said(open), None, "{open}");
        }
    }
}

//! The rules of an import: which table of a flat schema belongs to which domain.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::{Name, Text};

/// One rule; the first that matches a table's name counts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// A table's name, or a pattern: `*` stands for any characters, `?` for one.
    pub r#match: Text,
    /// The domain.
    pub domain: Name,
    /// What the table shall be called there, when it is renamed.
    #[serde(default)]
    pub name: Option<Name>,
}

impl RuleSpec {
    /// Whether a table of that name is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.r#match.as_str().chars().collect();
        let name: Vec<char> = name.chars().collect();
        matches(&pattern, &name)
    }
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|taken| matches(rest, &name[taken..])),
        Some(('?', rest)) => !name.is_empty() && matches(rest, &name[1..]),
        Some((one, rest)) => name.first() == Some(one) && matches(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_two_signs() {
        let fits = |pattern: &str, name: &str| {
            let signs = |text: &str| text.chars().collect::<Vec<_>>();
            matches(&signs(pattern), &signs(name))
        };
        assert!(
            fits("*memory*", "memory_entries")
                && fits("*_log?", "audit_logs")
                && fits("a", "a")
                && fits("*", "")
        );
        assert!(!fits("memory*", "a_memory") && !fits("a", "ab") && !fits("?", "") && !fits("a.c", "abc"));
    }
}

//! Changes SQL in one place to something similar in writing and different in meaning. Whether it really is different,
//! a server says.

use schemac_schema::parse;

/// Words and what they are mistaken for.
const WORDS: [(&str, &[&str]); 37] = [
    ("and", &["or"]),
    ("or", &["and"]),
    (">", &[">=", "<"]),
    (">=", &[">"]),
    ("<", &["<=", ">"]),
    ("<=", &["<"]),
    ("=", &["<>", ">="]),
    ("<>", &["="]),
    ("+", &["-"]),
    ("-", &["+"]),
    ("*", &["/"]),
    ("/", &["*"]),
    ("~", &["~*", "!~"]),
    ("->>", &["->"]),
    ("@>", &["<@"]),
    ("like", &["ilike", "not like"]),
    ("ilike", &["like"]),
    ("any", &["all"]),
    ("between", &["not between", "between symmetric"]),
    ("in", &["not in"]),
    ("null", &["not null"]),
    ("true", &["false"]),
    ("false", &["true"]),
    ("desc", &["asc"]),
    ("lower", &["upper"]),
    ("upper", &["lower"]),
    ("int", &["bigint", "smallint"]),
    ("bigint", &["int"]),
    ("numeric", &["float8"]),
    ("text", &["varchar"]),
    ("varchar", &["text"]),
    ("name", &["note", "nick"]),
    ("qty", &["small"]),
    ("tenant", &["uid"]),
    ("users", &["public.users"]),
    ("coalesce", &["greatest"]),
    ("left", &["right"]),
];

/// At most so many variants of a text.
const MOST: usize = 4;

/// Variants of a text, each changed in one place.
pub fn mutants(text: &str) -> Vec<String> {
    let Ok(tokens) = parse::tokens(text) else { return Vec::new() };
    let mut found = Vec::new();
    for token in &tokens {
        let Some(word) = text.get(token.start..token.end) else { continue };
        let mut put = |new: &str| found.push(format!("{}{new}{}", &text[..token.start], &text[token.end..]));
        let lower = word.to_lowercase();
        for new in WORDS.iter().filter(|(known, _)| *known == lower).flat_map(|(_, news)| news.iter()) {
            put(new);
        }
        if let Some(inside) = word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            put(&format!("'{inside}x'"));
            put(&format!("'{inside}1'"));
            put(&format!("'{inside}'::text"));
        } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
            put(&format!("{word}1"));
            put(&format!("'{word}'"));
            put(&format!("{word}.0"));
            put(&format!("{word}::bigint"));
        }
    }
    found.push(format!("({text}) is not true"));
    found.push(format!("not ({text})"));
    // Spread over the text, and the same each time.
    let step = found.len().div_ceil(MOST).max(1);
    found.into_iter().step_by(step).collect()
}

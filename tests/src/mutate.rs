//! Changes SQL in one place to something similar in writing and different in meaning. Whether it really is different,
//! a server says.

use schemac_schema::parse;

/// Words and what they are mistaken for.
const WORDS: [(&str, &[&str]); 73] = [
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
    ("coalesce", &["greatest", "nullif"]),
    ("left", &["right", "full", "inner"]),
    ("right", &["left"]),
    ("full", &["left", "inner"]),
    ("inner", &["left", "full"]),
    ("cross", &["natural"]),
    ("natural", &["natural left"]),
    // NULL, and rows that are the same.
    ("is", &["is not"]),
    ("distinct", &["all"]),
    ("exists", &["not exists"]),
    ("some", &["all"]),
    ("all", &["any"]),
    ("symmetric", &["asymmetric"]),
    ("union", &["except", "intersect", "union all"]),
    ("except", &["union", "intersect"]),
    ("intersect", &["union", "except"]),
    // Order.
    ("asc", &["desc"]),
    ("first", &["last"]),
    ("last", &["first"]),
    ("by", &["by 1,"]),
    // Aggregates, windows and their frames.
    ("count", &["sum"]),
    ("sum", &["avg"]),
    ("min", &["max"]),
    ("max", &["min"]),
    ("rank", &["dense_rank"]),
    ("lag", &["lead"]),
    ("rows", &["groups"]),
    ("range", &["rows"]),
    ("preceding", &["following"]),
    ("following", &["preceding"]),
    ("current", &["unbounded"]),
    ("filter", &["filter (where true) filter"]),
    ("over", &["filter (where id > 7) over"]),
    ("lateral", &[""]),
    ("with", &["with recursive"]),
    ("only", &[""]),
    ("nfc", &["nfd"]),
    ("now", &["clock_timestamp"]),
];

/// What makes another value of a column, written behind its name.
const BEHIND: [&str; 3] = [" collate \"C\"", "::char(2)", "::bytea"];

/// At most so many variants of a text.
const MOST: usize = 6;

/// Whether a token may stand where another value stands.
fn is_operand(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '\'' || c == '"')
}

/// Variants of a text, each changed in one place.
pub fn mutants(text: &str) -> Vec<String> {
    let Ok(tokens) = parse::tokens(text) else { return Vec::new() };
    let mut found = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let Some(word) = text.get(token.start..token.end) else { continue };
        let mut put = |new: &str| found.push(format!("{}{new}{}", &text[..token.start], &text[token.end..]));
        let lower = word.to_lowercase();
        for new in WORDS.iter().filter(|(known, _)| *known == lower).flat_map(|(_, news)| news.iter()) {
            put(new);
        }
        // Two arguments, or two elements of a list, the other way round.
        if let (",", Some(before), Some(after)) = (word, place.checked_sub(1), tokens.get(place + 1)) {
            let before = &tokens[before];
            let piece = |token: &parse::Token| &text[token.start..token.end];
            if is_operand(piece(before)) && is_operand(piece(after)) && piece(before) != piece(after) {
                let (one, other) = (piece(before), piece(after));
                let (start, end) = (&text[..before.start], &text[after.end..]);
                found.push(format!("{start}{other}{}{one}{end}", &text[before.end..after.start]));
            }
            continue;
        }
        if ["name", "note", "nick", "email"].contains(&lower.as_str()) {
            put(&format!("{word}{}", BEHIND[place % BEHIND.len()]));
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
    found.retain(|mutant| mutant != text);
    found.push(format!("({text}) is not true"));
    found.push(format!("not ({text})"));
    // Spread over the text, and the same each time.
    let step = found.len().div_ceil(MOST).max(1);
    found.into_iter().step_by(step).collect()
}

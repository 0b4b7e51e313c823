//! Writes down what PostgreSQL 14 to 18 bring themselves (types, casts, operators, functions, operator classes, relations), for
//! the analysis without a server: `schema/src/analyse/system/*.txt`. Each line ends in the versions that have it, as
//! the sum of 1 for 14, 2 for 15, 4 for 16, 8 for 17 and 16 for 18. Run it again when a version joins.

use std::collections::BTreeMap;
use std::fs;

use postgres::SimpleQueryMessage;
use schemac_tests::{Result, repository, servers};

/// A file and the query for its lines, whose columns stand between tabs.
const FILES: [(&str, &str); 6] = [
    (
        "types",
        "SELECT concat_ws(E'\\t', t.typname, t.typtype, t.typcategory, t.typispreferred::int,
                (t.typarray <> 0)::int, (t.typcollation <> 0)::int)
         FROM pg_type t
         WHERE t.oid < 16384 AND t.typnamespace = 11 AND t.typtype IN ('b', 'r', 'm', 'p')
           AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)",
    ),
    (
        "casts",
        "SELECT concat_ws(E'\\t', s.typname, t.typname, c.castcontext, c.castmethod)
         FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget
         WHERE c.oid < 16384",
    ),
    (
        "operators",
        "SELECT concat_ws(E'\\t', o.oprname, COALESCE(l.typname, '-'), r.typname, t.typname)
         FROM pg_operator o LEFT JOIN pg_type l ON l.oid = o.oprleft
         JOIN pg_type r ON r.oid = o.oprright JOIN pg_type t ON t.oid = o.oprresult
         WHERE o.oid < 16384",
    ),
    (
        "functions",
        "SELECT concat_ws(E'\\t', p.proname,
                array_to_string(ARRAY(SELECT t.typname FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(type, place)
                      JOIN pg_type t ON t.oid = u.type ORDER BY place), ' '),
                r.typname, p.prokind, p.proretset::int, p.pronargdefaults,
                COALESCE((SELECT typname FROM pg_type WHERE oid = NULLIF(p.provariadic, 0)), '-'),
                COALESCE((SELECT string_agg(COALESCE(p.proargnames[place], '') || ' ' || t.typname, ',' ORDER BY place)
                    FROM unnest(p.proallargtypes, p.proargmodes) WITH ORDINALITY u(type, mode, place)
                    JOIN pg_type t ON t.oid = u.type WHERE mode IN ('o', 'b', 't')), '-'),
                COALESCE((SELECT string_agg(name, ' ' ORDER BY place) FROM unnest(p.proargnames) WITH ORDINALITY u(name, place)
                    WHERE place <= p.pronargs AND name <> '' AND p.proargmodes IS NULL), '-'))
         FROM pg_proc p JOIN pg_type r ON r.oid = p.prorettype
         WHERE p.oid < 16384 AND p.pronamespace = 11
           AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])
           AND NOT EXISTS (SELECT FROM pg_type t WHERE t.typinput = p.oid OR t.typsend = p.oid)",
    ),
    (
        "opclasses",
        "SELECT concat_ws(E'\\t', a.amname, c.opcname, t.typname, c.opcdefault::int)
         FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod JOIN pg_type t ON t.oid = c.opcintype
         WHERE c.oid < 16384",
    ),
    (
        "relations",
        "SELECT concat_ws(E'\\t', CASE n.nspname WHEN 'pg_catalog' THEN '' ELSE n.nspname || '.' END || c.relname, c.relkind,
                string_agg(concat_ws(' ', a.attname,
                    CASE y.nspname WHEN 'pg_catalog' THEN '' ELSE y.nspname || '.' END || t.typname,
                    NULLIF(a.atttypmod, -1)), ',' ORDER BY a.attnum))
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
         JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace y ON y.oid = t.typnamespace
         WHERE c.oid < 16384 AND n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v')
           AND a.attnum > 0 AND NOT a.attisdropped
         GROUP BY n.nspname, c.relname, c.relkind",
    ),
];

fn main() -> Result<()> {
    let folder = repository().join("schema/src/analyse/system");
    fs::create_dir_all(&folder)?;
    for (name, query) in FILES {
        let mut lines: BTreeMap<String, u32> = BTreeMap::new();
        for (place, major) in servers::MAJORS.into_iter().enumerate() {
            let server = servers::get(major).ok_or("every version is needed")?;
            let mut client = server.scratch().connect("template1")?;
            for message in client.simple_query(query)? {
                if let SimpleQueryMessage::Row(row) = message {
                    *lines.entry(row.get(0).unwrap_or_default().to_owned()).or_default() |= 1 << place;
                }
            }
        }
        let mut text = String::new();
        let mut sorted: Vec<(Vec<&str>, u32)> =
            lines.iter().map(|(line, versions)| (line.split('\t').collect(), *versions)).collect();
        sorted.sort();
        for (fields, versions) in sorted {
            text.push_str(&format!("{}\t{versions}\n", fields.join("\t")));
        }
        fs::write(folder.join(format!("{name}.txt")), text)?;
        println!("{name}: {}", lines.len());
    }
    Ok(())
}

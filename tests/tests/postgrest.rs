//! What an API server in the manner of PostgREST takes from the catalogs, before and after the guide: through the facades
//! it finds the same relations, keys, relationships to embed by, and rights to write. How it then asks is in the
//! fixture's `clients.sql`, in the blocks that begin with its name.

use std::collections::BTreeSet;

use postgres::Client;
use schemac_tests::servers::{self, As};
use schemac_tests::{fixture, product};

/// Each column of a relation, with the column of the table that it comes from in the end. PostgreSQL notes in a view's
/// rule which column of which relation each column of the result is (`resorigtbl`, `resorigcol`).
const ORIGINS: &str = r"
    create temp view shown as
        select r.ev_class as relation, m[1]::int2 as number, m[2]::oid as of, m[3]::int2 as its
        from pg_rewrite r, lateral regexp_matches(r.ev_action,
            ':resno (\d+) :resname (?:\\.|[^\\ ])+ :ressortgroupref \d+ :resorigtbl (\d+) :resorigcol (\d+)', 'g') m
        where r.rulename = '_RETURN' and m[2] <> '0';
    create temp table origins as
        with recursive origin (relation, number, of, its) as (
            select c.oid, a.attnum, c.oid, a.attnum from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
          union
            select s.relation, s.number, o.of, o.its from shown s join origin o on o.relation = s.of and o.number = s.its
        )
        select o.*, a.attname as name, format('%I.%I', n.nspname, c.relname) as path, n.nspname as schema
        from origin o join pg_class c on c.oid = o.relation join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = o.relation and a.attnum = o.number;
";

/// What each relation of an exposed schema is to such a server: columns with their types and whether a default stands
/// for them, the key, and what can be done to it.
const RELATIONS: &str = "
    select format('%I.%I', n.nspname, c.relname) || ' ' || case when c.relkind in ('r', 'p') then 'v' else c.relkind::text end
        || ' (' || string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
            case when d.oid is not null and a.attgenerated = '' then ' default' end), ', ' order by a.attname) || ')'
        || ' key ' || coalesce((
            select string_agg(o.name, ', ' order by o.name) from pg_constraint k, origins o
            where k.contype = 'p' and o.relation = c.oid and o.of = k.conrelid and o.its = any (k.conkey)), 'none')
        || ' writes ' || pg_relation_is_updatable(c.oid, true)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where n.nspname = any ($1) and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
    group by n.nspname, c.relname, c.oid, c.relkind";

/// By which keys rows of one relation belong to rows of another one.
const RELATIONSHIPS: &str = "
    select format('%s: %s (%s) -> %s (%s)', k.conname, f.path, f.names, t.path, t.names)
    from pg_constraint k
    cross join lateral (
        select o.path, o.schema, string_agg(o.name, ', ' order by array_position(k.conkey, o.its)) as names
        from origins o where o.of = k.conrelid and o.its = any (k.conkey)
        group by o.path, o.schema having count(*) = cardinality(k.conkey)) f
    cross join lateral (
        select o.path, o.schema, string_agg(o.name, ', ' order by array_position(k.confkey, o.its)) as names
        from origins o where o.of = k.confrelid and o.its = any (k.confkey)
        group by o.path, o.schema having count(*) = cardinality(k.confkey)) t
    where k.contype = 'f' and k.conparentid = 0 and f.schema = any ($1) and t.schema = any ($1)";

/// Functions that can be called, and those that compute a column of a relation. Rows are those of a relation of the
/// same name, whose type has moved with it.
const ROUTINES: &str = "
    select format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_arguments(p.oid)) || ' returns ' ||
        case when r.oid is not null and p.proretset then 'rows' else coalesce(pg_get_function_result(p.oid), 'nothing') end
        || ' ' || p.provolatile::text
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    left join pg_class r on r.reltype = p.prorettype and r.relkind <> 'c'
    where n.nspname = any ($1)";

/// The schemas that clients of the flat database use.
const EXPOSED: [&str; 2] = ["public", "core"];

fn asked(client: &mut Client, question: &str) -> BTreeSet<String> {
    let rows = client.query(question, &[&EXPOSED.as_slice()]).expect("the catalogs answer");
    rows.iter().filter_map(|row| row.get::<_, Option<String>>(0)).collect()
}

struct Seen {
    relations: BTreeSet<String>,
    relationships: BTreeSet<String>,
    routines: BTreeSet<String>,
}

fn look(mut client: Client) -> Seen {
    client.batch_execute(ORIGINS).expect("the origins of columns");
    Seen {
        relations: asked(&mut client, RELATIONS),
        relationships: asked(&mut client, RELATIONSHIPS),
        routines: asked(&mut client, ROUTINES),
    }
}

#[track_caller]
fn all_there(major: u32, what: &str, before: &BTreeSet<String>, after: &BTreeSet<String>) {
    let lost: Vec<&String> = before.difference(after).collect();
    let new: Vec<&String> = after.difference(before).collect();
    assert!(lost.is_empty(), "PostgreSQL {major}: {what} that are no more: {lost:#?}\ninstead: {new:#?}");
}

fn the_same_api(major: u32) {
    let Some(server) = servers::get(major) else { return };
    let database = fixture::flat(server);
    let before = look(database.connect(As::Superuser));
    assert!(before.relationships.len() > 40, "{:#?}", before.relationships);
    let project = fixture::folder().join("project");
    // What such a server finds otherwise is told: which functions give rows that it would embed by.
    let plan = product::run(&project, &database.url_as_owner(), &["diff", "--json"]).expect("runs");
    let plan: serde_json::Value = serde_json::from_str(&plan.expect(0).stdout).expect("JSON");
    let told = plan["compatibility"]["findings"].as_array().expect("a list").iter();
    let told: Vec<&serde_json::Value> = told.filter(|one| one["rule"] == "row-type-result").collect();
    let names: Vec<&str> = told.iter().filter_map(|one| one["at"]["text"].as_str()).collect();
    assert_eq!(names, ["function public.recent_memories(int4)"]);
    product::run(&project, &database.url_as_owner(), &["apply", "--yes"]).expect("runs").expect(0);
    let after = look(database.connect(As::Superuser));
    all_there(major, "relations", &before.relations, &after.relations);
    all_there(major, "relationships", &before.relationships, &after.relationships);
    all_there(major, "functions", &before.routines, &after.routines);
    // A name that can be embedded in two ways is an error to it: none has become ambiguous.
    let extra: Vec<&String> = after.relationships.difference(&before.relationships).collect();
    assert!(extra.is_empty(), "PostgreSQL {major}: new relationships {extra:#?}");
}

#[test]
fn the_same_api_on_15() {
    the_same_api(15);
}

#[test]
fn the_same_api_on_17() {
    the_same_api(17);
}

#[test]
fn the_same_api_on_18() {
    the_same_api(18);
}

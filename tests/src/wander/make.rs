//! The objects of a world: of every sort that moves, with names that are hard to quote, each using some before it.

use super::write::BARE;
use super::{Column, Numbers, Place, STATES, Sort, Thing, Values, World, Y, quoted, travel};

const TABLES: [&str; 14] = [
    "orders",
    "items",
    "Mixed Case",
    "user",
    "events",
    "keys",
    "plan\"s",
    "files",
    "tasks",
    "votes",
    "ünits",
    "a.b",
    "teams",
    "notes",
];

const COLUMNS: [&str; 10] =
    ["name", "Title", "select", "note", "a \"b\"", "größe", "kind", "total", "is_open", "order"];

const ROLES: [&str; 3] = ["anon", "authenticated", "service_role"];

/// The world of a seed, for servers of a major version.
pub fn world(seed: u64, major: u32) -> World {
    let mut making = Making {
        numbers: Numbers::new(seed),
        world: World { seed, things: Vec::new(), usage: Vec::new(), defaults: Vec::new(), published: false },
        major,
    };
    making.all();
    let Making { mut numbers, mut world, .. } = making;
    travel::send(&mut world, &mut numbers);
    world
}

struct Making {
    numbers: Numbers,
    world: World,
    major: u32,
}

impl Making {
    fn all(&mut self) {
        self.world.published = self.numbers.often(50);
        for role in ["anon", "authenticated"] {
            if self.numbers.often(40) {
                self.world.defaults.push(("tables".into(), role.into()));
            }
            if self.numbers.often(25) {
                self.world.defaults.push(("functions".into(), role.into()));
            }
        }
        for _ in 0..1 + self.numbers.below(2) {
            self.enumeration();
        }
        self.norm();
        if self.numbers.often(70) {
            self.domain();
        }
        if self.numbers.often(70) {
            self.composite();
        }
        if self.numbers.often(70) {
            self.sequence();
        }
        self.log();
        for at in 0..5 + self.numbers.below(5) {
            self.table(at);
            if self.numbers.often(40) {
                self.reader();
            }
            if self.numbers.often(30) {
                self.row_function();
            }
        }
        if self.numbers.often(60) {
            self.partitioned();
        }
        if self.numbers.often(40) {
            self.child();
        }
        for at in 0..2 + self.numbers.below(4) {
            self.view(at);
        }
        for at in 0..self.numbers.below(3) {
            self.matview(at);
        }
        for _ in 0..self.numbers.below(3) {
            self.reader();
        }
        if self.numbers.often(50) {
            self.set_returning();
        }
        if self.numbers.often(50) {
            self.procedure();
        }
        if self.numbers.often(40) {
            self.aggregate();
        }
    }

    fn add(&mut self, sort: Sort, name: &str, entry: Vec<(String, Y)>) -> usize {
        let mut name = name.to_owned();
        while self.world.things.iter().any(|thing| thing.places[0].name == name) {
            name.push('2');
        }
        let place = Place { schema: "public".to_owned(), name };
        self.world.things.push(Thing {
            sort,
            places: std::array::from_fn(|_| place.clone()),
            facade: None,
            needs_facade: false,
            columns: Vec::new(),
            entry,
            log: false,
            grants: Vec::new(),
            call: None,
            rows_taken: false,
            asks: None,
            parent: None,
        });
        self.world.things.len() - 1
    }

    fn of(&mut self, sorts: &[Sort]) -> Option<usize> {
        let fitting: Vec<usize> =
            (0..self.world.things.len()).filter(|at| sorts.contains(&self.world.things[*at].sort)).collect();
        (!fitting.is_empty()).then(|| self.numbers.one(&fitting))
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.world.things.iter().position(|thing| thing.places[0].name == name)
    }

    fn roles(&mut self, percent: usize) -> Vec<&'static str> {
        ROLES.into_iter().filter(|_| self.numbers.often(percent)).collect()
    }

    fn enumeration(&mut self) {
        let labels = ["on", "off", "it's", "null"].map(Y::text).to_vec();
        let name = self.numbers.one(&["mood", "Status", "key_kind"]);
        self.add(Sort::Enum, name, vec![("values".into(), Y::List(labels))]);
    }

    fn norm(&mut self) {
        self.add(
            Sort::Function,
            "norm",
            entries(&[
                ("arguments", "t text"),
                ("returns", "text"),
                ("attributes", "immutable"),
                ("body", "select lower(t)"),
            ]),
        );
        self.last().call = Some("norm('Ab')".into());
    }

    fn last(&mut self) -> &mut Thing {
        self.world.things.last_mut().expect("a thing was made")
    }

    fn domain(&mut self) {
        let norm = self.named("norm").filter(|_| self.numbers.often(50));
        let shape = match norm {
            Some(norm) => format!("@{norm}@(value) like '%@%'"),
            None => "value like '%@%'".to_owned(),
        };
        let checks = Y::Map(vec![("shape".into(), Y::text(shape))]);
        self.add(Sort::Domain, "mail", vec![("type".into(), Y::text("text")), ("checks".into(), checks)]);
    }

    fn composite(&mut self) {
        let fields = entries(&[("a", "int"), ("b", "text")]);
        self.add(Sort::Composite, "pair", vec![("fields".into(), Y::Map(fields))]);
    }

    fn sequence(&mut self) {
        let start = Y::Text(format!("{BARE}100"));
        let at = self.add(Sort::Sequence, "numbers", vec![("start".to_owned(), start)]);
        let grants = ROLES.map(|role| (role.to_owned(), Y::List(vec![Y::text("usage")])));
        self.world.things[at].entry.push(("grants".into(), Y::Map(grants.to_vec())));
    }

    /// A table that triggers write into, and their function.
    fn log(&mut self) {
        let at = self.add(Sort::Table, "log", Vec::new());
        self.column(at, "line", "text", Values::Text);
        self.column(at, "at", "timestamptz default now()", Values::Moment);
        self.world.things[at].log = true;
        let body = format!(
            "begin\n  insert into @{at}@ (@{at}:0@) values (tg_op || ' ' || tg_name);\n  return coalesce(new, old);\nend"
        );
        let mut entry = entries(&[
            ("returns", "trigger"),
            ("language", "plpgsql"),
            ("attributes", "security definer"),
            ("body", &body),
        ]);
        entry.push(("set".into(), Y::Map(entries(&[("search_path", "pg_catalog")]))));
        self.add(Sort::Function, "note_it", entry);
    }

    fn column(&mut self, thing: usize, name: &str, definition: &str, values: Values) {
        let mut name = name.to_owned();
        while self.world.things[thing].columns.iter().any(|column| column.names[0] == name) {
            name.push('x');
        }
        let comment = self.numbers.often(15).then(|| format!("What \"{name}\" is: it's 'said'"));
        self.world.things[thing].columns.push(Column {
            names: std::array::from_fn(|_| name.clone()),
            definition: definition.to_owned(),
            comment,
            values,
        });
    }

    fn table(&mut self, number: usize) {
        let name = TABLES[(number * 3 + self.numbers.below(3)) % TABLES.len()];
        let at = self.add(Sort::Table, name, Vec::new());
        let sequence = self.named("numbers");
        match self.numbers.below(5) {
            0 => self.column(at, "id", "bigint generated always as identity", Values::Made),
            1 => self.column(at, "id", "int generated by default as identity", Values::Made),
            2 => self.column(at, "ID", "serial", Values::Made),
            3 => self.column(at, "id", "uuid default gen_random_uuid()", Values::Uuid),
            _ => match sequence {
                Some(sequence) => {
                    let definition = format!("bigint default nextval('@{sequence}@')");
                    self.column(at, "id", &definition, Values::Number);
                }
                None => self.column(at, "id", "bigserial", Values::Made),
            },
        }
        for _ in 0..1 + self.numbers.below(5) {
            self.any_column(at);
        }
        if self.numbers.often(60) {
            self.column(
                at,
                "owner",
                "text not null default coalesce(current_setting('app.who', true), 'ann')",
                Values::Owner,
            );
        }
        self.rest(at);
    }

    fn any_column(&mut self, at: usize) {
        let name = self.numbers.one(&COLUMNS);
        let pick =
            |making: &Self, sort: Sort| making.world.things.iter().position(|thing| thing.sort == sort);
        let (mood, mail, pair) =
            (pick(self, Sort::Enum), pick(self, Sort::Domain), pick(self, Sort::Composite));
        let text = self.world.things[at].columns.iter().position(|column| column.values == Values::Text);
        match self.numbers.below(14) {
            0 | 1 => self.column(at, name, "text not null default 'plain'", Values::Text),
            2 => self.column(at, name, "varchar(40)", Values::Text),
            3 => self.column(at, name, "int default 7", Values::Number),
            4 => self.column(at, name, "numeric(10,2)", Values::Number),
            5 => self.column(at, name, "boolean not null default false", Values::Truth),
            6 => self.column(at, name, "timestamptz", Values::Moment),
            7 => self.column(at, name, "jsonb not null default '{}'", Values::Json),
            8 => self.column(at, name, "text[]", Values::Texts),
            9 if mood.is_some() => {
                let mood = mood.unwrap_or(0);
                self.column(at, name, &format!("@{mood}@ default 'on'"), Values::Label);
            }
            10 if mail.is_some() => {
                let mail = mail.unwrap_or(0);
                self.column(at, name, &format!("@{mail}@"), Values::Mail);
            }
            11 if pair.is_some() => {
                let pair = pair.unwrap_or(0);
                self.column(at, name, &format!("@{pair}@"), Values::Pair);
            }
            12 if text.is_some() => {
                let (text, norm) = (text.unwrap_or(0), self.named("norm"));
                let from = match norm.filter(|_| self.numbers.often(50)) {
                    Some(norm) => format!("@{norm}@(@{at}:{text}@::text)"),
                    None => format!("lower(@{at}:{text}@)"),
                };
                self.column(at, name, &format!("text generated always as ({from}) stored"), Values::Computed);
            }
            13 => match self.of(&[Sort::Table]).filter(|other| *other != at && self.is_keyed(*other)) {
                Some(other) => {
                    let key = &self.world.things[other].columns[0];
                    let of = if key.values == Values::Uuid { "uuid" } else { "bigint" };
                    self.column(at, name, of, Values::Key(other));
                }
                None => self.column(at, name, "text", Values::Text),
            },
            _ => self.column(at, name, "text", Values::Text),
        }
    }

    fn is_keyed(&self, table: usize) -> bool {
        self.world.things[table].entry.iter().any(|(key, _)| key == "primary_key")
            && self.world.things[table].columns.iter().all(|column| column.values != Values::Bucket)
    }

    /// Keys, checks, indexes, policies, triggers and privileges of a table whose columns are there.
    fn rest(&mut self, at: usize) {
        let own = self.world.things[at].places[0].name.clone();
        let columns = self.world.things[at].columns.clone();
        let texts: Vec<usize> = (0..columns.len()).filter(|c| columns[*c].values == Values::Text).collect();
        let mut entry: Vec<(String, Y)> = Vec::new();
        let key = columns.iter().position(|column| column.values == Values::Bucket);
        let key = match key {
            Some(bucket) => format!("(@{at}:0@, @{at}:{bucket}@)"),
            None => format!("(@{at}:0@)"),
        };
        entry.push(("primary_key".into(), Y::Map(vec![(format!("{own}_pkey"), Y::text(key))])));
        let mut checks = Vec::new();
        let norm = self.named("norm").unwrap_or(0);
        if let Some(text) = texts.first().copied() {
            if self.numbers.often(50) {
                checks.push((
                    format!("{own}_said"),
                    Y::text(format!("@{norm}@(@{at}:{text}@::text) <> 'never'")),
                ));
            }
            let mut indexes = Vec::new();
            // A part's index is called by the function's name of that time.
            let divided = columns.iter().any(|column| column.values == Values::Bucket);
            if self.numbers.often(60) && !divided {
                indexes.push((
                    format!("{own}_idx"),
                    Y::text(format!("(@{norm}@(@{at}:{text}@::text)) where @{at}:{text}@ is not null")),
                ));
            }
            if self.numbers.often(30) {
                indexes.push((format!("{own} \"2\""), Y::text(format!("(@{at}:{text}@ desc, @{at}:0@)"))));
            }
            if !indexes.is_empty() {
                entry.push(("indexes".into(), Y::Map(indexes)));
            }
        }
        if !checks.is_empty() {
            entry.push(("checks".into(), Y::Map(checks)));
        }
        let mut keys = Vec::new();
        for (c, column) in columns.iter().enumerate() {
            if let Values::Key(other) = column.values {
                let text = format!("(@{at}:{c}@) references @{other}@ (@{other}:0@) on delete cascade");
                keys.push((format!("{own}_{c}_fkey"), Y::text(text)));
            }
        }
        if !keys.is_empty() {
            entry.push(("foreign_keys".into(), Y::Map(keys)));
        }
        if columns.iter().any(|column| column.values == Values::Owner) && self.numbers.often(70) {
            self.policies(at, &mut entry);
        }
        if let Some(note) = self.named("note_it").filter(|_| self.numbers.often(40)) {
            let when = self.numbers.one(&["after insert or update", "before delete", "after insert"]);
            let text = format!("{when} for each row execute function @{note}@()");
            entry.push(("triggers".into(), Y::Map(vec![("noted".into(), Y::text(text))])));
        }
        if self.numbers.often(50) {
            entry.push(("comment".into(), Y::text(format!("Table \"{own}\", it's one\nof many"))));
        }
        let divided = columns.iter().any(|column| column.values == Values::Bucket);
        if !divided && self.numbers.often(20) {
            entry.push(("options".into(), Y::Map(entries(&[("fillfactor", "70")]))));
        }
        if self.world.published && self.numbers.often(40) {
            entry.push(("published_in".into(), Y::List(vec![Y::text("feed")])));
        }
        self.world.things[at].entry.extend(entry);
        self.table_grants(at);
    }

    fn policies(&mut self, at: usize, entry: &mut Vec<(String, Y)>) {
        let owner = self.world.things[at].columns.iter().position(|column| column.values == Values::Owner);
        let owner = format!("@{at}:{}@", owner.unwrap_or(0));
        let mine = format!("{owner} = current_setting('app.who', true)");
        let mut policies = Vec::new();
        let policy = |of: &str, to: &[&str], using: &str, check: Option<&str>| {
            let mut policy = entries(&[("for", of)]);
            policy.push(("to".into(), Y::List(to.iter().map(|role| Y::text(*role)).collect())));
            if of != "insert" {
                policy.push(("using".into(), Y::text(using)));
            }
            if let Some(check) = check.filter(|_| of != "select" && of != "delete") {
                policy.push(("with_check".into(), Y::text(check)));
            }
            Y::Map(policy)
        };
        policies.push(("Their own".to_owned(), policy("all", &["authenticated"], &mine, Some(&mine))));
        let reading = self
            .world
            .things
            .iter()
            .position(|thing| thing.sort == Sort::Function && thing.places[0].name.starts_with("has_"));
        let other = self.of(&[Sort::Table]).filter(|other| *other != at && !self.has_policies(*other));
        if let Some(reading) = reading.filter(|_| self.numbers.often(60)) {
            let using = format!("@{reading}@({owner})");
            policies.push(("Members".to_owned(), policy("select", &["anon", "authenticated"], &using, None)));
        } else if let Some(other) = other.filter(|_| self.numbers.often(60)) {
            let using = format!(
                "{owner} = 'bob' and exists (select from @{other}@ as o where o.@{other}:0@ is not null)"
            );
            policies.push(("It is \"there\"".to_owned(), policy("select", &["authenticated"], &using, None)));
        } else {
            policies
                .push(("Bob's".to_owned(), policy("select", &["anon"], &format!("{owner} = 'bob'"), None)));
        }
        entry.push(("rls".into(), Y::text(if self.numbers.often(15) { "forced" } else { "enabled" })));
        entry.push(("policies".into(), Y::Map(policies)));
    }

    fn has_policies(&self, at: usize) -> bool {
        self.world.things[at].entry.iter().any(|(key, _)| key == "policies")
    }

    fn table_grants(&mut self, at: usize) {
        for role in ROLES {
            let granted: Vec<String> = match self.numbers.below(6) {
                0 => continue,
                1 => vec!["select".into()],
                2 => vec!["select".into(), "insert".into(), "update".into(), "delete".into()],
                3 => vec!["all".into()],
                4 => {
                    let columns = self.world.things[at].columns.len();
                    let some: Vec<String> = (0..columns)
                        .filter(|c| *c == 0 || c % 2 == 1)
                        .map(|c| format!("@{at}:{c}@"))
                        .collect();
                    vec![format!("select ({})", some.join(", ")), "delete".into()]
                }
                _ => {
                    let last = self.world.things[at].columns.len() - 1;
                    vec![
                        "select".into(),
                        format!("insert (@{at}:{last}@)"),
                        format!("update (@{at}:{last}@)"),
                    ]
                }
            };
            self.world.things[at].grants.push((role.to_owned(), granted));
        }
    }

    fn partitioned(&mut self) {
        let at = self.add(Sort::Table, "measures", Vec::new());
        let id = self.numbers.one(&["bigint default 5", "int default 5"]);
        self.column(at, "id", id, Values::Number);
        self.column(at, "bucket", "text not null", Values::Bucket);
        for _ in 0..1 + self.numbers.below(3) {
            self.any_column(at);
        }
        let parts = ["measures_a", "Measures B", "measures_rest"];
        let bounds = ["for values in ('a')", "for values in ('b', 'c')", "default"];
        let parts: Vec<(String, Y)> =
            parts.iter().zip(bounds).map(|(name, bound)| ((*name).to_owned(), Y::text(bound))).collect();
        self.world.things[at].entry.push(("partition_by".into(), Y::text(format!("list (@{at}:1@)"))));
        self.world.things[at].entry.push(("partitions".into(), Y::Map(parts)));
        self.rest(at);
    }

    /// A table that inherits from another one, without its keys.
    fn child(&mut self) {
        let plain = |thing: &Thing| {
            thing.sort == Sort::Table && thing.columns.iter().all(|column| column.values != Values::Bucket)
        };
        let parents: Vec<usize> =
            (0..self.world.things.len()).filter(|at| plain(&self.world.things[*at])).collect();
        let Some(parent) = (!parents.is_empty()).then(|| self.numbers.one(&parents)) else { return };
        let at = self.add(Sort::Table, "special", Vec::new());
        self.column(at, "extra", "int default 3", Values::Number);
        self.world.things[at].entry.push(("inherits".into(), Y::text(format!("@{parent}@"))));
        self.world.things[at].parent = Some(parent);
        self.world.things[at].log = true;
        self.world.things[at].grants.push(("authenticated".into(), vec!["select".into()]));
    }

    fn view(&mut self, number: usize) {
        let Some(base) = self.of(&[Sort::Table, Sort::Table, Sort::View]) else { return };
        let is_table = self.world.things[base].sort == Sort::Table;
        let query = if !is_table {
            format!("select * from @{base}@")
        } else {
            let columns = self.world.things[base].columns.len();
            match self.numbers.below(4) {
                0 => format!("select * from @{base}@"),
                1 => {
                    let list: Vec<String> = (0..columns).map(|c| format!("t.@{base}:{c}@ as c{c}")).collect();
                    format!("select {} from @{base}@ as t", list.join(", "))
                }
                2 => format!("select count(*) as many, max(t.@{base}:0@::text) as last from @{base}@ t"),
                _ => {
                    let norm = self.named("norm").unwrap_or(0);
                    format!(
                        "select t.@{base}:0@ as key, @{norm}@(t.@{base}:0@::text) as said from @{base}@ t where t.@{base}:0@ is not null"
                    )
                }
            }
        };
        let name = ["seen", "Over View", "summary", "all_of", "view5"][number % 5];
        let mut entry = vec![("query".to_owned(), Y::text(query))];
        if self.major >= 15 && self.numbers.often(50) {
            entry.push(("options".into(), Y::Map(entries(&[("security_invoker", "true")]))));
        }
        if self.numbers.often(40) {
            entry.push(("comment".into(), Y::text("A view")));
        }
        let at = self.add(Sort::View, name, entry);
        for role in self.roles(60) {
            self.world.things[at].grants.push((role.into(), vec!["select".into()]));
        }
    }

    fn matview(&mut self, number: usize) {
        let Some(base) = self.of(&[Sort::Table, Sort::View]) else { return };
        let query = format!("select count(*) as many, min(t::text) as first from @{base}@ as t");
        let index = Y::Map(vec![(format!("counted_{number}"), Y::text("unique (many)"))]);
        let entry = vec![("query".to_owned(), Y::text(query)), ("indexes".to_owned(), index)];
        let at = self.add(Sort::Matview, ["counts", "Counted"][number % 2], entry);
        for role in self.roles(60) {
            self.world.things[at].grants.push((role.into(), vec!["select".into()]));
        }
    }

    /// A function that reads a table.
    fn reader(&mut self) {
        let Some(base) = self.of(&[Sort::Table]) else { return };
        let number = self.world.things.len();
        let owner = self.world.things[base].columns.iter().position(|column| column.values == Values::Owner);
        let owner = owner.map(|owner| format!("@{base}:{owner}@::text = who"));
        let condition = owner.unwrap_or_else(|| "who is not null".to_owned());
        match self.numbers.below(4) {
            0 | 1 => {
                let language = self.numbers.one(&["sql", "plpgsql"]);
                let query = format!("exists (select from @{base}@ where {condition})");
                let body = if language == "sql" {
                    format!("select {query}")
                } else {
                    format!("begin\n  return {query};\nend")
                };
                let mut entry = entries(&[
                    ("arguments", "who text"),
                    ("returns", "boolean"),
                    ("language", language),
                    ("attributes", "stable security definer"),
                    ("body", &body),
                ]);
                entry.push(("set".into(), Y::Map(entries(&[("search_path", "pg_catalog")]))));
                self.add(Sort::Function, &format!("has_{number}"), entry);
                let call = self.last().places[0].name.clone() + "('bob')";
                self.last().call = Some(call);
            }
            2 => {
                let body = format!("begin atomic select count(*) from @{base}@; end");
                let entry = entries(&[("returns", "bigint"), ("attributes", "stable"), ("body", &body)]);
                self.add(Sort::Function, &format!("count_{number}"), entry);
                let call = self.last().places[0].name.clone() + "()";
                self.last().call = Some(call);
            }
            _ => {
                // As the caller, who knows the old name.
                let body = format!("begin\n  return (select count(*) from @{base}!@);\nend");
                let entry = entries(&[("returns", "bigint"), ("language", "plpgsql"), ("body", &body)]);
                self.add(Sort::Function, &format!("ask_{number}"), entry);
                let call = self.last().places[0].name.clone() + "()";
                self.last().call = Some(call);
                self.last().asks = Some(base);
                self.world.things[base].needs_facade = true;
            }
        }
    }

    fn row_function(&mut self) {
        let Some(base) = self.of(&[Sort::Table]).filter(|base| self.is_keyed(*base)) else { return };
        let text = format!("select r.@{base}:0@::text || '!'");
        let entry = entries(&[
            ("arguments", &format!("r @{base}@")),
            ("returns", "text"),
            ("attributes", "stable"),
            ("body", &text),
        ]);
        let number = self.world.things.len();
        self.add(Sort::Function, &format!("told_{number}"), entry);
        self.last().call = None;
        self.world.things[base].rows_taken = true;
    }

    fn set_returning(&mut self) {
        let Some(base) = self.of(&[Sort::Table]) else { return };
        let mut entry = entries(&[
            ("returns", &format!("setof @{base}@")),
            ("attributes", "stable security definer"),
            ("body", &format!("select * from @{base}@")),
        ]);
        entry.push(("set".into(), Y::Map(entries(&[("search_path", "pg_catalog")]))));
        self.add(Sort::Function, "everything", entry);
        self.last().call = Some("everything()".into());
    }

    fn procedure(&mut self) {
        let entry = entries(&[
            ("arguments", "inout a int"),
            ("language", "plpgsql"),
            ("attributes", "security definer"),
            ("body", "begin\n  a := a + 1;\nend"),
        ]);
        self.add(Sort::Procedure, "work", entry);
    }

    fn aggregate(&mut self) {
        let add = self.add(
            Sort::Function,
            "add_up",
            entries(&[
                ("arguments", "state bigint, number int"),
                ("returns", "bigint"),
                ("attributes", "immutable"),
                ("body", "select state + number"),
            ]),
        );
        let entry = entries(&[
            ("arguments", "int"),
            ("sfunc", &format!("@{add}@")),
            ("stype", "bigint"),
            ("initcond", "0"),
        ]);
        self.add(Sort::Aggregate, "total_of", entry);
    }
}

fn entries(all: &[(&str, &str)]) -> Vec<(String, Y)> {
    all.iter().map(|(key, text)| ((*key).to_owned(), Y::text(*text))).collect()
}

/// A call of a function by its flat name, whose own name may need quotes.
pub(super) fn called(thing: &Thing) -> Option<String> {
    let call = thing.call.as_ref()?;
    let arguments = call.strip_prefix(&thing.places[0].name)?;
    Some(format!("{}.{}{arguments}", quoted(&thing.places[0].schema), quoted(&thing.places[0].name)))
}

/// The states after the first.
pub(super) fn later() -> std::ops::Range<usize> {
    1..STATES
}

//! Every code that a diagnostic can carry, with what `schemac explain` says about it.
//!
//! 01 YAML and its shape, 02 SQL fragments, 03 names and references, 04 moves and facades,
//! 05 the database, 06 plans and hazards, 07 the project file. A code is never reused for another
//! meaning; one that is no longer emitted is taken out.

macro_rules! codes {
    ($($name:ident $id:literal $title:literal $explanation:literal)*) => {
        /// The kind of a diagnostic.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!($id, ": ", $title, ".")] $name,)*
        }

        impl Code {
            const ALL: &[Code] = &[$(Code::$name,)*];

            /// The code as people see it, such as `SC0103`.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Code::$name => $id,)* }
            }

            /// A few words that say what is wrong.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }

            /// Why it is wrong, an example, and the example put right.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$name => $explanation.trim_ascii(),)* }
            }
        }
    };
}

impl Code {
    /// Every code, in the order of the numbers.
    #[must_use]
    pub fn all() -> &'static [Code] {
        Self::ALL
    }

    /// The code of an id, written in any case, with or without `SC`.
    #[must_use]
    pub fn find(id: &str) -> Option<Code> {
        let wanted = id.trim().to_ascii_uppercase();
        let digits = wanted.strip_prefix("SC").unwrap_or(&wanted);
        Self::ALL.iter().copied().find(|code| code.id().strip_prefix("SC") == Some(digits))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.id())
    }
}

codes! {
YamlSyntax "SC0101" "the file is not well-formed YAML" r#"
The file cannot be read as YAML. The caret stands where the reader gave up; the cause is often a
line or two above: a missing colon, a tab used for indentation, a quote that is not closed. SQL that
begins with a character which means something to YAML (`*`, `&`, `!`, `%`, `@`, `{`, `[`, quotes),
or that holds a colon followed by a space, stands in quotes or in a block scalar.

Wrong:
    checks:
      title_is_set: "char"(title) <> ''
Right:
    checks:
      title_is_set: |
        "char"(title) <> ''
"#
DuplicateKey "SC0102" "a key stands twice in one mapping" r#"
Each key may stand once in a mapping; YAML readers that take the last one would drop the other
without a word.

Wrong:
    tables:
      users: { … }
      users: { … }
Right: one entry that holds everything.
"#
UnknownKey "SC0103" "a key that means nothing here" r#"
Every key of the language is known; a misspelt one is an error, so that nothing is ignored. The
message names the nearest known key and the whole list.

Wrong:
    tables:
      users:
        colums: { … }
Right:
    tables:
      users:
        columns: { … }
"#
MissingKey "SC0104" "a key that must be there is missing" r#"
Some entries make no sense without a certain key: a view without its query, a policy's long form of
a column without its type.

Wrong:
    views:
      active: { options: { security_invoker: true } }
Right:
    views:
      active:
        options: { security_invoker: true }
        query: select * from app.users where active
"#
WrongShape "SC0105" "a value has another shape than it must have" r#"
A value is a single one, a list, or a mapping, and here it is not the one that belongs here.

Wrong:
    columns: [id, name]
Right:
    columns:
      id: uuid primary key
      name: text
"#
UnknownValue "SC0106" "a value that is not possible here" r#"
The value must be one of a few words, `true` or `false`, or a number. Flags are exactly `true` or
`false`: `yes`, `on` and `"true"` are names and labels to schemac, never flags.

Wrong:
    rls: on
Right:
    rls: enabled
"#
EmptyValue "SC0107" "a value is empty" r#"
A name or a text was expected and nothing stands there. Where nothing is meant, leave the key out.
An empty text is written in quotes: `''`.

Wrong:
    comment:
Right: no line at all.
"#
Tag "SC0108" "a YAML tag" r#"
Tags such as `!!str` change how a value is read. The language has no use for them: everything is
read as it is written. A value that begins with `!` stands in quotes.

Wrong:
    default: !!str now()
Right:
    default: now()
"#
Anchor "SC0109" "a YAML anchor, alias or merge key" r#"
`&name`, `*name` and `<<` copy parts of a file at a distance. What several tables have in common is
said once with a mixin, which also keeps the place of every error. SQL that begins with `*` or `&`
stands in quotes.

Wrong:
    columns: &stamps
      created_at: timestamptz
Right:
    mixins:
      stamps:
        columns:
          created_at: timestamptz
"#
ManyDocuments "SC0110" "more than one YAML document in a file" r#"
A file holds one document; what stands after a line `---` would be a second one. Make it a file of
its own.
"#
TooLarge "SC0111" "a file goes beyond a limit" r#"
To stay safe on any input the reader takes files of up to 64 MiB that nest at most 64 levels deep.
"#
SqlSyntax "SC0201" "a fragment is not the SQL that belongs here" r#"
Every fragment is parsed with PostgreSQL's own grammar in the place where it will stand: a check's
expression, what follows a column's name, what follows `CREATE TRIGGER name`, and so on. The caret
stands under the character that PostgreSQL complains about.

Wrong:
    title_is_set: length(title >
Right:
    title_is_set: length(title) > 0
"#
EmptyFragment "SC0202" "a fragment of SQL is empty" r#"
SQL was expected and nothing stands there, or only white space. A `#` after the colon begins a YAML
comment, which makes the value empty.

Wrong:
    checks:
      ready:
Right:
    checks:
      ready: status <> 'draft'
"#
SplitFragment "SC0203" "a comma or bracket inside `{ … }` or `[ … ]` has split a value" r#"
Inside braces and brackets YAML ends a value at every comma, so a fragment of SQL becomes several
entries. SQL stands in block style or in quotes.

Wrong:
    unique: { users_key: (tenant_id, email) }
Right:
    unique:
      users_key: (tenant_id, email)
or:
    unique: { users_key: "(tenant_id, email)" }
"#
SwallowedComment "SC0204" "a YAML comment may have swallowed a part of the SQL" r#"
In a value without quotes, a `#` after a space begins a comment. PostgreSQL has operators with `#`,
and `data #>> '{a}' = 'x'` would quietly become `data`. So a fragment has no comment on its line:
put the comment on a line of its own, or the SQL in a block scalar or in quotes.

Wrong:
    is_open: data #>> '{state}' = 'open'
Right:
    is_open: |
      data #>> '{state}' = 'open'
"#
QuotedNoSql "SC0205" "YAML's quotes were taken for SQL's" r#"
YAML takes one pair of quotes away. `default: 'context'` is therefore the SQL `context`, a column
and not a text; a text needs both pairs. A short form in block style needs only SQL's.

Wrong:
    default: 'context'
Right:
    default: "'context'"
"#
WrongStatement "SC0206" "a fragment holds something else than it may" r#"
The SQL is well-formed but says another thing than belongs here: a second statement after a
semicolon, a table where a function should stand, a clause that has a key of its own.
"#
TwoOwners "SC0301" "a name is declared twice" r#"
Each object has one place in the project. Two entries for one table, or a view and a table of one
name (PostgreSQL keeps tables, views, indexes and sequences of a schema in one set of names), cannot
both be meant.
"#
UnknownSchema "SC0302" "a schema that is not declared" r#"
The name's first part is no domain of the project, no external schema and none of the database's.
Declare it with `domain:`, or list it under `external: schemas:` in schemac.yaml.
"#
UnknownRelation "SC0303" "a table or view that does not exist" r#"
No file declares it and no external schema has it. Unqualified names are looked up in the
`search_path` of schemac.yaml.
"#
UnknownColumn "SC0304" "a column that does not exist" r#"
The table is known and has no such column. Where it was renamed, write the new name; `renamed_from`
keeps what the rename was.
"#
UnknownType "SC0305" "a type that does not exist" r#"
No file declares it, no extension or external schema brings it, and PostgreSQL has none of that
name. Types of extensions live in the extension's schema: `extensions.citext`.
"#
UnknownRole "SC0306" "a role that does not exist" r#"
A grant or policy names a role that the database does not have. Roles belong to the whole server and are
made before: `create role app_reader`.
"#
UnknownFunction "SC0307" "a function that does not exist" r#"
No function of that name is declared, external, an extension's or PostgreSQL's own.
"#
UnknownMixin "SC0308" "a mixin that does not exist" r#"
`use:` names a convention that no file declares under `mixins:`.
"#
MixinParameter "SC0309" "a mixin's parameter is unknown or has no value" r#"
A mixin lists its parameters with their defaults; a table gives others by name:
`use: [{ tenant: { column: account_id } }]`.
"#
MixinConflict "SC0310" "two mixins disagree" r#"
Two mixins of one table define the same thing differently. The table's own entry wins over both:
write there what is meant.
"#
NameTooLong "SC0311" "a name is longer than PostgreSQL keeps" r#"
PostgreSQL cuts names at 63 bytes; the object would be called something else than the file says.
"#
ExternalObject "SC0312" "an object is declared in an external schema" r#"
What an external schema holds belongs to someone else. What the project adds to it (a trigger on
`auth.users`, a policy on `storage.objects`) stands under `on_external:`.
"#
NotModelled "SC0313" "something that schemac does not model yet" r#"
The language has it and this version of schemac does not build it yet: it is read and left alone. What
stands in the database stays as it is.
"#
OwnSchema "SC0314" "a domain has the name of schemac's own schema" r#"
The schema `schemac` of a database is where schemac keeps its journal and its memory. It is never compared, so
nothing in it can be declared, moved or published. Call the domain something else.
"#
UnknownTrigger "SC0315" "a trigger that the table has not" r#"
`inherited_triggers:` of a partition says when copies of its table's triggers fire. There are copies of triggers
`for each row` only, and only of those that a table above has.
"#
OldNameBindsToFacade "SC0401" "an unqualified old name would bind to the facade" r#"
The table has moved, and its old name is now a facade's. SQL of the project that uses the old name
without its schema would silently go through the facade. Write the new name, with its schema.
In a function's body, which is a string to PostgreSQL, it is a warning: the facade serves it for as long as it lives.
"#
ExchangedNames "SC0402" "two tables exchange their names" r#"
With `moved_from` on both, each apply would exchange them again. Do it in two steps: move one to a
third name, apply, then move both to where they belong and apply again.
"#
BothNamesExist "SC0403" "both the old and the new name are there" r#"
`moved_from` says that the table once had the old name, but the database has tables of both names.
Merge the rows with a backfill, or take the name out of `moved_from`. The sequence that a column owns goes to
another schema with its table: there may be none of its name either.
"#
FacadeColumnName "SC0404" "a facade must say which name clients see" r#"
The table has moved and a column was renamed. Say under the facade's `columns:` which name the
column has for the clients of the old name.

Right:
    facade:
      name: public.entries
      columns: { memory_type: kind }
"#
FacadeNotUpdatable "SC0405" "a facade that PostgreSQL cannot update by itself" r#"
Computed columns and joins make a view that takes no writes. Write `writes: triggers` to have
INSTEAD OF triggers generated, or `writes: none`.
"#
FacadeBypassesRls "SC0406" "a facade would bypass row-level security" r#"
PostgreSQL 14 has no security_invoker views: the facade would read and write the table as its owner,
past the policies of the table behind it. Nothing is done until `--allow facade-bypasses-rls` says that
it is meant. PostgreSQL 15 has no such gap.
"#
OldNameIsNoTable "SC0407" "something needs a table where a facade is" r#"
The name is a facade's: a view. A foreign key, a trigger for each row or an index needs the table. Write the
table's new name.

Wrong:
    user_id: uuid references public.users (id)
Right:
    user_id: uuid references app.users (id)
"#
PublicationLosesTable "SC0408" "a publication would silently lose a table that moves" r#"
`FOR TABLES IN SCHEMA` publishes the tables of a schema. One that moves elsewhere leaves the publication
without a word, and its subscribers hear nothing more of it. Publish it by name, or its new schema too.

Right:
    tables:
      users:
        moved_from: [public.users]
        published_in: [feed]
"#
LooksMoved "SC0409" "something goes and one like it comes" r#"
A table would be dropped, or left behind undeclared, and one with the same columns is created: in another schema, or
under another name where the columns are many, no other table has their like, or one name is in the other. Of two or
three columns two must be called as no other table's and by no word that many use (`id, iban, bic`), or one, and the keys
or the name be alike. The new one would be empty. `moved_from` moves the table with its rows. A sequence that goes while one of its name comes would begin
anew. Who uses the old name of a view, function or type would find nothing there, which is a warning, as it is where several
come into question. What is another one says its own name, or the old one is listed under `dropped:`.

Right:
    tables:
      users:
        moved_from: [public.users]
      people:
        moved_from: [people]    # it never had another name
"#
LooksRenamed "SC0410" "a column goes and one of the same type comes" r#"
The values of the old column would be lost. `renamed_from` keeps them.

Right:
    columns:
      full_name:
        type: text
        renamed_from: name
"#
WayBack "SC0421" "something to know about a way back" r#"
What an apply did can be taken back from what it recorded. Some of it does not come back as it was: values that went
with a dropped column, or a schema in which somebody has put something since.
"#
NotProven "SC0601" "a difference that could not be proven" r#"
The texts differ and the server could not be asked whether they mean the same: there is none, the role
may not create temporary objects, or what the SQL refers to changes in this very plan. The plan treats
it as a difference, which is safe; it may be one step too many.
"#
Undeclared "SC0602" "objects in the database that no file declares" r#"
They stay as they are. Declare them, list them under `dropped`, or set `undeclared: keep` to hear no
more of them; `undeclared: drop` removes them.
"#
Blocked "SC0603" "something that cannot be rebuilt is in the way" r#"
A change needs an object to be dropped and created again, but something that holds data, or that
schemac does not model, depends on it. The chain shows how. Change the dependent first, by hand or in
an earlier step.
"#
PlanCycle "SC0604" "the steps of a plan wait for each other" r#"
Each of these needs another one to be there first, as two views that read each other do. PostgreSQL cannot
make them either: take one of the references away. Where nothing refers to itself in a circle it is a defect of
schemac; please report it with the chain that the message shows. Nothing was run.

Wrong:
    views:
      open: { query: select * from app.recent }
      recent: { query: select * from app.open }
"#
DatabaseChanged "SC0605" "the database changed since it was planned" r#"
What the plan would change is no longer as it was when the plan was made. Nothing was run. Make the
plan again.
"#
BadPlanFile "SC0606" "a plan file that cannot be run" r#"
The file does not have the shape that `schemac diff --save` writes, or holds a statement that no plan
has. Nothing was run. Make the plan again; docs/plan-format.md describes the shape.
"#
ProjectMissing "SC0701" "no project file" r#"
A project is a folder with a file schemac.yaml. `--dir` names the folder; `schemac import` makes one from
a database.
"#
UnreadableFile "SC0702" "a file cannot be read" r#"
The file or folder is missing, not readable, or not UTF-8. A pattern under `include:` that finds no file is an error
too: what a missing file declares would be dropped.
"#
BadVersion "SC0703" "a PostgreSQL version that is not supported" r#"
`postgres:` is the major version of the oldest server that the schema must run on, from 14 to 18.
"#
UnknownDomain "SC0704" "a phase names a domain or table that is not declared" r#"
`phases:` moves one domain at a time; each name must be one of the project's.
"#
OutsideProject "SC0705" "a file outside of the project" r#"
What `include:` names is found from the folder of the file that says it, and stays inside of the project's folder,
also behind links: what a project declares is in its folder and nowhere else.

Wrong:
    include: [../../shared/functions.sql]
Right:
    include: [functions/*.sql]
"#
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_ordered_and_found() {
        assert!(Code::all().windows(2).all(|pair| pair[0].id() < pair[1].id()));
        for code in Code::all() {
            assert_eq!(Code::find(code.id()), Some(*code));
            assert!(code.id().len() == 6 && code.id().starts_with("SC0"), "{code}");
            assert!(!code.title().ends_with('.') && code.explanation().len() > 40, "{code}");
        }
        assert_eq!(Code::find("sc0103"), Some(Code::UnknownKey));
        assert_eq!(Code::find("0103"), Some(Code::UnknownKey));
        assert_eq!(Code::find("SC9999"), None);
    }
}

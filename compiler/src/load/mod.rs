//! A project's folder as one catalog: reads schemac.yaml and every source, and has them flattened.
//!
//! The only stage that opens a project's files. Shape errors come one per file, what is wrong beyond that all at
//! once. Names stay as they were written; `bind` resolves them.

mod beside;
mod files;
mod include;
pub mod profile;

#[cfg(test)]
mod tests;

use crate::bind::nearest;
use crate::pair::update;
use schemac_schema::catalog::Catalog;
use schemac_schema::code::Code;
use schemac_schema::declare::{self, frame};
use schemac_schema::diagnostic::{Diagnostic, Severity};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::parse;
use schemac_schema::span::{Sources, Span};
use schemac_schema::spec::ProjectSpec;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

pub use files::{PROJECT_FILE, read_text};
pub use schemac_schema::declare::{Check, Facade, Move};
pub use schemac_schema::spec::project::Undeclared;

/// A project that was read.
#[derive(Debug)]
pub struct Project {
    /// The project file.
    pub spec: ProjectSpec,
    /// Every file, for messages.
    pub sources: Sources,
    /// A digest of the files: their names and texts.
    pub digest: String,
    /// What the files declare.
    pub catalog: Catalog,
    /// What was somewhere else before.
    pub moves: Vec<Move>,
    /// What the files say was nowhere else.
    pub unmoved: BTreeSet<ObjectId>,
    /// Old names that live on.
    pub facades: Vec<Facade>,
    /// What is meant to go.
    pub dropped: Vec<(QName, Span)>,
    /// What is meant to go from objects that belong to somebody else.
    pub dropped_parts: Vec<(ObjectId, Span)>,
    /// Questions that must be answered with true after an apply.
    pub checks: Vec<Check>,
    /// The schemas that have a file.
    pub managed_schemas: BTreeSet<Ident>,
    /// The schemas that belong to somebody else, the profile's too.
    pub external_schemas: BTreeSet<Ident>,
    /// The roles that belong to somebody else, the profile's too.
    pub external_roles: BTreeSet<Ident>,
    /// What is likely not what was meant, or not built yet.
    pub warnings: Vec<Diagnostic>,
}

impl Project {
    /// What happens to whole objects that no file declares; they are named, where the project does not say.
    pub fn undeclared(&self) -> Undeclared {
        self.spec.undeclared.unwrap_or(Undeclared::Report)
    }

    /// Whether the project file takes an area out of the comparison (`manage: { grants: false }`).
    pub fn leaves_alone(&self, id: ObjectId) -> bool {
        self.spec.manage.leaves_alone(id.kind())
    }

    /// Whether the project file says that owners are compared.
    pub fn compares_owners(&self) -> bool {
        self.spec.manage.owners.is_some_and(|flag| flag.value)
    }

    /// The role that owns what names no owner.
    pub fn owner(&self) -> Option<Ident> {
        self.spec.owner.as_ref().map(|name| Ident::new(name.as_str()))
    }

    /// Whether `undeclared` speaks of an object: it is in a schema that has a file. `drop` covers the schemas that have
    /// none too, save those of somebody else.
    pub fn is_managed(&self, id: ObjectId) -> bool {
        let drops = self.undeclared() == Undeclared::Drop;
        let Some(schema) = id.schema() else {
            return id.kind().is_managed_globally() && drops;
        };
        let dropped_whole = drops && !self.external_schemas.contains(&schema);
        self.managed_schemas.contains(&schema) || dropped_whole
    }

    /// How unqualified names inside SQL resolve; `public`, where the project does not say.
    pub fn search_path(&self) -> Vec<Ident> {
        match self.spec.search_path.as_slice() {
            [] => vec![Ident::new("public")],
            names => names.iter().map(|name| Ident::new(name.as_str())).collect(),
        }
    }
}

/// Why a project could not be read; there is at least one error.
#[derive(Debug)]
pub struct Failure {
    /// Errors, and the warnings that were found beside them.
    pub diagnostics: Vec<Diagnostic>,
    /// Every file that was read, to render them.
    pub sources: Sources,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.diagnostics {
            writeln!(f, "{}", diagnostic.render(&self.sources, false))?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// The schemas that belong to somebody else, as far as the project file can be read: what the database's reader needs
/// to know before the files are read.
pub fn external(dir: &Path) -> Option<BTreeSet<Ident>> {
    let spec = files::project(dir, &mut Sources::new()).ok()?;
    Some(profile::external(&spec).0)
}

/// The YAML files of the project in a folder: the project file first, then its sources in order.
///
/// # Errors
/// That the project file is wrong, or that a source cannot be found.
pub fn files_of(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (mut sources, mut diagnostics) = (Sources::new(), Vec::new());
    let mut found = vec![dir.join(files::PROJECT_FILE)];
    match files::project(dir, &mut sources) {
        Ok(spec) => {
            let files = files::sources(dir, &spec, &mut sources, &mut diagnostics);
            found.extend(files.into_iter().map(|(_, path)| path));
        }
        Err(error) => diagnostics.push(error),
    }
    if diagnostics.is_empty() { Ok(found) } else { Err(Failure { diagnostics, sources }) }
}

/// Reads the project in a folder for a server of that major version.
///
/// # Errors
/// Everything that is wrong in its files.
pub fn load(dir: &Path, version: u32) -> Result<Project, Failure> {
    let mut sources = Sources::new();
    // Deep expressions make deep trees.
    match parse::on_large_stack(|| read(dir, version, &mut sources)) {
        Ok(project) => Ok(Project { digest: digest(&sources), sources, ..project }),
        Err(diagnostics) => Err(Failure { diagnostics, sources }),
    }
}

fn read(dir: &Path, version: u32, sources: &mut Sources) -> Result<Project, Vec<Diagnostic>> {
    let spec = files::project(dir, sources).map_err(|error| vec![error])?;
    let mut diagnostics: Vec<Diagnostic> = check(&spec).into_iter().collect();
    let mut domains = Vec::new();
    let files = files::sources(dir, &spec, sources, &mut diagnostics);
    let (ids, paths): (Vec<_>, Vec<_>) = files.into_iter().unzip();
    for (read, path) in beside::domains(sources, &ids).into_iter().zip(paths) {
        match read {
            Ok(domain) => domains.push((path, domain)),
            Err(error) => diagnostics.push(error),
        }
    }
    diagnostics.extend(include::read(dir, &mut domains, sources));
    let domains: Vec<_> = domains.into_iter().map(|(_, domain)| domain).collect();
    let whole = diagnostics.is_empty();
    // What the project says that it is for may be newer than what is assumed while no server is at hand.
    let version = spec.postgres.map_or(version, |oldest| version.max(u32::from(oldest.value)));
    let (external_schemas, external_roles) = profile::external(&spec);
    let mut declared = declare::declare(&domains, version, &external_schemas);
    if !whole {
        // What is missing may stand in a file that could not be read.
        declared
            .diagnostics
            .retain(|found| !matches!(found.code, Code::UnknownMixin | Code::UnknownRelation));
    }
    diagnostics.append(&mut declared.diagnostics);
    if whole {
        diagnostics.extend(phases(&spec, &declared));
    }
    if diagnostics.iter().any(|found| found.severity == Severity::Error) {
        // Binding, which would read them, does not come to pass.
        diagnostics.extend(frame::all_unreadable(&mut declared.catalog));
        Diagnostic::sort(&mut diagnostics);
        return Err(diagnostics);
    }
    Diagnostic::sort(&mut diagnostics);
    Ok(Project {
        spec,
        sources: Sources::new(),
        digest: String::new(),
        catalog: declared.catalog,
        moves: declared.moves,
        unmoved: declared.unmoved,
        facades: declared.facades,
        dropped: declared.dropped,
        dropped_parts: declared.dropped_parts,
        checks: declared.checks,
        managed_schemas: declared.schemas.into_keys().collect(),
        external_schemas,
        external_roles,
        warnings: diagnostics,
    })
}

/// A digest of a project's files: their names and texts.
pub fn digest(sources: &Sources) -> String {
    let mut digest = Sha256::new();
    for file in sources.files() {
        for text in [sources.path(file), sources.text(file)] {
            update(&mut digest, text);
        }
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Phases move what the project declares.
fn phases(spec: &ProjectSpec, declared: &declare::Declared) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let schemas: Vec<&str> = declared.schemas.keys().map(|name| name.as_str()).collect();
    let tables: Vec<String> =
        declared.catalog.ids().filter(|id| id.kind().is_relation()).map(|id| id.path()).collect();
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    for phase in &spec.phases {
        for (what, names, known) in [("domain", &phase.domains, &schemas), ("table", &phase.tables, &tables)]
        {
            for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
                let message =
                    format!("the phase `{}` names the {what} `{name}`, which no file declares", phase.name);
                let error = Diagnostic::error(Code::UnknownDomain, message).at(name.span);
                found.push(match nearest(name.as_str(), known.iter().copied()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error,
                });
            }
        }
    }
    found
}

fn check(spec: &ProjectSpec) -> Option<Diagnostic> {
    let version = spec.postgres.filter(|version| !(14..=18).contains(&version.value))?;
    let message = format!("PostgreSQL {} is not supported: 14 to 18 are", version.value);
    Some(Diagnostic::error(Code::BadVersion, message).at(version.span))
}

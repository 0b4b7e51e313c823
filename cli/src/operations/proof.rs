//! Verification, without a word about how it is shown.

use super::{Failure, outside};
use schemac_compiler::connect::connect;
use schemac_compiler::verify::queries::{self, Answers};
use schemac_compiler::verify::{self, Finding, Options, Verdict, checks};
use std::fs;
use std::path::Path;

/// Looks at all that the applies of a database moved.
pub fn verify(url: Option<&str>, options: &Options) -> Result<Vec<Finding>, Failure> {
    let mut connection = connect(url)?;
    verify::verify(&mut connection, options).map_err(|error| outside(&error.to_string(), None))
}

/// Asks the project's own checks, if there is a project.
pub fn checks(dir: &Path, url: Option<&str>) -> Result<Vec<Finding>, Failure> {
    let unchecked = |message: &str| Finding {
        verdict: Verdict::Unchecked,
        check: "check",
        object: "checks".to_owned(),
        message: message.to_owned(),
    };
    if !dir.join("schemac.yaml").is_file() {
        return Ok(vec![unchecked("there is no project in this folder whose checks could be asked")]);
    }
    let Ok(project) = super::read(dir, super::ASSUMED) else {
        return Ok(vec![unchecked("the project's files hold errors: schemac check")]);
    };
    if project.checks.is_empty() {
        return Ok(Vec::new());
    }
    let mut connection = connect(url)?;
    checks::ask(&mut connection, &project.checks, &project.search_path())
        .map_err(|error| outside(&format!("the checks could not be asked: {error}"), None))
}

/// Asks the queries of a file.
pub fn answers(url: Option<&str>, file: &Path) -> Result<Answers, Failure> {
    let blocks = queries::read(&text(file)?)
        .map_err(|error| outside(&format!("{}: {error}", file.display()), None))?;
    let mut connection = connect(url)?;
    queries::ask(&mut connection, &blocks).map_err(|error| {
        let help = "the connection's role must be a member of the roles in the file";
        outside(&format!("the queries could not be asked: {error}"), Some(help))
    })
}

/// Keeps answers in a file.
pub fn keep(answers: &Answers, file: &Path) -> Result<(), Failure> {
    fs::write(file, answers.write())
        .map_err(|error| outside(&format!("cannot write {}: {error}", file.display()), None))
}

/// Answers that were kept.
pub fn kept(file: &Path) -> Result<Answers, Failure> {
    Answers::read(&text(file)?).map_err(|error| {
        let help = "verify --queries QUERIES --record FILE writes one";
        outside(&format!("{} holds no answers: {error}", file.display()), Some(help))
    })
}

fn text(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file)
        .map_err(|error| outside(&format!("cannot read {}: {error}", file.display()), None))
}

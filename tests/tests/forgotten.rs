//! The guide's project without any `moved_from`: every table would be new and empty, and is told from its old one by
//! its columns, whatever it is called now.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use schemac_tests::project::Project;
use schemac_tests::{dump, fixture, servers};

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn moves_that_nobody_wrote_down_are_refused_with_what_to_write() {
    let Some(server) = servers::get(17) else { return };
    let database = fixture::flat(server);
    let first = database.dump();
    let folder = fixture::folder().join("project");
    for with_facades in [true, false] {
        let mut forgotten = BTreeSet::new();
        let project = Project::new("forgotten", &[]);
        for file in files(&folder) {
            let mut text = String::new();
            for line in std::fs::read_to_string(&file).expect("a file").lines() {
                if let Some(old) = line.strip_prefix("    moved_from: [") {
                    forgotten.insert(old.trim_end_matches(']').to_owned());
                } else if with_facades || !line.starts_with("    facade: ") {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            let name = file.strip_prefix(&folder).expect("a file in it").to_string_lossy().into_owned();
            project.write(&name, &text);
        }
        assert!(forgotten.len() > 80, "{forgotten:?}");
        let run = project.run(&database, &["apply", "--yes", "--allow", "all"]);
        run.expect(1);
        forgotten.retain(|old| !run.stderr.contains(&format!("write `moved_from: [{old}]`")));
        assert_eq!(forgotten, BTreeSet::new(), "{}", run.all());
        assert_eq!(dump::difference(&first, &database.dump()), "", "it was refused, and done");
    }
}

//! Every fixture's project is read offline: what it declares has no error, unless the fixture says that it is refused.

use schemac_compiler::load::load;
use schemac_tests::cases::{self, File, PROJECT};
use std::fs;
use std::path::PathBuf;

/// A folder that goes away.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn written(name: &str, files: &[File]) -> Folder {
    let folder = std::env::temp_dir().join(format!(
        "schemac-load-{}-{}",
        std::process::id(),
        name.replace(['/', ' '], "-")
    ));
    fs::create_dir_all(folder.join("schema")).expect("a folder");
    fs::write(folder.join("schemac.yaml"), PROJECT).expect("a project file");
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    Folder(folder)
}

#[test]
fn every_fixture_is_read() {
    let mut complaints = Vec::new();
    let mut read = 0;
    for case in cases::all().expect("the fixtures") {
        for (side, files) in [("before", &case.before), ("after", &case.after)] {
            let folder = written(&format!("{} {side}", case.name), files);
            let version = *case.versions.end();
            let Err(failure) = load(&folder.0, version) else {
                read += 1;
                continue;
            };
            let text = failure.to_string();
            if side == "before" || !case.refused.as_ref().is_some_and(|words| text.contains(words.as_str())) {
                complaints.push(format!("{} {side}:\n{text}", case.name));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(read > 50, "only {read} projects");
}

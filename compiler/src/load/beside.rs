//! Reads the shapes of several files beside each other, as many as there are processors.

use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::parse;
use schemac_schema::span::{FileId, Sources};
use schemac_schema::spec::{self, DomainSpec};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// How much text is worth another thread, in bytes.
const WORTH: usize = 64 * 1024;

/// The domains of files, or what is wrong with them, in the order of the files.
pub fn domains(sources: &Sources, files: &[FileId]) -> Vec<Result<DomainSpec, Diagnostic>> {
    let bytes: usize = files.iter().map(|file| sources.text(*file).len()).sum();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(files.len()).min(bytes / WORTH + 1);
    if threads < 2 {
        return files.iter().map(|file| spec::read_domain(sources, *file)).collect();
    }
    let next = AtomicUsize::new(0);
    let read = Mutex::new(Vec::with_capacity(files.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                parse::on_large_stack(|| {
                    while let Some((place, file)) =
                        Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, files.get(at)?)))
                    {
                        let domain = spec::read_domain(sources, *file);
                        read.lock().unwrap_or_else(PoisonError::into_inner).push((place, domain));
                    }
                });
            });
        }
    });
    let mut read = read.into_inner().unwrap_or_else(PoisonError::into_inner);
    read.sort_by_key(|(place, _)| *place);
    read.into_iter().map(|(_, domain)| domain).collect()
}

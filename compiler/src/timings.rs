//! What the stages took, for those who make them faster.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

static TAKEN: Mutex<Vec<(&str, Duration)>> = Mutex::new(Vec::new());

/// Runs a stage and keeps what it took.
pub fn timed<T>(stage: &'static str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner).push((stage, begin.elapsed()));
    result
}

/// What every stage took so far, in the order in which they ended. Stages may run beside each other.
pub fn taken() -> Vec<(&'static str, Duration)> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

static COUNTED: Mutex<Vec<(&str, usize)>> = Mutex::new(Vec::new());

/// Keeps how many of something a stage had; what is kept twice is added up.
pub fn count(what: &'static str, many: usize) {
    let mut counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    match counted.iter_mut().find(|(known, _)| *known == what) {
        Some((_, known)) => *known += many,
        None => counted.push((what, many)),
    }
}

/// What every stage counted so far.
pub fn counted() -> Vec<(&'static str, usize)> {
    COUNTED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

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

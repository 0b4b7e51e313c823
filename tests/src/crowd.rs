//! Clients that ask all the time while something happens to their database: who got a wrong answer, and how long each
//! waited.
//!
//! Not here: what they ask (`clients`), and what happens meanwhile.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use crate::clients::{self, Answer, Block};

/// How many blocks all together must have been asked in each quiet time.
const QUIET: usize = 2000;

/// What came of one question.
struct Asked {
    begin: Instant,
    took: Duration,
    wrong: Option<String>,
}

/// What came of all of them.
#[derive(Debug, Default)]
pub struct Report {
    /// Answers that were not the expected ones.
    pub wrong: Vec<String>,
    /// How long questions took that were under way while nothing happened.
    pub quiet: Latency,
    /// How long questions took that were under way while it happened, for each thing that happened.
    pub during: Vec<Latency>,
}

/// How long questions took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// How many there were.
    pub count: usize,
    /// Half of them were faster.
    pub median: Duration,
    /// 99 of 100 were faster.
    pub most: Duration,
    /// The slowest.
    pub longest: Duration,
    /// How long it was looked at.
    pub span: Duration,
}

impl Latency {
    fn of(mut times: Vec<Duration>, span: Duration) -> Self {
        times.sort_unstable();
        let at = |hundredth: usize| times.get(times.len() * hundredth / 100).copied().unwrap_or_default();
        let longest = times.last().copied().unwrap_or_default();
        Self { count: times.len(), median: at(50), most: at(99), longest, span }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
        write!(
            f,
            "{} transactions in {:.1} s: median {}, 99 % {}, longest {}",
            self.count,
            self.span.as_secs_f64(),
            ms(self.median),
            ms(self.most),
            ms(self.longest)
        )
    }
}

/// Lets this many clients ask blocks at random and compares the answers with the expected ones, while one thing after
/// the other happens; between them, before and after they have the database for themselves.
///
/// # Panics
/// Panics when a client cannot connect.
pub fn ask_while(
    url: &str,
    count: u64,
    blocks: &[Block],
    expected: &[Answer],
    happenings: &mut [&mut dyn FnMut()],
) -> Report {
    let stop = AtomicBool::new(false);
    let asked = AtomicUsize::new(0);
    let mut spans: Vec<(Instant, Instant)> = Vec::new();
    let all: Vec<Asked> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..count)
            .map(|number| {
                let (stop, asked) = (&stop, &asked);
                scope.spawn(move || ask_on(url, number, blocks, expected, stop, asked))
            })
            .collect();
        // Whatever panics here, the clients must hear of it, or the scope never ends.
        let end = End(&stop);
        let quiet = || {
            let from = asked.load(Ordering::Relaxed);
            while asked.load(Ordering::Relaxed) < from + QUIET && !workers.iter().any(|w| w.is_finished()) {
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        quiet();
        for happening in happenings {
            let begin = Instant::now();
            happening();
            spans.push((begin, Instant::now()));
            quiet();
        }
        drop(end);
        workers.into_iter().flat_map(|worker| worker.join().expect("a client")).collect()
    });
    let mut report = Report::default();
    let mut quiet = Vec::new();
    let mut during: Vec<Vec<Duration>> = vec![Vec::new(); spans.len()];
    let (first, last) =
        (all.iter().map(|one| one.begin).min(), all.iter().map(|one| one.begin + one.took).max());
    for one in all {
        let place = spans.iter().position(|(from, to)| one.begin <= *to && one.begin + one.took >= *from);
        match place {
            Some(place) => during[place].push(one.took),
            None => quiet.push(one.took),
        }
        report.wrong.extend(one.wrong);
    }
    let busy: Duration = spans.iter().map(|(from, to)| *to - *from).sum();
    let whole = first.zip(last).map_or(Duration::ZERO, |(first, last)| last - first);
    report.quiet = Latency::of(quiet, whole.saturating_sub(busy));
    report.during =
        during.into_iter().zip(&spans).map(|(times, (from, to))| Latency::of(times, *to - *from)).collect();
    report
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn ask_on(
    url: &str,
    number: u64,
    blocks: &[Block],
    expected: &[Answer],
    stop: &AtomicBool,
    asked: &AtomicUsize,
) -> Vec<Asked> {
    let mut client = Client::connect(url, NoTls).expect("connects");
    let mut state = 0x9e37_79b9_u64.wrapping_mul(number + 1) | 1;
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let at = (state % blocks.len() as u64) as usize;
        let begin = Instant::now();
        let answer = clients::run_block(&mut client, &blocks[at]);
        let took = begin.elapsed();
        let wrong = match answer {
            // Whose fault a deadlock was is in the server's log.
            Ok(answer) if answer.is_deadlock() => None,
            Ok(answer) => {
                Some(clients::difference(&expected[at..=at], &[answer])).filter(|text| !text.is_empty())
            }
            Err(error) => Some(format!("{}: {error}", blocks[at].name)),
        };
        all.push(Asked { begin, took, wrong });
        asked.fetch_add(1, Ordering::Relaxed);
    }
    all
}

//! Whatever people write, nothing panics.

use super::super::declare;
use crate::ident::Ident;
use crate::parse;
use crate::span::Sources;
use crate::spec::read_domain;

/// A small generator of numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

const PIECES: [&str; 24] = [
    "(",
    ")",
    "'",
    "\"",
    ";",
    ",",
    " ",
    "--",
    "/*",
    "\\0",
    "{table}",
    "é",
    "→",
    "$$",
    "[",
    "]",
    " or ",
    " of ",
    "not ",
    "default",
    "check",
    "::",
    ".",
    "constraint",
];

fn mutated(text: &str, numbers: &mut Numbers) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(text.len());
        match numbers.below(4) {
            0 => {
                let end = (at + numbers.below(12)).min(text.len());
                text.drain(at..end);
            }
            1 => {
                let from = numbers.below(text.len());
                let piece: Vec<char> = text[from..(from + numbers.below(40)).min(text.len())].to_vec();
                text.splice(at..at, piece);
            }
            _ => {
                let piece = PIECES[numbers.below(PIECES.len())];
                text.splice(at..at, piece.chars());
            }
        }
    }
    text.into_iter().collect()
}

/// Compile with `SCHEMAC_MUTATIONS` set for more of them.
#[test]
fn no_mutation_makes_it_panic() {
    let wanted = option_env!("SCHEMAC_MUTATIONS").and_then(|number| number.parse().ok()).unwrap_or(400_usize);
    let original = include_str!("../../spec/tests/library.yaml");
    let fixture = include_str!("../../../../fixtures/disruptor/project/schema/security_service.yaml");
    let small: String = fixture.lines().take(120).map(|line| format!("{line}\n")).collect();
    let mut read = 0;
    parse::on_large_stack(|| {
        for seed in 0..wanted {
            let mut numbers = Numbers(seed as u64);
            let mut sources = Sources::new();
            let text = mutated(if seed % 2 == 0 { original } else { &small }, &mut numbers);
            let file = sources.add("mutated.yaml", text);
            let Ok(domain) = read_domain(&sources, file) else { continue };
            read += 1;
            let declared = declare(&[domain], 15, &[Ident::new("auth")].into());
            for diagnostic in &declared.diagnostics {
                assert!(diagnostic.render(&sources, false).contains("mutated.yaml:"), "{diagnostic:?}");
            }
        }
    });
    assert!(read * 4 > wanted, "only {read} of {wanted} could be read");
}

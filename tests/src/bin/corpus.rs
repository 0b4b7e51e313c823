//! Asks servers of all versions how they store what is written in `fixtures/normalize/written`, and writes the answers
//! to `fixtures/normalize/stored`. With `--mutants` the same for variants that differ in one place, as far as servers
//! store them otherwise: to `fixtures/normalize/stored/mutants`.

use std::collections::BTreeMap;

use schemac_schema::analyse::squeeze;
use schemac_tests::pairs::{self, Pair};
use schemac_tests::servers::{self, As};
use schemac_tests::{Result, mutate, product};

fn main() -> Result<()> {
    let mut only: Vec<String> = std::env::args().skip(1).collect();
    let mutants = only.iter().any(|word| word == "--mutants");
    only.retain(|word| word != "--mutants");
    let project = pairs::folder().join("project");
    let mut answers: BTreeMap<(usize, usize), Pair> = BTreeMap::new();
    for major in servers::MAJORS {
        let server = servers::get(major).ok_or("every version is needed")?;
        let database = server.database();
        product::run(&project, &database.url_as_owner(), &["apply", "--yes"])?.expect(0);
        let mut client = database.connect(As::Owner);
        for (number, place) in pairs::PLACES.into_iter().enumerate() {
            if !only.is_empty() && !only.iter().any(|name| name == place) {
                continue;
            }
            let (mut stored, mut refused) = (0, 0);
            let mut known = if mutants { pairs::load(place)? } else { Vec::new() };
            // What these have from the conditions is varied as checks.
            match place {
                "policy" | "trigger" | "predicate" => known.truncate(60),
                "view" => known.truncate(180),
                _ => {}
            }
            let texts = if mutants {
                let of_pair = |pair: &Pair| {
                    let of = pair.of.clone();
                    mutate::mutants(&pair.written).into_iter().map(move |text| (of.clone(), text))
                };
                known.iter().flat_map(of_pair).collect()
            } else {
                pairs::written(place)?
            };
            let originals: Vec<usize> = known
                .iter()
                .enumerate()
                .flat_map(|(number, pair)| mutate::mutants(&pair.written).into_iter().map(move |_| number))
                .collect();
            for (line, (of, text)) in texts.into_iter().enumerate() {
                let pair = answers.entry((number, line)).or_insert_with(|| Pair {
                    of: of.clone(),
                    written: text.clone(),
                    stored: BTreeMap::new(),
                });
                match pairs::stored(&mut client, place, &of, &text) {
                    Ok(answer) => {
                        let answer = squeeze(&answer);
                        let original =
                            originals.get(line).and_then(|number| known[*number].stored.get(&major));
                        // Only what is stored otherwise is different in meaning.
                        if original.is_none_or(|original| *original != answer) {
                            pair.stored.insert(major, answer);
                            stored += 1;
                        }
                    }
                    Err(why) => {
                        refused += 1;
                        if major == 18 && !mutants {
                            eprintln!("{place}: {of} {text}: {why}");
                        }
                    }
                }
            }
            println!("{major} {place}: {stored} stored, {refused} refused");
        }
    }
    for (number, place) in pairs::PLACES.into_iter().enumerate() {
        let of_place = answers.range((number, 0)..(number + 1, 0)).map(|(_, pair)| pair);
        let found: Vec<Pair> = of_place.filter(|pair| !pair.stored.is_empty()).cloned().collect();
        if !found.is_empty() {
            let mutants = if mutants { "mutants/" } else { "" };
            pairs::save(&format!("{mutants}{place}"), &found)?;
        }
    }
    Ok(())
}

//! Equality on all rungs: the pairs of `fixtures/normalize` and their mutants, judged with live servers. Those of 14
//! and 18 do it, all versions with `SCHEMAC_ALL_VERSIONS=1`.

use std::collections::{BTreeSet, HashMap};

use postgres::Client;
use schemac_compiler::introspect::{self, Reading};
use schemac_schema::analyse::squeeze;
use schemac_schema::ident::Ident;
use schemac_schema::parse::on_large_stack;
use schemac_tests::judge::{Case, Verdict, judge};
use schemac_tests::pairs::{self, Pair};
use schemac_tests::servers::{self, As, Database, Server};
use schemac_tests::{mutate, product};

/// How many mutants of a place are judged on each version.
const SAMPLE: usize = 250;

/// The servers to judge on: the oldest and the newest, or all.
fn judges() -> impl Iterator<Item = &'static Server> {
    let all = std::env::var_os("SCHEMAC_ALL_VERSIONS").is_some();
    servers::all().filter(move |server| all || matches!(server.major(), 14 | 18))
}

/// The project of the pairs in a database.
fn project(server: &Server) -> (Database<'_>, Client, Reading, Vec<Ident>) {
    let database = server.database();
    let project = pairs::folder().join("project");
    product::run(&project, &database.url_as_owner(), &["apply", "--yes"]).unwrap().expect(0);
    let mut client = database.connect(As::Owner);
    let reading = introspect::introspect(&mut client, &BTreeSet::new()).unwrap();
    (database, client, reading, vec!["app".into(), "public".into()])
}

fn rule(
    place: &str,
    cases: &[(&str, &str, &str)],
    reading: &Reading,
    path: &[Ident],
    client: &mut Client,
) -> Verdict {
    let on = pairs::relation(place);
    let cases: Vec<Case<'_>> =
        cases.iter().map(|(of, written, stored)| Case { place, on, of, written, stored }).collect();
    judge(&reading.catalog, &cases, &reading.server, path, client).unwrap()
}

#[test]
fn with_a_server_every_pair_is_decided_rightly() {
    on_large_stack(|| {
        for server in judges() {
            let (_database, mut client, reading, path) = project(server);
            let (mut all, mut asked, mut wrong) = (0, 0, Vec::new());
            for place in pairs::PLACES {
                let known = pairs::load(place).unwrap();
                let mut cases = Vec::new();
                for pair in &known {
                    let Some(fixture) = pair.stored.get(&server.major()) else { continue };
                    let stored = pairs::stored(&mut client, place, &pair.of, &pair.written).unwrap();
                    assert_eq!(squeeze(&stored), *fixture, "script corpus would write another text");
                    cases.push((pair.of.as_str(), pair.written.as_str(), stored));
                }
                let cases: Vec<(&str, &str, &str)> =
                    cases.iter().map(|(of, written, stored)| (*of, *written, stored.as_str())).collect();
                let verdict = rule(place, &cases, &reading, &path, &mut client);
                all += cases.len();
                asked += verdict.decided.asked;
                for ((of, written, stored), (equal, why)) in cases.iter().zip(&verdict.cases) {
                    if !equal {
                        wrong.push(format!("{place} {of} {written}\n    {stored}\n    {why:?}"));
                    }
                }
            }
            println!("PostgreSQL {}: {all} pairs, {asked} of them by asking", server.major());
            assert!(wrong.is_empty(), "PostgreSQL {}:\n{}", server.major(), wrong.join("\n"));
            assert!(all > 2_500, "only {all} pairs");
        }
    });
}

#[test]
fn with_a_server_no_mutant_is_taken_for_the_same() {
    on_large_stack(|| {
        for server in judges() {
            let major = server.major();
            let (_database, mut client, reading, path) = project(server);
            let (mut all, mut wrong) = (0, Vec::new());
            for place in pairs::PLACES {
                let known = pairs::load(place).unwrap();
                let stored_otherwise = pairs::load(&format!("mutants/{place}")).unwrap();
                let stored_otherwise: HashMap<(&str, &str), &Pair> = stored_otherwise
                    .iter()
                    .map(|pair| ((pair.of.as_str(), pair.written.as_str()), pair))
                    .collect();
                let mut cases = Vec::new();
                for pair in &known {
                    let Some(stored) = pair.stored.get(&major) else { continue };
                    let mut real = None;
                    for mutant in mutate::mutants(&pair.written) {
                        let of = stored_otherwise.get(&(pair.of.as_str(), mutant.as_str()));
                        let other = of.and_then(|of| of.stored.get(&major));
                        if other.is_some_and(|other| other != stored) {
                            let real = real.get_or_insert_with(|| {
                                pairs::stored(&mut client, place, &pair.of, &pair.written).unwrap()
                            });
                            cases.push((pair.of.clone(), mutant, real.clone()));
                        }
                    }
                }
                let step = cases.len().div_ceil(SAMPLE).max(1);
                let cases: Vec<(&str, &str, &str)> = cases
                    .iter()
                    .step_by(step)
                    .map(|(of, written, stored)| (of.as_str(), written.as_str(), stored.as_str()))
                    .collect();
                let verdict = rule(place, &cases, &reading, &path, &mut client);
                all += cases.len();
                for ((of, written, stored), (equal, _)) in cases.iter().zip(&verdict.cases) {
                    if *equal {
                        wrong.push(format!("{place} {of} {written}\n    {stored}"));
                    }
                }
            }
            println!("PostgreSQL {major}: {all} mutants");
            assert!(wrong.is_empty(), "PostgreSQL {major}:\n{}", wrong.join("\n"));
            assert!(all > 1_000, "only {all} mutants");
        }
    });
}

#[test]
fn what_is_stored_is_stored_again_as_analysis_says() {
    on_large_stack(|| {
        for major in [14, 18] {
            let Some(server) = servers::get(major) else { continue };
            let (_database, mut client, reading, path) = project(server);
            let (mut all, mut same, mut wrong) = (0, 0, Vec::new());
            for place in pairs::PLACES {
                let known = pairs::load(place).unwrap();
                let texts: Vec<(&str, &String)> = known
                    .iter()
                    .filter_map(|pair| Some((pair.of.as_str(), pair.stored.get(&major)?)))
                    .collect();
                let cases: Vec<(&str, &str, &str)> =
                    texts.iter().map(|(of, text)| (*of, text.as_str(), text.as_str())).collect();
                let verdict = rule(place, &cases, &reading, &path, &mut client);
                for ((of, text), analysed) in texts.iter().zip(&verdict.analysed) {
                    all += 1;
                    let Ok(analysed) = analysed else { continue };
                    if squeeze(analysed) == **text {
                        same += 1;
                        continue;
                    }
                    // PostgreSQL adds a cast to some of what it printed itself: then analysis does too.
                    let again = pairs::stored(&mut client, place, of, text);
                    if again.as_deref().map(squeeze) != Ok(squeeze(analysed)) {
                        wrong.push(format!("{place} {text}\n    {again:?}\n    {analysed}"));
                    }
                }
            }
            println!("PostgreSQL {major}: {same} of {all} stored forms are their own");
            assert!(wrong.is_empty(), "PostgreSQL {major}:\n{}", wrong.join("\n"));
            assert!(same * 100 >= all * 90, "{same} of {all}");
        }
    });
}

//! The compatibility report for programs, and its lines for people and for scripts.

use super::json::{object, place};
use super::one_line;
use crate::plan::Plan;
use schemac_schema::compatibility::{Finding, OldName, Weight};
use schemac_schema::span::Sources;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The report as JSON.
pub fn json(plan: &Plan, sources: &Sources) -> Value {
    let found = &plan.compatibility;
    let name = |name: &OldName| {
        json!({
            "old": object(name.old),
            "now": object(name.now),
            "facade": name.facade.map(object),
            "works": name.works,
            "stops": name.stops,
        })
    };
    let finding = |finding: &Finding| {
        json!({
            "rule": finding.rule.word(),
            "weight": finding.rule.weight().word(),
            "old": finding.old.map(object),
            "at": object(finding.at),
            "line": finding.line,
            "declared": finding.span.map(|span| place(span, sources)),
            "what": finding.what,
            "why": finding.rule.why(),
            "help": finding.rule.help(),
        })
    };
    json!({
        "names": found.names.iter().map(name).collect::<Vec<_>>(),
        "findings": found.findings.iter().map(finding).collect::<Vec<_>>(),
        "reload": found.reload,
    })
}

/// What works, what stops, and whether there is a facade.
type Fate<'a> = (&'a [&'static str], &'a [&'static str], bool);

/// The report as lines: how deep, how much it weighs, and the text. `sources` gives the places in files, where they are
/// at hand.
pub fn lines(plan: &Plan, sources: Option<&Sources>) -> Vec<(usize, Option<Weight>, String)> {
    let found = &plan.compatibility;
    let mut lines = Vec::new();
    if !found.names.is_empty() {
        lines.push((0, None, "What clients of the old names find:".to_owned()));
    }
    // Many names have one fate.
    let mut fates: BTreeMap<Fate<'_>, Vec<String>> = BTreeMap::new();
    for name in &found.names {
        let fate = (name.works.as_slice(), name.stops.as_slice(), name.facade.is_some());
        fates.entry(fate).or_default().push(one_line(&name.old.to_string()));
    }
    for ((works, stops, facade), names) in &fates {
        let fate = match facade {
            true => format!("through facades {} go on; {} stop", works.join(", "), stops.join(", ")),
            false => "gone, without a facade".to_owned(),
        };
        let weight = if *facade { Weight::Works } else { Weight::Breaks };
        lines.push((1, Some(weight), format!("{}: {fate}", names.join(", "))));
    }
    let mut last = None;
    for finding in &found.findings {
        if last != Some(finding.rule) {
            last = Some(finding.rule);
            let weight = finding.rule.weight();
            let words = format!("{} ({}): {}", weight.word(), finding.rule.word(), finding.rule.why());
            lines.push((1, Some(weight), words));
            lines.push((2, None, format!("help: {}", finding.rule.help())));
        }
        lines.push((2, None, line(finding, sources)));
    }
    if found.reload {
        let words = "An exposed schema changes: after the plan `NOTIFY pgrst, 'reload schema'` is sent.";
        lines.push((0, None, words.to_owned()));
    }
    lines
}

fn line(finding: &Finding, sources: Option<&Sources>) -> String {
    let mut text = finding.at.to_string();
    if let Some(line) = finding.line {
        text.push_str(&format!(", line {line}"));
    }
    if let (Some(span), Some(sources)) = (finding.span, sources) {
        let place = sources.place(span.file, span.start);
        text.push_str(&format!(" ({}:{})", sources.path(span.file), place.line));
    }
    if let Some(old) = finding.old {
        text.push_str(&format!(": {}", old.path()));
    }
    if !finding.what.is_empty() {
        text.push_str(&format!(": {}", finding.what));
    }
    one_line(&text)
}

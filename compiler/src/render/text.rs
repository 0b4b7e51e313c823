//! A plan for people: one readable line for each step, grouped by domain, in the order in which it runs.

use super::{
    action, allow_words, compatibility, counted, counts, locked, lost, many_lines, one_line, reason,
    reason_back,
};
use crate::plan::{Plan, PlannedStep, Segment, Verb};
use schemac_schema::compatibility::Weight;
use schemac_schema::ident::Ident;
use schemac_schema::span::{FileId, Sources};
use schemac_schema::step::Lock;
use std::collections::{BTreeMap, BTreeSet};

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

/// The plan as text, with a line break at its end. Lines are filled up to `width` columns where there is a choice;
/// statements and texts of people are never broken.
pub fn text(plan: &Plan, sources: &Sources, colour: bool, width: usize) -> String {
    let homes = homes(plan);
    let why: fn(&PlannedStep) -> String = if plan.back { reason_back } else { reason };
    let mut page = Page { sources, colour, width, why, out: String::new() };
    page.headline(plan);
    let mut group = None;
    for (index, segment) in plan.segments.iter().enumerate() {
        let mut begun = false;
        for step in &segment.steps {
            let home = home(step, &homes);
            if group != Some(home) {
                group = Some(home);
                page.line("", "");
                page.line(BOLD, &home.map_or("the database".to_owned(), |name| one_line(name.as_str())));
            }
            if !begun {
                page.line(DIM, &format!("-- {}", transaction(segment, index + 1, plan.segments.len())));
                begun = true;
            }
            page.step(step, segment);
        }
    }
    page.compatibility(plan);
    page.notes(plan);
    page.losses(plan);
    page.out
}

/// Where people look for what a file declares: the domain of the first step that it gives reason to. A facade stands in
/// the schema that its table came from, and is shown with its table.
fn homes(plan: &Plan) -> BTreeMap<FileId, Ident> {
    let mut homes = BTreeMap::new();
    for step in plan.steps() {
        if let (Some(span), Some(domain)) = (step.span, step.domain()) {
            homes.entry(span.file).or_insert(domain);
        }
    }
    homes
}

fn home(step: &PlannedStep, homes: &BTreeMap<FileId, Ident>) -> Option<Ident> {
    step.span.and_then(|span| homes.get(&span.file).copied()).or_else(|| step.domain())
}

/// `transaction 3 of 17: locks public.users briefly`.
fn transaction(segment: &Segment, number: usize, of: usize) -> String {
    let what = if segment.transactional { "transaction" } else { "outside a transaction," };
    let mut line = format!("{what} {number} of {of}");
    if segment.locks.is_empty() {
        return line;
    }
    let names: Vec<String> = segment.locks.iter().map(|id| one_line(&id.path())).collect();
    let any = |is: fn(&PlannedStep) -> bool| segment.steps.iter().any(is);
    let long = if any(|step| step.impact.rewrites) {
        "for as long as a table is rewritten"
    } else if any(|step| step.impact.scans) {
        "for as long as a table is read"
    } else {
        "briefly"
    };
    line.push_str(&format!(": locks {} {long}", names.join(", ")));
    line
}

/// What a step does beyond its purpose. Locks that the transaction's line tells of are not repeated.
fn remarks(step: &PlannedStep, segment: &Segment) -> Vec<String> {
    let impact = &step.impact;
    let mut remarks = Vec::new();
    if impact.rewrites {
        remarks.push("rewrites the whole table".to_owned());
    } else if impact.scans {
        remarks.push("reads the whole table".to_owned());
    }
    if let Some((relation, lock)) = impact.lock.filter(|(relation, _)| !segment.locks.contains(relation)) {
        let name = one_line(&relation.path());
        match lock {
            Lock::AccessExclusive => remarks.push(format!("blocks reads and writes of {name} meanwhile")),
            Lock::Share | Lock::ShareRowExclusive | Lock::Exclusive => {
                remarks.push(format!("blocks writes to {name} meanwhile"));
            }
            _ => {}
        }
    }
    if impact.outside_transaction {
        remarks.push("cannot be undone by a rollback".to_owned());
    }
    remarks
}

struct Page<'a> {
    sources: &'a Sources,
    colour: bool,
    width: usize,
    why: fn(&PlannedStep) -> String,
    out: String,
}

impl Page<'_> {
    fn headline(&mut self, plan: &Plan) {
        if plan.is_empty() {
            let as_is = if plan.back { "it was before" } else { "the files describe it" };
            self.line(BOLD, &format!("Nothing to do: the database is as {as_is}."));
            return;
        }
        let transactions = counted(plan.segments.len(), "transaction");
        let first = format!("Plan: {} in {transactions}.", counts(plan));
        let locked = locked(plan).len();
        let second = match locked {
            0 => "No table that exists is locked.".to_owned(),
            _ => format!("Locks {}.", counted(locked, "existing relation")),
        };
        if first.len() + 1 + second.len() <= self.width {
            self.line(BOLD, &format!("{first} {second}"));
        } else {
            self.line(BOLD, &first);
            self.line(BOLD, &second);
        }
    }

    fn step(&mut self, step: &PlannedStep, segment: &Segment) {
        let (sign, colour) = match step.verb {
            Verb::Create => ("+", GREEN),
            Verb::Alter => ("~", YELLOW),
            Verb::Move => (">", CYAN),
            Verb::Drop => ("-", RED),
        };
        let action = one_line(&format!("{sign} {}", action(step)));
        let mut why = one_line(&(self.why)(step));
        if let Some(span) = step.span {
            let place = self.sources.place(span.file, span.start);
            why.push_str(&one_line(&format!(", {}:{}", self.sources.path(span.file), place.line)));
        }
        let beside = 2 + action.chars().count() + 2 + why.chars().count() <= self.width;
        let (action, why) = (self.paint(colour, &action), self.paint(DIM, &why));
        let gap = if beside { "  " } else { "\n      " };
        self.line("", &format!("  {action}{gap}{why}"));
        self.indented("      ", "", &step.sql);
        for remark in remarks(step, segment) {
            self.line(YELLOW, &format!("      ! {remark}"));
        }
        for (loss, object) in &step.impact.loses {
            let lost = one_line(&lost(*loss, *object));
            self.line(RED, &format!("      ! loses {lost}  (--allow {})", loss.word()));
        }
        if let Some((before, after)) = &step.texts {
            self.difference(before, after);
        }
    }

    /// A unified diff of a text that changes.
    fn difference(&mut self, before: &str, after: &str) {
        // A last line without a break is no news to anyone.
        let whole = |text: &str| format!("{}\n", many_lines(text).trim_end());
        let (before, after) = (whole(before), whole(after));
        let difference =
            similar::TextDiff::from_lines(&before, &after).unified_diff().context_radius(3).to_string();
        for line in difference.lines() {
            let colour = match line.bytes().next() {
                Some(b'+') => GREEN,
                Some(b'-') => RED,
                Some(b'@') => CYAN,
                _ => "",
            };
            self.line(colour, &format!("      | {line}"));
        }
    }

    fn compatibility(&mut self, plan: &Plan) {
        let lines = compatibility::lines(plan, Some(self.sources));
        if !lines.is_empty() {
            self.line("", "");
        }
        for (depth, weight, text) in lines {
            let colour = match weight {
                Some(Weight::Breaks) => RED,
                Some(Weight::Changes | Weight::Unknown) => YELLOW,
                Some(Weight::Works) => GREEN,
                None if depth == 0 => BOLD,
                None => "",
            };
            self.line(colour, &format!("{}{text}", "  ".repeat(depth)));
        }
    }

    fn notes(&mut self, plan: &Plan) {
        for note in &plan.notes {
            self.line("", "");
            self.out.push_str(&note.render(self.sources, self.colour));
        }
    }

    fn losses(&mut self, plan: &Plan) {
        let losses = plan.losses();
        if losses.is_empty() {
            return;
        }
        self.line("", "");
        self.line(RED, "What this plan loses for good:");
        let lines: BTreeSet<_> =
            losses.iter().map(|(loss, object)| (loss.word(), one_line(&lost(*loss, *object)))).collect();
        for (word, lost) in lines {
            self.line("", &format!("  {word:<12} {lost}"));
        }
        self.line("", &format!("It runs only with --allow {}", allow_words(&losses)));
    }

    fn indented(&mut self, indent: &str, style: &str, text: &str) {
        for line in many_lines(text).trim_end().lines() {
            self.line(style, &format!("{indent}{line}"));
        }
    }

    fn line(&mut self, style: &str, text: &str) {
        let painted = self.paint(style, text.trim_end());
        self.out.push_str(&painted);
        self.out.push('\n');
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if !self.colour || style.is_empty() || text.is_empty() {
            return text.to_owned();
        }
        format!("\x1b[{style}m{text}\x1b[0m")
    }
}

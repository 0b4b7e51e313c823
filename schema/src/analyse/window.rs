//! Analyses windows and their frames, as parse_clause.c does: `transformWindowDefinitions`.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Bound, Expr, Form, Frame, Sort, Window};
use crate::analyse::expression::Analyser;
use crate::analyse::types::Type;
use crate::analyse::{Analysed, undecided};
use crate::ident::Ident;
use crate::tree::Tree;

/// The bits of `frameOptions`, in parsenodes.h.
mod option {
    pub const NONDEFAULT: i64 = 0x1;
    pub const RANGE: i64 = 0x2;
    pub const ROWS: i64 = 0x4;
    pub const GROUPS: i64 = 0x8;
    pub const BETWEEN: i64 = 0x10;
    pub const START_UNBOUNDED_PRECEDING: i64 = 0x20;
    pub const END_UNBOUNDED_FOLLOWING: i64 = 0x100;
    pub const START_CURRENT_ROW: i64 = 0x200;
    pub const END_CURRENT_ROW: i64 = 0x400;
    pub const START_OFFSET_PRECEDING: i64 = 0x800;
    pub const END_OFFSET_PRECEDING: i64 = 0x1000;
    pub const START_OFFSET_FOLLOWING: i64 = 0x2000;
    pub const END_OFFSET_FOLLOWING: i64 = 0x4000;
    pub const EXCLUDE_CURRENT_ROW: i64 = 0x8000;
    pub const EXCLUDE_GROUP: i64 = 0x10000;
    pub const EXCLUDE_TIES: i64 = 0x20000;
}

impl Analyser<'_> {
    /// A window: what stands in OVER (…), or behind a name in WINDOW.
    pub(super) fn window(&mut self, tree: &Tree) -> Analysed<Window> {
        let from = match tree.get("refname").str() {
            "" => None,
            name => Some(Ident::new(name)),
        };
        let mut partition = Vec::new();
        for item in tree.get("partition_clause").items() {
            let (key, _) = self.window_key(item)?;
            if !partition.contains(&key) {
                partition.push(key);
            }
        }
        let mut order: Vec<Sort> = Vec::new();
        for item in tree.get("order_clause").items() {
            let (key, output) = self.window_key(item.get("node"))?;
            if !order.iter().any(|known| known.key == key) {
                order.push(self.sort(item, key, output)?);
            }
        }
        let sorted = match from {
            Some(name) if order.is_empty() => match self.windows.iter().find(|(known, _)| *known == name) {
                Some((_, window)) => window.sorted.clone(),
                // A window of OVER may come before the clause is known.
                None => Vec::new(),
            },
            _ => order.clone(),
        };
        let frame = self.frame(tree, &sorted)?;
        Ok(Window { from, partition, order, sorted, frame })
    }

    /// What a window is partitioned or sorted by: never a name or number of what comes out.
    fn window_key(&mut self, tree: &Tree) -> Analysed<(Expr, Option<usize>)> {
        let key = self.expression(tree)?;
        Ok((self.settled(key)?, None))
    }

    fn frame(&mut self, tree: &Tree, sorted: &[Sort]) -> Analysed<Option<Frame>> {
        let options = tree.get("frame_options").int();
        let has = |bit: i64| options & bit != 0;
        if !has(option::NONDEFAULT) {
            return Ok(None);
        }
        let unit = if has(option::ROWS) {
            "ROWS "
        } else if has(option::GROUPS) {
            "GROUPS "
        } else if has(option::RANGE) {
            "RANGE "
        } else {
            return undecided("a frame");
        };
        let mut offset = |field: &str, word: &'static str| {
            let expr = self.expression(tree.get(field))?;
            let expr = if unit == "RANGE " {
                let [sort] = sorted else { return undecided("RANGE with an offset") };
                self.range_offset(expr, sort.key.of)?
            } else {
                let int8 = Type::system("int8");
                coerce::to_target(self.world, expr, int8, -1, Context::Assignment, Form::Implicit)?
            };
            Ok(Bound::Offset(Box::new(expr), word))
        };
        let start = if has(option::START_UNBOUNDED_PRECEDING) {
            Bound::Words("UNBOUNDED PRECEDING ")
        } else if has(option::START_CURRENT_ROW) {
            Bound::Words("CURRENT ROW ")
        } else if has(option::START_OFFSET_PRECEDING) {
            offset("start_offset", " PRECEDING ")?
        } else if has(option::START_OFFSET_FOLLOWING) {
            offset("start_offset", " FOLLOWING ")?
        } else {
            return undecided("where a frame begins");
        };
        let end = if has(option::END_UNBOUNDED_FOLLOWING) {
            Bound::Words("UNBOUNDED FOLLOWING ")
        } else if has(option::END_CURRENT_ROW) {
            Bound::Words("CURRENT ROW ")
        } else if has(option::END_OFFSET_PRECEDING) {
            offset("end_offset", " PRECEDING ")?
        } else if has(option::END_OFFSET_FOLLOWING) {
            offset("end_offset", " FOLLOWING ")?
        } else {
            return undecided("where a frame ends");
        };
        let exclude = if has(option::EXCLUDE_CURRENT_ROW) {
            "EXCLUDE CURRENT ROW "
        } else if has(option::EXCLUDE_GROUP) {
            "EXCLUDE GROUP "
        } else if has(option::EXCLUDE_TIES) {
            "EXCLUDE TIES "
        } else {
            ""
        };
        Ok(Some(Frame { unit, between: has(option::BETWEEN), start, end, exclude }))
    }

    /// An offset of RANGE: of the type that `in_range` has for the column, where there is no choice.
    fn range_offset(&mut self, expr: Expr, column: Type) -> Analysed<Expr> {
        let whole = ["int2", "int4", "int8"];
        let moments = ["date", "timestamp", "timestamptz", "time", "timetz", "interval"];
        let numbers = ["numeric", "float8"];
        if whole.iter().any(|of| column.is(of)) && whole.iter().any(|of| expr.of.is(of)) {
            // in_range has no variant for an int2 column and no int8 offsets of every kind are alike.
            return if column.is("int2") && !expr.of.is("int2") { undecided("RANGE") } else { Ok(expr) };
        }
        if moments.iter().any(|of| column.is(of)) && (expr.of.is("interval") || expr.of.is_unknown()) {
            let interval = Type::system("interval");
            return coerce::coerce_type(self.world, expr, interval, Context::Implicit, Form::Implicit);
        }
        if numbers.iter().any(|of| column.is(of) && expr.of.is(of)) {
            return Ok(expr);
        }
        undecided("RANGE with an offset of another type")
    }
}

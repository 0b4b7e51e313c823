//! Analyses WITH, as parse_cte.c does.

use crate::analyse::expr::{Expr, Node};
use crate::analyse::expression::Analyser;
use crate::analyse::query::{After, With};
use crate::analyse::select::{Columns, columns_of, rename};
use crate::analyse::types::Type;
use crate::analyse::{Analysed, coerce, undecided};
use crate::ident::Ident;
use crate::tree::Tree;

/// A common table expression that can be seen.
#[derive(Clone, Debug)]
pub struct Common {
    /// Its name.
    pub name: Ident,
    /// Its columns; none as long as they are not known.
    pub columns: Option<Columns>,
}

fn idents(tree: &Tree) -> Vec<Ident> {
    tree.strings().into_iter().map(Ident::new).collect()
}

impl Analyser<'_> {
    pub(super) fn with_clause(&mut self, tree: &Tree) -> Analysed<(Vec<With>, bool)> {
        let mut found = Vec::new();
        let recursive = tree.get("recursive").flag();
        let ctes = tree.get("ctes").items();
        if self.rows.is_some() && !ctes.is_empty() {
            return undecided("WITH beside OLD and NEW");
        }
        let begin = self.with.len();
        if recursive {
            // All are visible to all; one that comes later is not understood.
            for cte in ctes {
                self.with.push(Common { name: Ident::new(cte.get("ctename").str()), columns: None });
            }
        }
        for (place, cte) in ctes.iter().enumerate() {
            let name = Ident::new(cte.get("ctename").str());
            let columns = idents(cte.get("aliascolnames"));
            let (search, cycle) = (cte.get("search_clause"), cte.get("cycle_clause"));
            let tree = cte.get("ctequery");
            let own = recursive.then_some(begin + place);
            if let (Some(own), true) = (own, tree.get("op").int() == 2) {
                // The columns are those of the first arm.
                let known = self.first_arm(tree, &columns)?;
                self.with[own].columns = known;
            }
            // A WITH query sees the queries outside of the one that it belongs to.
            let query = self.sub_query(tree)?;
            let mut outputs = columns_of(&query, &columns)?;
            if let Some(Some(seen)) = own.map(|own| self.with[own].columns.clone()) {
                // What refers to itself was analysed with these.
                if seen.iter().zip(&outputs).any(|(a, b)| a.1 != b.1) {
                    return undecided("a recursive query whose arms differ in type");
                }
                for (output, known) in outputs.iter_mut().zip(&seen) {
                    output.2 = known.2;
                }
            }
            let mut after = Vec::new();
            if !search.is_nothing() {
                let made = Ident::new(search.get("search_seq_column").str());
                let breadth = search.get("search_breadth_first").flag();
                let of = if breadth { Type::system("record") } else { Type::system("_record") };
                outputs.push((made, of, -1));
                after.push(After::Search(breadth, idents(search.get("search_col_list")), made));
            }
            if !cycle.is_nothing() {
                after.push(self.cycle(cycle, &mut outputs)?);
            }
            match own {
                Some(own) => self.with[own].columns = Some(outputs),
                None => self.with.push(Common { name, columns: Some(outputs) }),
            }
            let materialized = match cte.get("ctematerialized").int() {
                2 => Some(true),
                3 => Some(false),
                _ => None,
            };
            found.push(With { name, columns, materialized, query, after });
        }
        Ok((found, recursive))
    }

    /// The columns of a query that refers to itself, by the arm that does not.
    fn first_arm(&mut self, tree: &Tree, names: &[Ident]) -> Analysed<Option<Columns>> {
        let with = self.with.len();
        self.scope.levels.push(Default::default());
        // WITH of the whole query is seen by its arms.
        let columns = self.with_clause(tree.get("with_clause")).and_then(|_| self.arm(tree.get("larg")));
        self.scope.levels.pop();
        self.with.truncate(with);
        // It may be no recursive query after all: then nobody asks for its columns.
        let Ok(query) = columns else { return Ok(None) };
        let mut columns: Columns = Vec::new();
        for output in query.outputs() {
            let of = if output.expr.of.is_unknown() { Type::system("text") } else { output.expr.of };
            columns.push((output.name, of, output.expr.modifier));
        }
        rename(&mut columns, names)?;
        Ok(Some(columns))
    }

    fn cycle(&mut self, cycle: &Tree, outputs: &mut Columns) -> Analysed<After> {
        let mark = Ident::new(cycle.get("cycle_mark_column").str());
        let path = Ident::new(cycle.get("cycle_path_column").str());
        let value = self.expression(cycle.get("cycle_mark_value"))?;
        let other = self.expression(cycle.get("cycle_mark_default"))?;
        let of = coerce::common_type(self.world, &[&value, &other])?;
        let value = coerce::to_common(self.world, value, of)?;
        let other = coerce::to_common(self.world, other, of)?;
        let is = |expr: &Expr, word: &str| {
            expr.of.is("bool") && matches!(&expr.node, Node::Constant(Some(text)) if text == word)
        };
        let usual = is(&value, "true") && is(&other, "false");
        outputs.push((mark, of, -1));
        outputs.push((path, Type::system("_record"), -1));
        let values = (!usual).then_some((value, other));
        Ok(After::Cycle(idents(cycle.get("cycle_col_list")), mark, values, path))
    }
}

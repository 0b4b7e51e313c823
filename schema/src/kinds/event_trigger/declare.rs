//! Event triggers as people write them: what follows `CREATE EVENT TRIGGER name`.

use super::EventTrigger;
use crate::declare::frame::Frame;
use crate::declare::written_ident;
use crate::diagnostic::Diagnostic;
use crate::fragment::Aside;
use crate::ident::{Ident, Text};
use crate::kinds::trigger::Enabled;
use crate::kinds::trigger::declare::enabled;
use crate::reference::Target;
use crate::spec::EventTriggerSpec;
use crate::yaml::{Sql, Written};

/// An event trigger from its short or long form.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place, and a filter that there is not.
pub fn event_trigger(written: &Written<EventTriggerSpec>) -> Result<EventTrigger, Diagnostic> {
    match written {
        Written::Short(sql) => short(sql),
        Written::Long(spec) => Ok(EventTrigger {
            enabled: spec.enabled.map_or(Enabled::Origin, |word| enabled(word.value)),
            owner: Aside(spec.owner.as_ref().map(written_ident)),
            ..short(&spec.definition)?
        }),
    }
}

fn short(sql: &Sql) -> Result<EventTrigger, Diagnostic> {
    let frame = Frame::read(sql, "CREATE EVENT TRIGGER x ", "")?;
    let tree = &frame.tree;
    let mut tags = Vec::new();
    for (number, filter) in tree.get("whenclause").items().iter().enumerate() {
        let name = filter.get("defname").str();
        if name != "tag" || number > 0 {
            let at = frame.at(filter.get("location"));
            return Err(frame.refuse(at, "an event trigger is filtered by `when tag in (…)`, once"));
        }
        // PostgreSQL keeps them in capitals.
        let list = filter.get("arg");
        let list = if list.name() == "List" { list.get("items") } else { list };
        tags.extend(list.strings().into_iter().map(|tag| Text::new(&tag.to_ascii_uppercase())));
    }
    let words = frame.words();
    let execute = words.find_outside(0, "execute").unwrap_or(0);
    let start = words.token(execute + 2).map_or(0, |token| token.start);
    let parts: Vec<Ident> = tree.get("funcname").strings().into_iter().map(Ident::new).collect();
    Ok(EventTrigger {
        event: Ident::new(tree.get("eventname").str()),
        tags,
        function: frame.reference(Target::Routine, &parts, start),
        enabled: Enabled::Origin,
        owner: Aside(None),
    })
}

//! Copies of triggers as people write them: the trigger's name with when it fires on this partition.

use super::CopiedTrigger;
use crate::kinds::trigger::declare::enabled;
use crate::spec::security::TriggerEnabled;

/// When a copy fires.
pub fn copied_trigger(word: TriggerEnabled) -> CopiedTrigger {
    CopiedTrigger { enabled: enabled(word) }
}

//! What of an object is ours: the record of what was added, what of it is present, and whether anything else changed since.

pub(crate) mod keys;
pub(crate) mod mount;
pub(crate) mod present;
pub(crate) mod record;
pub(crate) mod roster;
pub(crate) mod since;
pub(crate) mod unchanged;

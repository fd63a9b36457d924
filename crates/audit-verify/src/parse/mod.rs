//! What stands in a line: taken apart with nothing but the format's own rules.

pub(crate) mod json;
pub(crate) mod lifecycle;
pub(crate) mod record;
pub(crate) mod time;

//! Counted physical events priced in joules and seconds.

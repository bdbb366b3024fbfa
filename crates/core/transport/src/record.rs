//! Values, with their version byte.

use crate::report::{Received, Tally};
use crate::seen::Seen;
use engine::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const VERSION: u8 = 1;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct PolicyRecord {
    pub id: String,
    pub text: String,
    pub fetched: i64,
    pub expires: i64,
}

pub(crate) type SeenRecord = Seen;
pub(crate) type TallyRecord = Tally;
pub(crate) type ReceivedRecord = Received;

pub(crate) fn encode(value: &impl Serialize) -> Vec<u8> {
    postcard::to_extend(value, vec![VERSION]).unwrap_or_else(|error| unreachable!("plain data: {error}"))
}

pub(crate) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Error> {
    let corrupt = |why: String| Error::Corrupt { what: what.to_owned(), why };
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|error| corrupt(error.to_string())),
        Some((version, _)) => Err(corrupt(format!("version {version} is unknown"))),
        None => Err(corrupt("it is empty".into())),
    }
}

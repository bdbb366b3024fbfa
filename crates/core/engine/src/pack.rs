//! Content as it is stored: independent chunks, each compressed and checksummed.

/// The stored form.
#[derive(Debug)]
pub(crate) struct PackedBytes {
    #[allow(dead_code)]
    pub(crate) raw_len: u64,
}

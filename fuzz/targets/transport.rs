//! What strangers publish and send about transport security: MTA-STS records and policies, TLS report records, reports,
//! gzip. Nothing panics, everything is bounded, and what is read as a policy is written as the same policy.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transport::gzip::{gunzip, gzip};
use transport::report::{from_json, record_places};
use transport::sts::{Policy, record_id};

fuzz_target!(|data: &[u8]| {
    const MOST: usize = 1 << 16;
    if let Some(out) = gunzip(data, MOST) {
        assert!(out.len() <= MOST);
    }
    if data.len() <= MOST {
        assert_eq!(gunzip(&gzip(data), MOST).as_deref(), Some(data));
    }
    let _ = from_json(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = record_id(text.split('\n'));
    assert!(record_places(text.split('\n')).len() <= 4);
    if let Ok(policy) = Policy::parse(text) {
        assert_eq!(Policy::parse(&policy.to_text()), Ok(policy));
    }
});

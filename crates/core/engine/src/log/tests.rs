//! The engine on a real folder, and on the simulated disk (sim.rs).

use super::*;
use crate::{ContentId, Order, Packed, Pending, Read};
use std::ops::{Bound, ControlFlow};

fn small() -> Options {
    Options {
        index_cache_bytes: 1 << 20,
        segment_bytes: 256 << 10,
        checkpoint_bytes: 128 << 10,
        reserve_bytes: 1 << 20,
        ..Options::default()
    }
}

#[test]
fn conforms() {
    let dir = tempfile::tempdir().unwrap();
    let engine = LogEngine::open(dir.path(), small()).unwrap();
    crate::conformance::all(&engine);
    engine.close().unwrap();
}

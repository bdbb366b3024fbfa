//! Compression (RFC 4978) over arbitrary octets: what inflates comes in small pieces and is the same however it was cut
//! and rested in between; what is deflated inflates to itself. Nothing panics.
//!
//! Setup octet, bit 0: the text is inflated as it is; else it is deflated first.
#![no_main]

use libfuzzer_sys::fuzz_target;
use troika_fuzz::Plan;
use wire::deflate::{Deflate, Garbled, Inflate, Inflated, WINDOW_BYTES};

/// After a rest the window is compressed anew: more of them take seconds.
const RESTS_MAX: usize = 16;

/// Plain output is looked at up to here; a bomb goes on for ever.
const PLAIN_BYTES_MAX: usize = 4 << 20;

#[derive(PartialEq, Eq, Debug, Clone, Copy)]
enum End {
    More,
    Ended,
    Garbled,
}

fn drain(inflate: &mut Inflate, plain: &mut Vec<u8>) -> End {
    while plain.len() < PLAIN_BYTES_MAX {
        match inflate.inflate() {
            Ok(Inflated::Bytes(bytes)) => {
                assert!(!bytes.is_empty() && bytes.len() <= WINDOW_BYTES);
                plain.extend_from_slice(bytes);
            }
            Ok(Inflated::NeedInput) => {
                assert!(inflate.unread().is_empty(), "it has input");
                return End::More;
            }
            Ok(Inflated::Ended) => return End::Ended,
            Err(Garbled) => return End::Garbled,
        }
    }
    End::More
}

fn inflated(pieces: &[&[u8]], rests: bool) -> (Vec<u8>, End) {
    let (mut inflate, mut plain, mut end) = (Inflate::default(), Vec::new(), End::More);
    for piece in pieces {
        inflate.feed(piece);
        end = drain(&mut inflate, &mut plain);
        if end == End::Garbled || plain.len() >= PLAIN_BYTES_MAX {
            break;
        }
        if rests {
            inflate.rest();
        }
    }
    (plain, end)
}

fuzz_target!(|input: &[u8]| {
    let Some(plan) = Plan::new(input) else { return };
    let pieces: Vec<&[u8]> = plan.pieces().into_iter().flatten().collect();
    if plan.setup & 1 == 1 {
        let whole = inflated(&[plan.text], false);
        let text = pieces.concat();
        if text == plan.text && whole.0.len() < PLAIN_BYTES_MAX {
            let parted = inflated(&pieces, true);
            assert_eq!(parted.1, whole.1);
            // How much of a garbled stream comes out before that is noticed depends on the pieces.
            let same = parted.0.len().min(whole.0.len());
            assert!(parted.0[..same] == whole.0[..same]);
            assert!(whole.1 == End::Garbled || parted.0.len() == whole.0.len());
        }
        return;
    }
    let (mut deflate, mut inflate, mut plain) = (Deflate::default(), Inflate::default(), Vec::new());
    let mut rests = 0;
    for (number, piece) in pieces.iter().enumerate() {
        deflate.write(piece);
        deflate.flush();
        inflate.feed(deflate.ready());
        deflate.consume(deflate.ready().len());
        assert_eq!(drain(&mut inflate, &mut plain), End::More);
        if rests < RESTS_MAX && usize::from(plan.cuts[1]) >> (number % 8) & 1 == 1 {
            rests += 1;
            deflate.rest();
            inflate.rest();
        }
    }
    assert!(plain == pieces.concat());
    deflate.finish();
    inflate.feed(deflate.ready());
    assert_eq!(drain(&mut inflate, &mut plain), End::Ended);
});

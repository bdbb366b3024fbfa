use super::*;
use miniz_oxide::deflate::compress_to_vec;

/// Everything that can be inflated now.
fn drain(inflate: &mut Inflate) -> Result<(Vec<u8>, bool), Garbled> {
    let mut plain = Vec::new();
    loop {
        match inflate.inflate()? {
            Inflated::Bytes(bytes) => {
                assert!(!bytes.is_empty() && bytes.len() <= WINDOW_BYTES);
                plain.extend_from_slice(bytes);
            }
            Inflated::NeedInput => return Ok((plain, false)),
            Inflated::Ended => return Ok((plain, true)),
        }
    }
}

fn sent(deflate: &mut Deflate, plain: &[u8]) -> Vec<u8> {
    deflate.write(plain);
    deflate.flush();
    let wire = deflate.ready().to_vec();
    deflate.consume(wire.len());
    wire
}

/// Text that compresses, different at each place.
fn text(number: usize, length: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut seed = number as u32 + 1;
    while text.len() < length {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend_from_slice(
            format!("* {} FETCH (FLAGS (\\Seen) UID {})\r\n", text.len(), seed >> 20).as_bytes(),
        );
    }
    text.truncate(length);
    text
}

#[test]
fn a_stream_goes_on_after_any_rest() {
    let (mut out, mut back) = (Deflate::default(), Inflate::default());
    for number in 0..60 {
        let plain = text(number, [1, 30, 700, 5_000, 40_000, 100_000][number % 6]);
        let wire = sent(&mut out, &plain);
        for piece in wire.chunks(1 + number * 37) {
            back.feed(piece);
        }
        assert_eq!(drain(&mut back), Ok((plain, false)), "{number}");
        if number % 3 != 0 {
            out.rest();
            back.rest();
            assert!(out.compressor.is_none() && back.tables.is_none());
            assert!(back.window.capacity() + back.held.capacity() <= WINDOW_BYTES);
            assert!(out.tail.capacity() + out.ready.capacity() <= TAIL_BYTES);
        }
    }
}

#[test]
fn a_rest_costs_little_of_the_compression() {
    let mut out = Deflate::default();
    let line = text(7, 600);
    let first = sent(&mut out, &line).len();
    out.rest();
    let second = sent(&mut out, &line).len();
    assert!(second * 5 < first, "{second} of {first}");
}

#[test]
fn a_bomb_comes_out_in_small_pieces() {
    let bomb = compress_to_vec(&vec![0; 50 * 1024 * 1024], 9);
    assert!(bomb.len() < 60 * 1024);
    let mut back = Inflate::default();
    back.feed(&bomb);
    let mut all = 0;
    while let Ok(Inflated::Bytes(bytes)) = back.inflate() {
        all += bytes.len();
        assert!(bytes.len() <= WINDOW_BYTES);
    }
    assert_eq!(all, 50 * 1024 * 1024);
}

#[test]
fn the_end_of_a_stream_leaves_what_stands_behind_it() {
    let mut out = Deflate::default();
    out.write(b"a UNAUTHENTICATE\r\n");
    out.finish();
    let mut back = Inflate::default();
    back.feed(&[out.ready(), b"b LOGIN"].concat());
    assert_eq!(drain(&mut back), Ok((b"a UNAUTHENTICATE\r\n".to_vec(), true)));
    assert_eq!(back.unread(), b"b LOGIN");
}

#[test]
fn noise_is_told_from_deflate_and_empty_blocks_are_nothing() {
    let mut back = Inflate::default();
    back.feed(b"a NOOP\r\n");
    assert_eq!(drain(&mut back), Err(Garbled));
    let mut back = Inflate::default();
    for _ in 0..1000 {
        back.feed(&[0, 0, 0, 0xff, 0xff].repeat(100));
        assert_eq!(drain(&mut back), Ok((Vec::new(), false)));
        back.rest();
    }
    assert_eq!(back.window.capacity(), 0);
}

#[test]
fn every_byte_by_itself() {
    let plain = text(3, 70_000);
    let wire = sent(&mut Deflate::default(), &plain);
    let (mut back, mut got) = (Inflate::default(), Vec::new());
    for byte in wire {
        back.feed(&[byte]);
        got.extend(drain(&mut back).unwrap().0);
        back.rest();
    }
    assert_eq!(got, plain);
}

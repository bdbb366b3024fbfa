//! Words: the maximal runs of letters, digits and combining marks of a folded text, and what is left of them in the index.
//!
//! A run longer than [`TOKEN_BYTES_MAX`] is cut into tokens that overlap, so that each of its substrings of up to
//! [`PIECE_BYTES_MAX`] bytes lies within one token; its first token begins where the run begins, its last one ends where
//! the run ends, and both are longer than [`PIECE_BYTES_MAX`]. So CJK text without spaces, and base64, are only longer
//! words.

use unicode_normalization::char::is_combining_mark;

/// Longest token in bytes.
pub(super) const TOKEN_BYTES_MAX: usize = 128;

/// Longest text that is sure to lie within one token if it lies within a run; also how much two tokens of a run share.
pub(super) const PIECE_BYTES_MAX: usize = 32;

/// Whether it belongs to a word. The fold decomposes, so that the marks of letters stand behind them.
fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || is_combining_mark(character)
}

/// Calls `visit` with each run of letters, digits and marks.
pub(super) fn each_run<'t>(folded: &'t str, visit: &mut dyn FnMut(&'t str)) {
    let bytes = folded.as_bytes();
    let mut start = None;
    let mut at = 0;
    while at < bytes.len() {
        let (is_word, length) = if bytes[at].is_ascii() {
            (bytes[at].is_ascii_alphanumeric(), 1)
        } else {
            // `at` only ever moves by whole characters.
            folded[at..].chars().next().map_or((false, 1), |c| (is_of_word(c), c.len_utf8()))
        };
        match (is_word, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                visit(&folded[from..at]);
                start = None;
            }
            _ => {}
        }
        at += length;
    }
    if let Some(from) = start {
        visit(&folded[from..]);
    }
}

/// Calls `visit` with each token of a folded text.
pub(super) fn each_token<'t>(folded: &'t str, visit: &mut dyn FnMut(&'t str)) {
    each_run(folded, &mut |run| each_token_of_run(run, visit));
}

fn each_token_of_run<'t>(run: &'t str, visit: &mut dyn FnMut(&'t str)) {
    let mut start = 0;
    loop {
        if run.len() - start <= TOKEN_BYTES_MAX {
            return visit(&run[start..]);
        }
        let end = run.floor_char_boundary(start + TOKEN_BYTES_MAX);
        visit(&run[start..end]);
        start = run.floor_char_boundary(end - PIECE_BYTES_MAX);
    }
}

/// A part of a text that is looked for, which must lie within one token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    /// A token must begin with it.
    pub(super) at_start: bool,
    /// A token must end with it.
    pub(super) at_end: bool,
}

/// What tokens a text must have that a folded needle lies in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pieces {
    /// All of them; none if the needle has neither letter nor digit.
    pub(super) pieces: Vec<Piece>,
    /// Whether having them is enough: the needle is one piece.
    pub(super) suffice: bool,
}

/// Most pieces of one needle that are looked up; fewer only mean more texts to verify.
const PIECES_MAX: usize = 16;

impl Pieces {
    pub(super) fn of(needle: &str) -> Pieces {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut is_whole = false;
        each_run(needle, &mut |run| {
            // Where in the needle: at its ends the run may go on in the text.
            let start = run.as_ptr() as usize - needle.as_ptr() as usize;
            let (at_start, at_end) = (start > 0, start + run.len() < needle.len());
            let fits = run.len() <= PIECE_BYTES_MAX;
            is_whole |= fits && run.len() == needle.len();
            let text = if fits {
                run
            } else if at_start || !at_end {
                &run[..run.floor_char_boundary(PIECE_BYTES_MAX)]
            } else {
                &run[run.ceil_char_boundary(run.len() - PIECE_BYTES_MAX)..]
            };
            let piece = Piece {
                text: text.to_owned(),
                at_start,
                // Of a long run that begins at a border only the beginning is looked for.
                at_end: at_end && (fits || !at_start),
            };
            if !pieces.contains(&piece) {
                pieces.push(piece);
            }
        });
        // The longest are the rarest.
        pieces.sort_by_key(|piece| (!piece.at_start, std::cmp::Reverse(piece.text.len())));
        pieces.truncate(PIECES_MAX);
        Pieces { pieces, suffice: is_whole }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        each_token(text, &mut |token| found.push(token));
        found
    }

    /// As the index does it.
    fn has(tokens: &[&str], piece: &Piece) -> bool {
        tokens.iter().any(|token| match (piece.at_start, piece.at_end) {
            (true, true) => *token == piece.text,
            (true, false) => token.starts_with(&piece.text),
            (false, true) => token.ends_with(&piece.text),
            (false, false) => token.contains(&piece.text),
        })
    }

    #[test]
    fn words_are_cut_out() {
        assert_eq!(
            tokens("re: a-b, «привет» 東京都 x1\u{301}y"),
            ["re", "a", "b", "привет", "東京都", "x1\u{301}y"]
        );
        assert_eq!(tokens(""), Vec::<&str>::new());
        let long = "ж".repeat(100);
        let cut = tokens(&long);
        assert!(cut.len() == 2 && cut.iter().all(|token| token.len() <= TOKEN_BYTES_MAX), "{cut:?}");
        let pieces = Pieces::of("anna@example.com");
        assert_eq!(pieces.pieces.len(), 3);
        assert!(!pieces.suffice);
        assert!(Pieces::of("anna").suffice && !Pieces::of("anna ").suffice && !Pieces::of("").suffice);
        assert!(!Pieces::of(&long).suffice);
    }

    proptest! {
        #[test]
        fn what_holds_a_needle_has_its_pieces(
            text in "([aжb東]{0,90}[ .@]{0,2}){0,6}",
            start in 0usize..300,
            length in 0usize..160,
        ) {
            let start = text.floor_char_boundary(start.min(text.len()));
            let end = text.ceil_char_boundary((start + length).min(text.len()));
            let pieces = Pieces::of(&text[start..end]);
            let tokens = tokens(&text);
            for piece in &pieces.pieces {
                prop_assert!(piece.text.len() <= PIECE_BYTES_MAX);
                prop_assert!(has(&tokens, piece), "{piece:?} in {tokens:?}");
            }
        }

        #[test]
        fn a_piece_that_suffices_is_in_the_text(text in "([aжb]{0,90}[ .@]{0,2}){0,6}", needle in "[aжb]{1,4}") {
            let pieces = Pieces::of(&needle);
            prop_assert!(pieces.suffice);
            let found = has(&tokens(&text), &pieces.pieces[0]);
            prop_assert_eq!(found, text.contains(&needle));
        }
    }
}

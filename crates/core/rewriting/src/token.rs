//! Sealed tokens: some numbers with a hash over them, in signs that stand in an address or a URL and survive the loss of
//! their case. They say who is meant (a member of a list, a held message), and that this server says so.

use crate::keys::Use;
use crate::{Keys, base32};
use subtle::ConstantTimeEq as _;

/// What a token is good for; one made for another purpose is worth nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The reverse-path of one member's copy (VERP). In an address: short.
    Bounce,
    /// Leaves a list (RFC 8058).
    Unsubscribe,
    /// Says that an address is whose it claims to be.
    Confirm,
    /// Lets a held message through, or refuses it.
    Moderate,
}

impl Purpose {
    fn name(self) -> &'static [u8] {
        match self {
            Purpose::Bounce => b"bounce ",
            Purpose::Unsubscribe => b"unsubscribe ",
            Purpose::Confirm => b"confirm ",
            Purpose::Moderate => b"moderate ",
        }
    }

    /// Bytes of the hash. A guessed bounce counts one failure of one member; a guessed other one does something.
    fn hash_length(self) -> usize {
        match self {
            Purpose::Bounce => 5,
            _ => 10,
        }
    }
}

impl Keys {
    /// The token that stands for `numbers`. What it means besides (`context`: an address, a state) is hashed with them
    /// but not in it.
    pub fn seal(&self, purpose: Purpose, numbers: &[u32], context: &str) -> String {
        let mut bytes: Vec<u8> = Vec::with_capacity(numbers.len() * 5 + 10);
        numbers.iter().for_each(|&number| write_number(number, &mut bytes));
        let hash = self.token_hash(purpose, &bytes, context);
        bytes.extend_from_slice(&hash[..purpose.hash_length()]);
        base32::encode(&bytes)
    }

    /// The numbers of a token that was made here for this purpose; `context` is given the numbers and says what they
    /// mean besides. None: it was not, or the context is not what it was.
    pub fn open<const N: usize>(
        &self,
        purpose: Purpose,
        token: &str,
        context: impl FnOnce(&[u32; N]) -> Option<String>,
    ) -> Option<[u32; N]> {
        if token.len() > 200 {
            return None;
        }
        let bytes = base32::decode(token)?;
        let (mut rest, hash) = bytes.split_at_checked(bytes.len().checked_sub(purpose.hash_length())?)?;
        let written = rest;
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = read_number(&mut rest)?;
        }
        let context = context(&numbers).filter(|_| rest.is_empty())?;
        let right = self.token_hash(purpose, written, &context);
        bool::from(right[..purpose.hash_length()].ct_eq(hash)).then_some(numbers)
    }

    fn token_hash(&self, purpose: Purpose, written: &[u8], context: &str) -> [u8; 32] {
        self.hash(Use::Token, &[purpose.name(), &[written.len() as u8], written, context.as_bytes()])
    }
}

/// Seven bits a byte, the high bit set on all but the last: small numbers make short tokens.
fn write_number(number: u32, bytes: &mut Vec<u8>) {
    let mut rest = number;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn read_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0u64;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return u32::try_from(number).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn open(purpose: Purpose, token: &str, context: &str) -> Option<[u32; 2]> {
        Keys::new(&[5; 32]).open(purpose, token, |_| Some(context.to_owned()))
    }

    #[test]
    fn a_token_is_good_for_what_it_was_made_for() {
        let token = Keys::new(&[5; 32]).seal(Purpose::Unsubscribe, &[3, 70_000], "anna@x.test");
        assert_eq!(open(Purpose::Unsubscribe, &token, "anna@x.test"), Some([3, 70_000]));
        assert_eq!(open(Purpose::Unsubscribe, &token.to_uppercase(), "anna@x.test"), Some([3, 70_000]));
        assert_eq!(open(Purpose::Confirm, &token, "anna@x.test"), None);
        assert_eq!(open(Purpose::Unsubscribe, &token, "bert@x.test"), None);
        let other =
            Keys::new(&[6; 32]).open(Purpose::Unsubscribe, &token, |_: &[u32; 2]| Some("anna@x.test".into()));
        assert_eq!(other, None);
        let three =
            Keys::new(&[5; 32]).open(Purpose::Unsubscribe, &token, |_: &[u32; 3]| Some("anna@x.test".into()));
        assert_eq!(three, None);
        for bad in ["", "a", "zzzzzzzzzzzzzzzzzzzzzzzz", &"a".repeat(10_000), "é"] {
            assert_eq!(open(Purpose::Unsubscribe, bad, "anna@x.test"), None, "{bad}");
        }
    }

    #[test]
    fn bounce_tokens_are_short() {
        let token = Keys::new(&[5; 32]).seal(Purpose::Bounce, &[9, 5000], "");
        assert!(token.len() <= 13, "{token}");
    }

    proptest! {
        #[test]
        fn any_numbers(numbers in any::<[u32; 2]>()) {
            let token = Keys::new(&[5; 32]).seal(Purpose::Bounce, &numbers, "x");
            prop_assert_eq!(open(Purpose::Bounce, &token, "x"), Some(numbers));
        }

        #[test]
        fn arbitrary_text_opens_nothing(text in "[a-z2-7]{0,60}") {
            prop_assert_eq!(open(Purpose::Moderate, &text, "x"), None);
        }
    }
}

//! The digest of a pair: a declared text, the text as which a server once stored it, and what both refer to.
//!
//! Not here: what goes into it (`memory`).

use sha2::{Digest as _, Sha256};
use std::fmt;

/// Adds a text to a digest. Its length stands in front, so that no two lists of texts look alike.
pub(crate) fn update(digest: &mut Sha256, text: &str) {
    digest.update((text.len() as u64).to_be_bytes());
    digest.update(text);
}

/// The first 128 bits of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair(u128);

impl Pair {
    /// Of a digest.
    pub fn of(digest: [u8; 32]) -> Self {
        Self(digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }

    /// From what it looks like: 32 hexadecimal digits in lower case. `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let is_written =
            text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        u128::from_str_radix(text, 16).ok().filter(|_| is_written).map(Self)
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_read_as_it_is_written() {
        let mut digest = [0; 32];
        digest[1] = 0xab;
        digest[15] = 1;
        let pair = Pair::of(digest);
        assert_eq!(pair.to_string(), "00ab0000000000000000000000000001");
        assert_eq!(Pair::read(&pair.to_string()), Some(pair));
        for other in ["", "00AB0000000000000000000000000001", "+0ab0000000000000000000000000001", "1"] {
            assert_eq!(Pair::read(other), None, "{other}");
        }
    }
}

//! What unmasking has seen of a text.

/// What was seen of a text while it was unmasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// All of it is ASCII.
    Ascii,
    /// It is UTF-8 so far: it may end inside a character.
    #[cfg_attr(
        not(all(target_arch = "x86_64", feature = "std")),
        expect(dead_code, reason = "nobody else looks for it while unmasking")
    )]
    Sound,
    /// It is for others to find out.
    Unknown,
}

impl Seen {
    /// Where nothing but ASCII was looked for.
    pub(super) const fn ascii(is_ascii: bool) -> Self {
        match is_ascii {
            true => Self::Ascii,
            false => Self::Unknown,
        }
    }
}

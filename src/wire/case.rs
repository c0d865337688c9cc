//! Words without regard to case.

/// Whether two words differ in nothing but the case of their ASCII letters, as
/// [`eq_ignore_ascii_case`](slice::eq_ignore_ascii_case) has it.
///
/// Below 16 bytes that one goes byte by byte, and most words of HTTP are shorter. Here they are
/// compared by eight or four bytes at once, the last of which overlap those before.
#[inline]
pub(crate) fn is_same_word(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && match one.len() {
            8..16 => are_ends_same::<8>(one, other),
            4..8 => are_ends_same::<4>(one, other),
            _ => one.eq_ignore_ascii_case(other),
        }
}

/// Compares the first and the last `N` bytes, which are all of both: `N` is 8 at most.
#[inline(always)]
fn are_ends_same<const N: usize>(one: &[u8], other: &[u8]) -> bool {
    let same = |one, other| is_same(padded::<N>(one), padded::<N>(other));
    same(one.first_chunk(), other.first_chunk()) && same(one.last_chunk(), other.last_chunk())
}

#[inline(always)]
fn padded<const N: usize>(bytes: Option<&[u8; N]>) -> u64 {
    let mut word = [0; 8];
    if let Some(bytes) = bytes {
        word[..N].copy_from_slice(bytes);
    }
    u64::from_le_bytes(word)
}

/// Compares eight bytes each: they may differ in the bit of case where both are letters.
#[inline(always)]
fn is_same(one: u64, other: u64) -> bool {
    let differing = one ^ other;
    differing & !CASE == 0 && differing & !(letters(one | CASE) >> 2) == 0
}

const EACH: u64 = u64::from_ne_bytes([1; 8]);
/// The bit by which a capital differs from its letter.
const CASE: u64 = 0x20 * EACH;
const TOP: u64 = 0x80 * EACH;

/// The top bit of each byte that is a small letter.
#[inline(always)]
const fn letters(word: u64) -> u64 {
    let low = word & !TOP;
    let from_a = low + (0x80 - b'a' as u64) * EACH;
    let beyond_z = low + (0x7f - b'z' as u64) * EACH;
    from_a & !beyond_z & !word & TOP
}

#[cfg(test)]
mod tests {
    use super::is_same_word;

    #[test]
    fn every_pair_of_bytes_is_as_the_standard_library_has_it() {
        for len in [1, 3, 4, 7, 8, 11, 15, 16, 20] {
            for (one, other) in (0..=u8::MAX).flat_map(|it| (0..=u8::MAX).map(move |to| (it, to))) {
                for at in [0, len / 2, len - 1] {
                    let (mut left, mut right) = ([b'a'; 20], [b'A'; 20]);
                    (left[at], right[at]) = (one, other);
                    let (left, right) = (&left[..len], &right[..len]);
                    assert_eq!(
                        is_same_word(left, right),
                        left.eq_ignore_ascii_case(right),
                        "{left:?} {right:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_beginning_is_another_word() {
        assert!(is_same_word(b"", b""));
        assert!(!is_same_word(b"upgrade", b"upgrad"));
        assert!(!is_same_word(b"", b"u"));
    }
}

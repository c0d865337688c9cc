//! Bytes that are put one behind the other, where a few more cost no call.

use alloc::vec::Vec;
use core::fmt;

/// How much is made ready at once for what comes next.
const READY_BYTES: usize = 1 << 10;

/// How many bytes are copied as two halves that overlap, and up to twice as many.
const HALF: usize = 16;

/// A buffer that keeps what it has made ready when it is emptied: each byte of it is filled once
/// in its life, and from then on only what is put there is written.
#[derive(Default)]
pub(crate) struct Tail {
    /// What lies behind the first `len` bytes means nothing.
    data: Vec<u8>,
    len: usize,
}

impl Tail {
    /// An empty one, in memory that was used before.
    pub(crate) const fn reusing(data: Vec<u8>) -> Self {
        Self { data, len: 0 }
    }

    /// These bytes, to which others are appended.
    pub(crate) const fn holding(data: Vec<u8>) -> Self {
        let len = data.len();
        Self { data, len }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.data[..self.len]
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn capacity(&self) -> usize {
        self.data.capacity()
    }

    #[inline]
    pub(crate) const fn clear(&mut self) {
        self.len = 0;
    }

    /// The bytes by themselves.
    pub(crate) fn into_vec(mut self) -> Vec<u8> {
        self.data.truncate(self.len);
        self.data
    }

    /// Appends what `append` does.
    pub(crate) fn extend_with(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        self.data.truncate(self.len);
        append(&mut self.data);
        self.len = self.data.len();
    }

    /// Appends a head and what follows it where there is room that is ready, and says whether
    /// there was.
    #[inline(always)]
    pub(crate) fn push_ready<const N: usize>(&mut self, head: [u8; N], bytes: &[u8]) -> bool {
        let Some((first, rest)) = self.data[self.len..].split_first_chunk_mut() else {
            return false;
        };
        let Some(rest) = rest.get_mut(..bytes.len()) else {
            return false;
        };
        *first = head;
        copy(bytes, rest);
        self.len += N + bytes.len();
        true
    }

    /// Appends them, and makes room ready for what comes next.
    #[inline(never)]
    pub(crate) fn push(&mut self, head: &[u8], bytes: &[u8]) {
        self.extend_with(|data| {
            data.extend_from_slice(head);
            data.extend_from_slice(bytes);
        });
        self.data.resize(self.len + READY_BYTES, 0);
    }
}

/// Copies between slices of one length.
#[inline(always)]
fn copy(source: &[u8], target: &mut [u8]) {
    let (Some(first), Some(last)) = (source.first_chunk::<HALF>(), source.last_chunk::<HALF>())
    else {
        return target.copy_from_slice(source);
    };
    if source.len() > 2 * HALF {
        return target.copy_from_slice(source);
    }
    if let Some(target) = target.first_chunk_mut() {
        *target = *first;
    }
    if let Some(target) = target.last_chunk_mut() {
        *target = *last;
    }
}

/// What was put there, and nothing that lies behind it.
impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tail").field(&self.bytes()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;
    use proptest::prelude::*;

    /// What is done to it.
    #[derive(Clone, Debug)]
    enum Act {
        Small([u8; 2], Vec<u8>),
        Medium([u8; 4], Vec<u8>),
        Any(Vec<u8>),
        Clear,
        Reuse,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
        let act = prop_oneof![
            4 => (any::<[u8; 2]>(), bytes(80)).prop_map(|(head, bytes)| Act::Small(head, bytes)),
            2 => (any::<[u8; 4]>(), bytes(4000)).prop_map(|(head, bytes)| Act::Medium(head, bytes)),
            2 => bytes(3000).prop_map(Act::Any),
            1 => Just(Act::Clear),
            1 => Just(Act::Reuse),
        ];
        prop::collection::vec(act, 0..60)
    }

    fn put<const N: usize>(tail: &mut Tail, plain: &mut Vec<u8>, head: [u8; N], bytes: &[u8]) {
        if !tail.push_ready(head, bytes) {
            tail.push(&head, bytes);
        }
        plain.extend_from_slice(&head);
        plain.extend_from_slice(bytes);
    }

    proptest! {
        #[test]
        fn it_holds_what_a_vector_would(acts in acts()) {
            let (mut tail, mut plain) = (Tail::default(), Vec::new());
            for act in acts {
                match act {
                    Act::Small(head, bytes) => put(&mut tail, &mut plain, head, &bytes),
                    Act::Medium(head, bytes) => put(&mut tail, &mut plain, head, &bytes),
                    Act::Any(bytes) => {
                        tail.extend_with(|data| data.extend_from_slice(&bytes));
                        plain.extend_from_slice(&bytes);
                    }
                    Act::Clear => {
                        tail.clear();
                        plain.clear();
                    }
                    Act::Reuse => {
                        let before = core::mem::take(&mut tail).into_vec();
                        prop_assert_eq!(&before, &plain);
                        tail = Tail::reusing(before);
                        plain.clear();
                    }
                }
                prop_assert_eq!(tail.bytes(), &plain[..]);
                prop_assert_eq!((tail.len(), tail.is_empty()), (plain.len(), plain.is_empty()));
            }
        }
    }

    #[test]
    fn what_was_there_before_is_not_shown() {
        let mut tail = Tail::reusing(vec![7; 100]);
        assert!(tail.push_ready([1, 2], &[3]));
        assert_eq!(format!("{tail:?}"), "Tail([1, 2, 3])");
    }
}

//! The least that unmasking can cost: a stream of XOR over the buffer, and nothing else.
//!
//! One loop over words, in safe code, that the compiler turns into the vector instructions of the
//! target. On x86-64 it is compiled for AVX2 and AVX-512 as well, and the widest that the
//! processor has is called.

#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "a function for AVX2 may be called only where AVX2 is"
    )
)]

/// Four bytes of key, twice.
pub(crate) type Key = u64;

/// What masks a buffer in place.
pub(crate) type Stream = fn(Key, &mut [u8]);

/// The stream for this processor; what chooses it is not timed.
pub(crate) fn fastest() -> Stream {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has AVX-512, which is all that the function asks for.
            return |key, buffer| unsafe { avx512(key, buffer) };
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, which is all that the function asks for.
            return |key, buffer| unsafe { avx2(key, buffer) };
        }
    }
    stream
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(key: Key, buffer: &mut [u8]) {
    stream(key, buffer);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(key: Key, buffer: &mut [u8]) {
    stream(key, buffer);
}

#[inline(always)]
fn stream(key: Key, buffer: &mut [u8]) {
    let (words, rest) = buffer.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ key).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.to_ne_bytes()) {
        *byte ^= key;
    }
}

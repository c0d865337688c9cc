//! A library without `std` that uses `wire` and `engine`.
//!
//! It brings a panic handler of its own. `std` brings one too, and there may be only one: if any
//! dependency named `std`, this would not compile.

#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};

/// Refuses every request: this library is linked and never run.
struct NoMemory;

// SAFETY: a null pointer is how an allocator says that it has no memory, and nothing that it
// never gave out can come back to it.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static MEMORY: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Reaches both floors, so that their code is linked and not only found.
#[unsafe(no_mangle)]
pub extern "C" fn framewire_bare() -> usize {
    use framewire::engine as _;
    use framewire::wire as _;
    let bytes: Vec<u8> = Vec::with_capacity(1);
    bytes.capacity()
}

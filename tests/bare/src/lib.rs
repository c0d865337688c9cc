//! A library without `std` that uses `wire` and `engine`.
//!
//! It brings a panic handler of its own. `std` brings one too, and there may be only one: if any
//! dependency named `std`, this would not compile.

#![no_std]

extern crate alloc;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use framewire::engine::{Connection, Limits, Role, Timestamp};
use framewire::wire::close::CloseCode;

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
    let limits = Arc::new(Limits::default());
    let mut connection = Connection::new(Role::Server, limits, Timestamp::ZERO, [0; 32]);
    let mut bytes: Vec<u8> = Vec::new();
    bytes.extend_from_slice(&[0x81, 0x80, 0, 0, 0, 0]);
    let taken = connection.receive(Timestamp::ZERO, &mut bytes).consumed;
    let sent = connection.send_text(Timestamp::ZERO, "bare").map_or(0, |()| 1);
    taken + sent + CloseCode::NORMAL_CLOSURE.get() as usize
}

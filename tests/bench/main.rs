//! `framewire bench` against `framewire echo`, and against servers that do wrong.
#![expect(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "tests stand on std and stop at the first surprise"
)]

mod honest;
mod liar;
mod program;
mod stalling;
mod usage;
mod wrong;

//! Hearing messages without a thought for what is in them.

use crate::cli::bench::fault::Fault;
use crate::cli::bench::reader::Hearer;
use crate::wire::opcode::Opcode;

/// Counts messages, whatever is in them.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    pub(crate) messages: u64,
}

impl Hearer for Counting {
    fn piece(&mut self, _at: u64, _bytes: &[u8]) -> Result<(), Fault> {
        Ok(())
    }

    fn whole(&mut self, _opcode: Opcode, _bytes: u64) -> Result<(), Fault> {
        self.messages += 1;
        Ok(())
    }
}

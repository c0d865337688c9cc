//! A plan in English.
use crate::announce::schedule::plan::Plan;
use alloc::string::String;
/// x
#[must_use]
pub fn words(plan: &Plan) -> String { plan.id.clone() }

//! Upgrades of requests that hyper or axum has read.

pub mod axum;
pub mod hyper;

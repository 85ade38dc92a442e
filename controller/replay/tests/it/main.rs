//! Replay of journals that a house of these tests has recorded, whole ones and others.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod house;
mod judging;
mod what_if;

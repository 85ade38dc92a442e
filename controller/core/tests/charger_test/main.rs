//! The follow test and the cut test in a closed loop with virtual cars: what each of them is found to be, and that a
//! test never gives a car what the engine without it would not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::struct_excessive_bools,
    reason = "a test fails by panicking"
)]

mod course;
mod cut;
mod follow;
mod house;
mod no_proof;

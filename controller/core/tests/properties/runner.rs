//! Runs a property on seeds: a seed is a case, and a failing one says how to repeat it.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Checks a property on the seeds from 1 on. `HEADROOM_SEED` picks one of them, `HEADROOM_CASES` says how many.
pub(crate) fn check<S: Strategy>(
    name: &str,
    cases: u64,
    strategy: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let number = |variable| {
        let text = std::env::var(variable).ok()?;
        Some(text.parse::<u64>().unwrap())
    };
    let seeds = match number("HEADROOM_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("HEADROOM_CASES").unwrap_or(cases),
    };
    for seed in seeds {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let config = Config {
            cases: 1,
            failure_persistence: None,
            max_shrink_iters: 16,
            ..Config::default()
        };
        let outcome = TestRunner::new_with_rng(config, rng).run(strategy, &property);
        if let Err(error) = outcome {
            panic!(
                "{error}\nrepeat it: HEADROOM_SEED={seed} cargo test -p headroom-core --test properties -- --exact {name}"
            );
        }
    }
}

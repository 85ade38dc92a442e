//! The fastest device that each class of fuse allows, written apart from the core's model.

use headroom_core::config::{Characteristic, Curve};

/// One pole.
#[derive(Clone, Debug)]
pub(crate) struct Adverse {
    rating_a: f64,
    tau_s: f64,
    opens_at: f64,
    state: f64,
    /// The highest state as a share of the one at which it opens.
    pub(crate) highest: f64,
}

/// gG: rating and the least current that melts within 10 s (IEC 60269-1, Table 3).
const GATES: [(i64, f64); 7] = [
    (16, 33.0),
    (20, 42.0),
    (25, 52.0),
    (32, 75.0),
    (40, 95.0),
    (50, 125.0),
    (63, 160.0),
];

/// Ratings that the properties use.
pub(crate) fn ratings() -> Vec<i64> {
    GATES.iter().map(|(rating, _)| *rating).collect()
}

impl Adverse {
    pub(crate) fn new(characteristic: Characteristic, curve: Curve, rating_a: i64) -> Self {
        let gate = GATES
            .iter()
            .find(|(rating, _)| *rating == rating_a)
            .unwrap()
            .1;
        let rating = f64::from(i32::try_from(rating_a).unwrap());
        let times = (gate / rating).powi(2);
        let (tau_s, opens_at) = match (characteristic, curve) {
            (Characteristic::Gg, _) => (10.0 / (times / (times - 1.25_f64.powi(2))).ln(), 1.25),
            (Characteristic::Linky, _) => (125.0, 1.3),
            (_, Curve::Standard) => (4.57, 1.13),
            (_, Curve::Band) => (26.0, 1.13),
        };
        Self {
            rating_a: rating,
            tau_s,
            opens_at,
            state: 0.0,
            highest: 0.0,
        }
    }

    /// A second of this current.
    pub(crate) fn second(&mut self, amps: f64) {
        let target = (amps / self.rating_a).powi(2);
        self.state = target + (self.state - target) * (-1.0 / self.tau_s).exp();
        self.highest = self.highest.max(self.state / self.opens_at.powi(2));
    }
}

#[test]
fn it_melts_at_its_gate_in_ten_seconds() {
    for (rating, gate) in GATES {
        let mut pole = Adverse::new(Characteristic::Gg, Curve::Standard, rating);
        (0..10).for_each(|_| pole.second(gate));
        assert!((pole.highest - 1.0).abs() < 1e-9, "{rating} A");
    }
}

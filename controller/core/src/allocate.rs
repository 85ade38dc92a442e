//! Who gets how much, exactly: a pure function of demands and constraints.
//!
//! In this order (contract, section 3): the constraints; the class of priority (a lower class gets only
//! what the higher ones cannot use); as many loads of a class on as fit; max-min fairness; throughput;
//! least energy received; name.
//!
//! Invariants: no constraint is exceeded by what is granted; a grant is 0 or from `least` to `most`; a
//! load never gets less because one of a lower class asks.

use std::cmp::Ordering;

use crate::units::Milliamps;

/// Up to this many loads of one class the choice of who is on is exact, by trying all. Above it the
/// loads with the smallest footprint go first.
const EXACT_MAX: usize = 10;
/// Limits are whole amperes.
const STEP: Milliamps = Milliamps::from_amps(1);

/// What one load asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Its class; the larger is served first.
    pub class: u32,
    /// The least that it can run with.
    pub least: Milliamps,
    /// The most that it can use; below `least` it asks for nothing.
    pub most: Milliamps,
    /// Energy received so far, or another measure of it: who had less goes first.
    pub received: u64,
}

/// Something that must not be exceeded: the sum over all loads of weight times grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// What is left for the loads; nothing if negative.
    pub capacity: Milliamps,
    /// How often the current of each load counts here (0: not at all).
    pub weights: Vec<u8>,
}

/// What one load gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// How much; 0 is off.
    pub current: Milliamps,
    /// The constraint that kept it from more.
    pub bound_by: Option<usize>,
}

/// Shares out what the constraints leave. Loads come in the order of their names.
pub fn allocate(demands: &[Demand], constraints: &[Constraint]) -> Vec<Grant> {
    let mut shares = Shares::new(demands, constraints);
    let mut classes: Vec<u32> = demands.iter().map(|demand| demand.class).collect();
    classes.sort_unstable_by(|a, b| b.cmp(a));
    classes.dedup();
    for class in classes {
        let members: Vec<usize> = demands
            .iter()
            .enumerate()
            .filter(|(_, demand)| demand.class == class && demand.most >= demand.least)
            .map(|(index, _)| index)
            .collect();
        shares.serve(&members);
    }
    shares.grants
}

#[derive(Clone)]
struct Shares<'a> {
    demands: &'a [Demand],
    constraints: &'a [Constraint],
    /// What each constraint has left.
    left: Vec<Milliamps>,
    grants: Vec<Grant>,
}

impl<'a> Shares<'a> {
    fn new(demands: &'a [Demand], constraints: &'a [Constraint]) -> Self {
        Self {
            demands,
            constraints,
            left: constraints
                .iter()
                .map(|constraint| constraint.capacity)
                .collect(),
            grants: vec![Grant::default(); demands.len()],
        }
    }

    /// Serves one class: chooses who is on, then fills up.
    fn serve(&mut self, members: &[usize]) {
        let chosen = self.choose(members);
        for &member in members {
            if !chosen.contains(&member) {
                let bound = self.first_exceeded(member, self.start(member));
                self.set_bound(member, bound);
            }
        }
        self.fill(&chosen);
        // Who stays off is kept off by the constraint that has no room for it now.
        for &member in members {
            if !chosen.contains(&member) {
                let bound = self.first_exceeded(member, self.start(member));
                if bound.is_some() {
                    self.set_bound(member, bound);
                }
            }
        }
    }

    fn choose(&self, members: &[usize]) -> Vec<usize> {
        if self.fits(members) {
            return members.to_vec();
        }
        if members.len() > EXACT_MAX {
            return self.choose_smallest_first(members);
        }
        for size in (1..members.len()).rev() {
            let mut best: Option<(Vec<usize>, Self)> = None;
            for mask in 1_u32..(1 << members.len()) {
                if mask.count_ones() as usize != size {
                    continue;
                }
                let set: Vec<usize> = members
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| mask & (1 << bit) != 0)
                    .map(|(_, member)| *member)
                    .collect();
                if !self.fits(&set) {
                    continue;
                }
                let mut outcome = self.clone();
                outcome.fill(&set);
                let better = best.as_ref().is_none_or(|(best_set, best_outcome)| {
                    self.compare((&set, &outcome), (best_set, best_outcome)) == Ordering::Greater
                });
                if better {
                    best = Some((set, outcome));
                }
            }
            if let Some((set, _)) = best {
                return set;
            }
        }
        Vec::new()
    }

    /// Which of two sets of equal size is better: the greater one.
    fn compare(&self, (a_set, a): (&[usize], &Self), (b_set, b): (&[usize], &Self)) -> Ordering {
        let sorted = |set: &[usize], shares: &Self| {
            let mut currents: Vec<Milliamps> =
                set.iter().map(|member| shares.current(*member)).collect();
            currents.sort_unstable();
            currents
        };
        let total = |set: &[usize], shares: &Self| -> Milliamps {
            set.iter().map(|member| shares.current(*member)).sum()
        };
        let received = |set: &[usize]| -> u64 {
            set.iter()
                .map(|member| self.demand(*member).received)
                .fold(0, u64::saturating_add)
        };
        sorted(a_set, a)
            .cmp(&sorted(b_set, b))
            .then_with(|| total(a_set, a).cmp(&total(b_set, b)))
            .then_with(|| received(b_set).cmp(&received(a_set)))
            .then_with(|| b_set.cmp(a_set))
    }

    fn choose_smallest_first(&self, members: &[usize]) -> Vec<usize> {
        let mut order = members.to_vec();
        order.sort_by_key(|&member| {
            let weight: i64 = self
                .constraints
                .iter()
                .map(|constraint| i64::from(weight(constraint, member)))
                .sum();
            (
                weight.saturating_mul(self.start(member).0),
                self.demand(member).received,
                member,
            )
        });
        let mut chosen: Vec<usize> = Vec::new();
        for member in order {
            chosen.push(member);
            if !self.fits(&chosen) {
                chosen.pop();
            }
        }
        chosen.sort_unstable();
        chosen
    }

    fn fits(&self, set: &[usize]) -> bool {
        self.constraints
            .iter()
            .zip(&self.left)
            .all(|(constraint, left)| {
                let used: i64 = set
                    .iter()
                    .map(|&member| {
                        i64::from(weight(constraint, member)).saturating_mul(self.start(member).0)
                    })
                    .sum();
                used == 0 || used <= left.0
            })
    }

    /// Gives each of a set the least, then ampere by ampere to who has the least of them.
    fn fill(&mut self, set: &[usize]) {
        let mut open: Vec<usize> = set.to_vec();
        // Who received less goes first where the last ampere does not go round.
        open.sort_by_key(|&member| (self.demand(member).received, member));
        for &member in &open {
            let start = self.start(member);
            self.give(member, start);
        }
        while let Some(lowest) = open.iter().map(|&member| self.current(member)).min() {
            open.retain(|&member| {
                if self.current(member) != lowest {
                    return true;
                }
                if self.current(member) + STEP > self.demand(member).most {
                    return false;
                }
                if let Some(bound) = self.first_exceeded(member, STEP) {
                    self.set_bound(member, Some(bound));
                    return false;
                }
                self.give(member, STEP);
                true
            });
        }
    }

    fn give(&mut self, member: usize, current: Milliamps) {
        for (constraint, left) in self.constraints.iter().zip(&mut self.left) {
            left.0 = left
                .0
                .saturating_sub(i64::from(weight(constraint, member)).saturating_mul(current.0));
        }
        if let Some(grant) = self.grants.get_mut(member) {
            grant.current += current;
        }
    }

    fn first_exceeded(&self, member: usize, more: Milliamps) -> Option<usize> {
        self.constraints
            .iter()
            .zip(&self.left)
            .position(|(constraint, left)| {
                let weight = i64::from(weight(constraint, member));
                weight > 0 && weight.saturating_mul(more.0) > left.0
            })
    }

    fn set_bound(&mut self, member: usize, bound: Option<usize>) {
        if let Some(grant) = self.grants.get_mut(member) {
            grant.bound_by = bound;
        }
    }

    fn current(&self, member: usize) -> Milliamps {
        self.grants
            .get(member)
            .map(|grant| grant.current)
            .unwrap_or_default()
    }

    fn demand(&self, member: usize) -> Demand {
        self.demands.get(member).copied().unwrap_or(Demand {
            class: 0,
            least: Milliamps(1),
            most: Milliamps::ZERO,
            received: 0,
        })
    }

    /// What a load is given first: its least, in whole amperes where it can use them.
    fn start(&self, member: usize) -> Milliamps {
        let demand = self.demand(member);
        let whole = (demand.least + STEP - Milliamps(1)).floor_to_amps();
        if whole <= demand.most {
            whole
        } else {
            demand.least
        }
    }
}

fn weight(constraint: &Constraint, member: usize) -> u8 {
    constraint.weights.get(member).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn amps(amps: i64) -> Milliamps {
        Milliamps::from_amps(amps)
    }

    fn ev(class: u32, most: i64) -> Demand {
        Demand {
            class,
            least: amps(6),
            most: amps(most),
            received: 0,
        }
    }

    fn line(capacity: i64, loads: usize) -> Constraint {
        Constraint {
            capacity: amps(capacity),
            weights: vec![1; loads],
        }
    }

    fn currents(demands: &[Demand], constraints: &[Constraint]) -> Vec<i64> {
        allocate(demands, constraints)
            .iter()
            .map(|grant| grant.current.0 / 1000)
            .collect()
    }

    #[test]
    fn table() {
        // (demands, capacity of the one line that all share, grants)
        let cases: [(&[Demand], i64, &[i64]); 9] = [
            (&[ev(1, 16)], 20, &[16]),
            (&[ev(1, 16)], 10, &[10]),
            (&[ev(1, 16)], 5, &[0]),
            (&[ev(1, 16), ev(1, 16)], 20, &[10, 10]),
            (&[ev(1, 16), ev(1, 16)], 21, &[11, 10]),
            (&[ev(1, 16), ev(1, 16)], 11, &[11, 0]),
            (&[ev(1, 16), ev(2, 16)], 20, &[0, 16]),
            (&[ev(1, 16), ev(2, 16)], 22, &[6, 16]),
            (&[ev(1, 16), ev(1, 16)], -3, &[0, 0]),
        ];
        for (demands, capacity, expected) in cases {
            assert_eq!(
                currents(demands, &[line(capacity, demands.len())]),
                expected,
                "{capacity}"
            );
        }
    }

    #[test]
    fn more_loads_on_goes_before_more_current() {
        // One three-phase car or two one-phase cars: the two.
        let demands = [ev(1, 16), ev(1, 16), ev(1, 16)];
        let constraints = [
            Constraint {
                capacity: amps(10),
                weights: vec![1, 1, 0],
            },
            Constraint {
                capacity: amps(10),
                weights: vec![1, 0, 1],
            },
        ];
        assert_eq!(currents(&demands, &constraints), [0, 10, 10]);
    }

    #[test]
    fn who_received_less_goes_first() {
        let mut demands = [ev(1, 16), ev(1, 16)];
        demands[0].received = 5;
        assert_eq!(currents(&demands, &[line(11, 2)]), [0, 11]);
        assert_eq!(currents(&demands, &[line(13, 2)]), [6, 7]);
    }

    #[test]
    fn the_binding_constraint_is_named() {
        let constraints = [line(30, 1), line(9, 1)];
        assert_eq!(allocate(&[ev(1, 16)], &constraints)[0].bound_by, Some(1));
        assert_eq!(allocate(&[ev(1, 16)], &[line(30, 1)])[0].bound_by, None);
        assert_eq!(allocate(&[ev(1, 16)], &[line(3, 1)])[0].bound_by, Some(0));
    }

    fn worlds() -> impl Strategy<Value = (Vec<Demand>, Vec<Constraint>)> {
        (1_usize..7).prop_flat_map(|loads| {
            let demand = (0_u32..3, 6_i64..9, 0_i64..12, 0_u64..4).prop_map(
                |(class, least, more, received)| Demand {
                    class,
                    least: amps(least),
                    most: amps(least + more),
                    received,
                },
            );
            let constraint = (-3_000_i64..60_000, prop::collection::vec(0_u8..2, loads)).prop_map(
                |(capacity, weights)| Constraint {
                    capacity: Milliamps(capacity),
                    weights,
                },
            );
            (
                prop::collection::vec(demand, loads),
                prop::collection::vec(constraint, 1..5),
            )
        })
    }

    /// What the order of the contract says of one class, by trying every set and every current.
    fn brute_force_on_count(demands: &[Demand], constraints: &[Constraint], class: u32) -> usize {
        let members: Vec<usize> = (0..demands.len())
            .filter(|&i| demands[i].class == class)
            .collect();
        (0_u32..(1 << members.len()))
            .filter(|mask| {
                constraints.iter().all(|constraint| {
                    let used: i64 = members
                        .iter()
                        .enumerate()
                        .filter(|(bit, _)| mask & (1 << bit) != 0)
                        .map(|(_, &m)| i64::from(constraint.weights[m]) * demands[m].least.0)
                        .sum();
                    used == 0 || used <= constraint.capacity.0
                })
            })
            .map(|mask| mask.count_ones() as usize)
            .max()
            .unwrap_or(0)
    }

    proptest! {
        #[test]
        fn constraints_hold_and_grants_are_zero_or_in_range((demands, constraints) in worlds()) {
            let grants = allocate(&demands, &constraints);
            for constraint in &constraints {
                let used: i64 = grants
                    .iter()
                    .zip(&constraint.weights)
                    .map(|(grant, weight)| grant.current.0 * i64::from(*weight))
                    .sum();
                prop_assert!(used == 0 || used <= constraint.capacity.0);
            }
            for (grant, demand) in grants.iter().zip(&demands) {
                let current = grant.current;
                prop_assert!(
                    current == Milliamps::ZERO || (demand.least..=demand.most).contains(&current)
                );
            }
        }

        #[test]
        fn a_lower_class_takes_nothing_from_a_higher((demands, constraints) in worlds()) {
            let all = allocate(&demands, &constraints);
            let highest = demands.iter().map(|demand| demand.class).max().unwrap();
            let alone: Vec<Demand> = demands
                .iter()
                .map(|demand| Demand {
                    most: if demand.class == highest { demand.most } else { Milliamps::ZERO },
                    ..*demand
                })
                .collect();
            let alone = allocate(&alone, &constraints);
            for (index, demand) in demands.iter().enumerate() {
                if demand.class == highest {
                    prop_assert_eq!(all[index].current, alone[index].current);
                }
            }
        }

        #[test]
        fn as_many_of_the_highest_class_are_on_as_fit((demands, constraints) in worlds()) {
            let highest = demands.iter().map(|demand| demand.class).max().unwrap();
            let on = allocate(&demands, &constraints)
                .iter()
                .zip(&demands)
                .filter(|(grant, demand)| {
                    demand.class == highest && grant.current > Milliamps::ZERO
                })
                .count();
            prop_assert_eq!(on, brute_force_on_count(&demands, &constraints, highest));
        }
    }
}

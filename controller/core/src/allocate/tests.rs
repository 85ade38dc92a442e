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
        in_turn: false,
        phases: 1,
        using: Use::All,
    }
}

fn three(most: i64, using: Use) -> Demand {
    Demand {
        phases: 3,
        using,
        ..ev(1, most)
    }
}

fn line(capacity: i64, loads: usize) -> Constraint {
    Constraint {
        capacity: amps(capacity),
        weights: vec![1; loads].into(),
        on_one: vec![1; loads].into(),
    }
}

/// The lines L1, L2 and L3; each load's first terminal is on its own line.
fn lines(capacities: [i64; 3], firsts: &[usize]) -> Vec<Constraint> {
    capacities
        .iter()
        .enumerate()
        .map(|(line, capacity)| Constraint {
            capacity: amps(*capacity),
            weights: vec![1; firsts.len()].into(),
            on_one: firsts
                .iter()
                .map(|first| u8::from(*first == line))
                .collect(),
        })
        .collect()
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
    let constraints = [[1, 1, 0], [1, 0, 1]].map(|weights| Constraint {
        capacity: amps(10),
        on_one: weights.into(),
        weights: weights.into(),
    });
    assert_eq!(currents(&demands, &constraints), [0, 10, 10]);
}

#[test]
fn the_last_ampere_goes_to_as_many_as_can_have_it() {
    // The load on both lines had least, but two others can have the ampere that it would take.
    let mut demands = [ev(1, 16), ev(1, 16), ev(1, 16)];
    (demands[1].received, demands[2].received) = (5, 5);
    let constraints = [[1, 1, 0], [1, 0, 1]].map(|weights| Constraint {
        capacity: amps(13),
        on_one: weights.into(),
        weights: weights.into(),
    });
    assert_eq!(currents(&demands, &constraints), [6, 7, 7]);
}

#[test]
fn who_received_less_goes_first() {
    let mut demands = [ev(1, 16), ev(1, 16)];
    demands[0].received = 5;
    assert_eq!(currents(&demands, &[line(11, 2)]), [0, 11]);
    assert_eq!(currents(&demands, &[line(13, 2)]), [6, 7]);
}

#[test]
fn who_is_in_its_turn_is_not_stopped_for_an_equal_that_would_get_more() {
    // One of the two on a common circuit; the second has more room on its line.
    let mut demands = [ev(1, 16), ev(1, 16)];
    let rows = |weights: [u8; 2], capacity| Constraint {
        capacity: amps(capacity),
        weights: weights.into(),
        on_one: weights.into(),
    };
    let constraints = [rows([1, 1], 11), rows([1, 0], 8), rows([0, 1], 9)];
    assert_eq!(currents(&demands, &constraints), [0, 9]);
    demands[0].in_turn = true;
    assert_eq!(currents(&demands, &constraints), [8, 0]);
}

#[test]
fn one_phase_only_where_all_do_not_fit() {
    let grants = |capacities, using| allocate(&[three(16, using)], &lines(capacities, &[0]));
    let on = |grants: Vec<Grant>| (grants[0].current.0 / 1000, grants[0].one_phase);
    // Three phases with 6 A rather than one with 16 A.
    assert_eq!(on(grants([16, 6, 6], Use::Either)), (6, false));
    assert_eq!(on(grants([16, 5, 6], Use::Either)), (16, true));
    assert_eq!(on(grants([16, 5, 6], Use::All)), (0, false));
    assert_eq!(on(grants([5, 16, 16], Use::Either)), (0, false));
    assert_eq!(on(grants([16, 16, 16], Use::One)), (16, true));
}

#[test]
fn one_phase_lets_another_be_on() {
    // Two chargers with their first terminals on different lines, of which L3 has room for one.
    let demands = [three(16, Use::Either), three(16, Use::Either)];
    let grants = allocate(&demands, &lines([16, 16, 8], &[0, 1]));
    assert!(grants.iter().all(|grant| grant.current >= amps(6)));
    assert_eq!(grants.iter().filter(|grant| grant.one_phase).count(), 1);
    // The one that had less gets the three phases.
    let more = Demand {
        received: 7,
        ..demands[0]
    };
    let grants = allocate(&[more, demands[1]], &lines([16, 16, 8], &[0, 1]));
    assert!(grants[0].one_phase && !grants[1].one_phase);
}

#[test]
fn the_binding_constraint_is_named() {
    let constraints = [line(30, 1), line(9, 1)];
    assert_eq!(allocate(&[ev(1, 16)], &constraints)[0].bound_by, Some(1));
    assert_eq!(allocate(&[ev(1, 16)], &[line(30, 1)])[0].bound_by, None);
    assert_eq!(allocate(&[ev(1, 16)], &[line(3, 1)])[0].bound_by, Some(0));
}

fn demand() -> impl Strategy<Value = Demand> {
    (
        (0_u32..3, 6_i64..8, -1_i64..4, 0_u64..4),
        (0_u8..8, any::<bool>()),
    )
        .prop_map(
            |((class, least, more, received), (using, three_phase))| Demand {
                class,
                least: amps(least),
                most: amps(least + more),
                received,
                in_turn: received == 0,
                phases: if three_phase { 3 } else { 1 },
                using: match using {
                    _ if !three_phase => Use::All,
                    0 | 1 => Use::All,
                    2 => Use::One,
                    _ => Use::Either,
                },
            },
        )
}

/// Chargers on three lines behind nested circuits: the main fuse, a circuit behind it, and one behind that.
fn houses() -> impl Strategy<Value = (Vec<Demand>, Vec<Constraint>)> {
    let load = (demand(), 0_usize..3, 0_usize..3);
    (
        prop::collection::vec(load, 1..=6),
        prop::collection::vec(-2_000_i64..34_000, 9),
        any::<bool>(),
    )
        .prop_map(|(mut loads, capacities, equals)| {
            if equals {
                for (demand, ..) in &mut loads {
                    demand.class = 1;
                }
            }
            let constraints = capacities
                .into_iter()
                .enumerate()
                .map(|(row, capacity)| {
                    let (circuit, line) = (row / 3, row % 3);
                    let weights = |one_phase: bool| {
                        loads
                            .iter()
                            .map(|(demand, depth, first)| {
                                let wide = demand.phases == 3 && !one_phase;
                                u8::from(*depth >= circuit && (wide || *first == line))
                            })
                            .collect()
                    };
                    Constraint {
                        capacity: Milliamps(capacity),
                        weights: weights(false),
                        on_one: weights(true),
                    }
                })
                .collect();
            (
                loads.into_iter().map(|(demand, ..)| demand).collect(),
                constraints,
            )
        })
}

/// How good a choice for a class is, in the words of the contract and of the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Goodness {
    on: usize,
    not_on_one: std::cmp::Reverse<usize>,
    in_turn: usize,
    fairness: Vec<i64>,
    throughput: i64,
    owed: Vec<i64>,
}

fn goodness(demands: &[Demand], members: &[usize], gets: &[(i64, bool)]) -> Goodness {
    let on = || members.iter().zip(gets).filter(|(_, get)| get.0 > 0);
    let amount = |member: usize, (current, one): (i64, bool)| {
        current
            * if one {
                1
            } else {
                i64::from(demands[member].phases)
            }
    };
    let mut fairness: Vec<i64> = on().map(|(_, get)| get.0).collect();
    fairness.sort_unstable();
    let mut owed: Vec<(u64, usize, i64)> = members
        .iter()
        .zip(gets)
        .map(|(member, get)| (demands[*member].received, *member, amount(*member, *get)))
        .collect();
    owed.sort_unstable();
    Goodness {
        on: on().count(),
        not_on_one: std::cmp::Reverse(on().filter(|(_, get)| get.1).count()),
        in_turn: on().filter(|(member, _)| demands[**member].in_turn).count(),
        fairness,
        throughput: on().map(|(_, get)| get.0).sum(),
        owed: owed.into_iter().map(|(.., amount)| amount).collect(),
    }
}

/// Tries every current of every member of a class on all phases and on one.
fn brute_force(
    demands: &[Demand],
    constraints: &[Constraint],
    members: &[usize],
    left: &[i64],
    gets: &mut Vec<(i64, bool)>,
    best: &mut Goodness,
) {
    let Some(&member) = members.get(gets.len()) else {
        *best = goodness(demands, members, gets).max(best.clone());
        return;
    };
    let demand = demands[member];
    let mut tries = vec![(0, false)];
    for one in [false, true] {
        let may = match demand.using {
            Use::All => !one,
            Use::One => one,
            Use::Either => true,
        };
        if may {
            let range = demand.least.0 / 1000..=demand.most.0 / 1000;
            tries.extend(range.map(|current| (current * 1000, one)));
        }
    }
    for (current, one) in tries {
        let weight = |constraint: &Constraint| {
            i64::from(if one {
                constraint.on_one[member]
            } else {
                constraint.weights[member]
            })
        };
        let used = || {
            constraints
                .iter()
                .map(|constraint| weight(constraint) * current)
        };
        if used()
            .zip(left)
            .all(|(used, left)| used == 0 || used <= *left)
        {
            let left: Vec<i64> = used().zip(left).map(|(used, left)| left - used).collect();
            gets.push((current, one));
            brute_force(demands, constraints, members, &left, gets, best);
            gets.pop();
        }
    }
}

/// What grants take of a constraint.
fn used(grants: &[Grant], constraint: &Constraint) -> i64 {
    grants
        .iter()
        .enumerate()
        .map(|(load, grant)| grant.current.0 * constraint.weight(load, grant.one_phase))
        .sum()
}

proptest! {
    /// A house asks again and again, with a little more or less left, a load that had more by now, and loads that
    /// cannot use whole amperes.
    #[test]
    fn what_is_remembered_is_what_would_be_shared_out_now(
        (demands, constraints) in houses(),
        changes in prop::collection::vec((0_usize..9, -1_300_i64..1_300, 0_usize..6, 0_u64..3, 0_i64..8), 1..20),
    ) {
        let (mut demands, mut constraints) = (demands, constraints);
        let mut memory = Memory::default();
        for (row, more, load, received, odd) in changes {
            constraints[row].capacity.0 += more;
            if let Some(demand) = demands.get_mut(load) {
                demand.received += received;
                let odd = Milliamps(if odd == 0 { 370 } else { 0 });
                (demand.least, demand.most) = (demand.least + odd, demand.most + odd);
            }
            let now = allocate(&demands, &constraints);
            prop_assert_eq!(memory.allocate(&demands, constraints.clone()), now);
        }
    }

    #[test]
    fn constraints_hold_and_grants_are_zero_or_in_range((demands, constraints) in houses()) {
        let grants = allocate(&demands, &constraints);
        for constraint in &constraints {
            let used = used(&grants, constraint);
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
    fn a_lower_class_takes_nothing_from_a_higher((demands, constraints) in houses()) {
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
    fn allocation_equals_brute_force_up_to_six_chargers((demands, constraints) in houses()) {
        let grants = allocate(&demands, &constraints);
        let mut left: Vec<i64> = constraints.iter().map(|c| c.capacity.0).collect();
        for class in (0..3).rev() {
            let members: Vec<usize> = (0..demands.len())
                .filter(|i| demands[*i].class == class && demands[*i].most >= demands[*i].least)
                .collect();
            let gets: Vec<(i64, bool)> = members
                .iter()
                .map(|member| (grants[*member].current.0, grants[*member].one_phase))
                .collect();
            let mut best = Goodness::default();
            brute_force(&demands, &constraints, &members, &left, &mut Vec::new(), &mut best);
            let own = goodness(&demands, &members, &gets);
            prop_assert_eq!(&own, &best, "class {} of {:?}", class, grants);
            for (left, constraint) in left.iter_mut().zip(&constraints) {
                let class: Vec<Grant> = (0..demands.len())
                    .map(|load| if members.contains(&load) { grants[load] } else { Grant::default() })
                    .collect();
                *left -= used(&class, constraint);
            }
        }
    }

    #[test]
    fn renaming_lines_and_circuits_changes_nothing((demands, mut constraints) in houses()) {
        let before = allocate(&demands, &constraints);
        constraints.reverse();
        let after = allocate(&demands, &constraints);
        for (before, after) in before.iter().zip(&after) {
            prop_assert_eq!((before.current, before.one_phase), (after.current, after.one_phase));
        }
    }
}

//! Fair shares of what several limits leave: the allocation of the reference controllers.

/// What wants a share.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its class: the larger number is served first.
    pub class: u32,
    /// The limits that it counts on.
    pub rows: Vec<usize>,
    /// Least that it can use besides nothing, in amperes.
    pub least_a: f64,
    /// Most that it can use, in amperes.
    pub most_a: f64,
}

/// Rounding of sums of amperes.
const EPSILON: f64 = 1e-9;

/// Gives each claim its share, class by class: in the given order as many as fit get their least, then all
/// of them rise together until a limit or their most holds them.
pub fn fair(room_a: &[f64], claims: &[Claim], order: &[usize]) -> Vec<f64> {
    let mut room = room_a.to_vec();
    let mut shares = vec![0.0; claims.len()];
    for class in classes(claims) {
        serve(&mut room, claims, order, class, &mut shares);
    }
    shares
}

/// Whether shares are within what every limit leaves.
pub(super) fn all_fit(room_a: &[f64], claims: &[Claim], shares: &[f64]) -> bool {
    let mut room = room_a.to_vec();
    for (claim, share) in claims.iter().zip(shares) {
        give(&mut room, &claim.rows, *share);
    }
    // What the house alone takes of a limit is none of their doing.
    let before = room.iter().zip(room_a);
    before
        .into_iter()
        .all(|(left, room)| *left >= room.min(0.0) - EPSILON)
}

/// The classes, the one that is served first in front.
pub(super) fn classes(claims: &[Claim]) -> Vec<u32> {
    let mut classes: Vec<u32> = claims.iter().map(|claim| claim.class).collect();
    classes.sort_unstable_by(|a, b| b.cmp(a));
    classes.dedup();
    classes
}

fn serve(room: &mut [f64], claims: &[Claim], order: &[usize], class: u32, shares: &mut [f64]) {
    let mut rising = Vec::new();
    for index in order.iter().copied() {
        let Some(claim) = claims.get(index).filter(|claim| claim.class == class) else {
            continue;
        };
        let fits = claim.rows.iter().all(|row| {
            room.get(*row)
                .is_none_or(|room| *room >= claim.least_a - EPSILON)
        });
        if fits && claim.most_a >= claim.least_a - EPSILON {
            give(room, &claim.rows, claim.least_a);
            if let Some(share) = shares.get_mut(index) {
                *share = claim.least_a;
            }
            rising.push(index);
        }
    }
    while !rising.is_empty() {
        let mut rise = f64::INFINITY;
        let mut count = vec![0.0; room.len()];
        for index in &rising {
            let (Some(claim), Some(share)) = (claims.get(*index), shares.get(*index)) else {
                continue;
            };
            rise = rise.min(claim.most_a - share);
            for row in &claim.rows {
                if let Some(count) = count.get_mut(*row) {
                    *count += 1.0;
                }
            }
        }
        for (room, count) in room.iter().zip(&count) {
            if *count > 0.0 {
                rise = rise.min(room / count);
            }
        }
        let rise = rise.max(0.0);
        for index in &rising {
            if let (Some(claim), Some(share)) = (claims.get(*index), shares.get_mut(*index)) {
                *share += rise;
                give(room, &claim.rows, rise);
            }
        }
        let before = rising.len();
        rising.retain(|index| {
            claims
                .get(*index)
                .zip(shares.get(*index))
                .is_some_and(|(claim, share)| {
                    claim.most_a - share > EPSILON
                        && claim
                            .rows
                            .iter()
                            .all(|row| room.get(*row).is_none_or(|room| *room > EPSILON))
                })
        });
        if rising.len() == before {
            break;
        }
    }
}

fn give(room: &mut [f64], rows: &[usize], amps: f64) {
    for row in rows {
        if let Some(room) = room.get_mut(*row) {
            *room -= amps;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(rows: &[usize], most_a: f64) -> Claim {
        Claim {
            class: 1,
            rows: rows.to_vec(),
            least_a: 6.0,
            most_a,
        }
    }

    #[test]
    fn shares_are_equal_until_a_limit_holds_one_of_them() {
        let claims = [claim(&[0], 32.0), claim(&[0], 8.0), claim(&[1], 32.0)];
        let shares = fair(&[20.0, 10.0], &claims, &[0, 1, 2]);
        assert_eq!(shares, [12.0, 8.0, 10.0]);
    }

    #[test]
    fn who_does_not_fit_waits() {
        let claims = [claim(&[0], 16.0), claim(&[0], 16.0)];
        assert_eq!(fair(&[10.0], &claims, &[1, 0]), [0.0, 10.0]);
        assert_eq!(fair(&[5.9], &claims, &[1, 0]), [0.0, 0.0]);
    }

    #[test]
    fn a_lower_class_gets_what_the_higher_leaves() {
        let high = Claim {
            class: 2,
            ..claim(&[0], 16.0)
        };
        let claims = [claim(&[0], 16.0), high];
        assert_eq!(fair(&[25.0], &claims, &[0, 1]), [9.0, 16.0]);
        assert_eq!(fair(&[21.0], &claims, &[0, 1]), [0.0, 16.0]);
    }
}

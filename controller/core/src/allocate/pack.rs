//! How many of each kind fit: an exact search, cheap because equals are not told apart.

/// So many packings that are equally good are looked at.
const FOUND_MAX: usize = 1_000;

/// Members that nothing but energy and name tells apart.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// How many they are.
    pub(super) size: usize,
    /// What one of them takes of each constraint on all of its phases, if it may be used so.
    pub(super) all: Option<Vec<i64>>,
    /// The same on one phase.
    pub(super) one: Option<Vec<i64>>,
}

/// How many of a group are on, on all of their phases and on one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) all: usize,
    pub(super) one: usize,
}

/// All packings with the most members, and among these the fewest on one phase.
///
/// The search stops after so many nodes; what it has found by then holds.
pub(super) fn pack(groups: &[Group], left: &[i64], nodes: usize) -> Vec<Vec<Count>> {
    let mut search = Search::new(groups, left, nodes);
    search.descend();
    search.found
}

struct Search<'g> {
    groups: &'g [Group],
    /// How many members can be on at most from each group on.
    rest: Vec<usize>,
    left: Vec<i64>,
    counts: Vec<Count>,
    on: usize,
    ones: usize,
    /// The most members, and how many of them on one phase.
    best: Option<(usize, usize)>,
    found: Vec<Vec<Count>>,
    nodes: usize,
}

impl<'g> Search<'g> {
    fn new(groups: &'g [Group], left: &[i64], nodes: usize) -> Self {
        let mut rest: Vec<usize> = groups
            .iter()
            .rev()
            .scan(0, |sum, group| {
                let (all, one) = group.fitting(left);
                *sum += group.size.min(all + one);
                Some(*sum)
            })
            .collect();
        rest.reverse();
        rest.push(0);
        Self {
            groups,
            rest,
            left: left.to_vec(),
            counts: Vec::with_capacity(groups.len()),
            on: 0,
            ones: 0,
            best: None,
            found: Vec::new(),
            nodes,
        }
    }

    fn descend(&mut self) {
        if self.nodes == 0 {
            return;
        }
        self.nodes -= 1;
        let at = self.counts.len();
        let groups = self.groups;
        let Some(group) = groups.get(at) else {
            self.leaf();
            return;
        };
        // More than fit alone need not be tried: there may be hundreds of equals.
        let (all, one) = group.fitting(&self.left);
        let after = self.rest.get(at + 1).copied().unwrap_or(0);
        for on in (0..=group.size.min(all + one)).rev() {
            // Fewer of this group are more hopeless still.
            if self.nodes == 0 || self.is_hopeless(on + after, on.saturating_sub(all)) {
                break;
            }
            for one in on.saturating_sub(all)..=on.min(one) {
                if self.is_hopeless(on + after, one) {
                    break;
                }
                let count = Count { all: on - one, one };
                if self.take(group, count) {
                    self.counts.push(count);
                    self.on += on;
                    self.ones += one;
                    self.descend();
                    self.ones -= one;
                    self.on -= on;
                    self.counts.pop();
                    self.put_back(group, count);
                }
            }
        }
    }

    /// Whether nothing as good as the best can come of so many more members.
    fn is_hopeless(&self, more: usize, one: usize) -> bool {
        self.best.is_some_and(|(on, ones)| {
            self.on + more < on || (self.on + more == on && self.ones + one > ones)
        })
    }

    fn leaf(&mut self) {
        let better = self
            .best
            .is_none_or(|(on, ones)| self.on > on || (self.on == on && self.ones < ones));
        if better {
            self.best = Some((self.on, self.ones));
            self.found.clear();
        }
        if self.best == Some((self.on, self.ones)) && self.found.len() < FOUND_MAX {
            self.found.push(self.counts.clone());
        }
    }

    /// Takes what so many need, if it is there.
    fn take(&mut self, group: &Group, count: Count) -> bool {
        let may =
            (count.all == 0 || group.all.is_some()) && (count.one == 0 || group.one.is_some());
        if !may {
            return false;
        }
        let fits = (0..self.left.len()).all(|row| {
            let used = group.used(count, row);
            used == 0 || self.left.get(row).is_some_and(|left| used <= *left)
        });
        if fits {
            for (row, left) in self.left.iter_mut().enumerate() {
                *left = left.saturating_sub(group.used(count, row));
            }
        }
        fits
    }

    fn put_back(&mut self, group: &Group, count: Count) {
        for (row, left) in self.left.iter_mut().enumerate() {
            *left = left.saturating_add(group.used(count, row));
        }
    }
}

impl Group {
    /// How many fit at most where nobody else comes: on all of their phases, and on one.
    fn fitting(&self, left: &[i64]) -> (usize, usize) {
        let most = |column: &Option<Vec<i64>>| {
            let Some(column) = column else {
                return 0;
            };
            let rows = column.iter().zip(left).filter(|(need, _)| **need > 0);
            let fits = rows.map(|(need, left)| usize::try_from(left / need).unwrap_or_default());
            fits.min().unwrap_or(self.size).min(self.size)
        };
        (most(&self.all), most(&self.one))
    }

    /// The least that a member takes of all constraints together.
    pub(super) fn least(&self) -> i64 {
        let sum = |column: &Vec<i64>| column.iter().copied().fold(0, i64::saturating_add);
        let all = self.all.as_ref().map(sum);
        let one = self.one.as_ref().map(sum);
        all.into_iter().chain(one).min().unwrap_or(0)
    }

    /// What so many take of a constraint.
    fn used(&self, count: Count, row: usize) -> i64 {
        let times = |column: &Option<Vec<i64>>, count: usize| {
            let one = column.as_ref().and_then(|column| column.get(row).copied());
            one.unwrap_or(0)
                .saturating_mul(i64::try_from(count).unwrap_or(i64::MAX))
        };
        times(&self.all, count.all).saturating_add(times(&self.one, count.one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundreds_of_equals_on_each_line_take_a_few_nodes() {
        let on_line = |line: usize| Group {
            size: 167,
            all: Some(
                (0..3)
                    .map(|row| if row == line { 6_000 } else { 0 })
                    .collect(),
            ),
            one: None,
        };
        let groups = [0, 1, 2].map(on_line);
        let mut search = Search::new(&groups, &[600_000; 3], 1_000);
        search.descend();
        assert_eq!(search.found, [vec![Count { all: 100, one: 0 }; 3]]);
        assert!(search.nodes >= 990, "{} nodes are left", search.nodes);
    }
}

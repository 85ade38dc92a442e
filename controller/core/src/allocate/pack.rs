//! How many of each kind fit: an exact search, cheap because equals are not told apart.

use std::cmp::Ordering;

/// So many packings that are equally good are given at most.
const FOUND_MAX: usize = 1_000;

/// Members that nothing but energy and name tells apart.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// How many they are.
    pub(super) size: usize,
    /// What one of them takes on all of its phases, if it may be used so.
    pub(super) all: Option<Needs>,
    /// The same on one phase.
    pub(super) one: Option<Needs>,
}

/// What a member takes of the constraints in which it counts: their places, and how much of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Needs(Vec<(usize, i64)>);

/// How many of a group are on, on all of their phases and on one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) all: usize,
    pub(super) one: usize,
}

/// Packings with the most members, and among these the fewest on one phase: all of them, or the first so many.
///
/// The search stops after so many nodes; what it has found by then holds.
pub(super) fn pack(groups: &[Group], left: &[i64], nodes: usize, enough: usize) -> Vec<Vec<Count>> {
    let mut search = Search::new(groups, left, nodes, enough);
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
    /// More than so many equally good ones are not looked for.
    enough: usize,
    nodes: usize,
}

impl<'g> Search<'g> {
    fn new(groups: &'g [Group], left: &[i64], nodes: usize, enough: usize) -> Self {
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
            enough: enough.clamp(1, FOUND_MAX),
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

    /// Whether nothing as good as the best, or nothing better if there are enough of these, can come of so many more
    /// members.
    fn is_hopeless(&self, more: usize, one: usize) -> bool {
        self.best.is_some_and(
            |best| match Self::compare((self.on + more, self.ones + one), best) {
                Ordering::Less => true,
                Ordering::Equal => self.found.len() >= self.enough,
                Ordering::Greater => false,
            },
        )
    }

    /// More members are better, and among as many fewer on one phase.
    fn compare((on, ones): (usize, usize), (best_on, best_ones): (usize, usize)) -> Ordering {
        on.cmp(&best_on).then(best_ones.cmp(&ones))
    }

    fn leaf(&mut self) {
        let this = (self.on, self.ones);
        if self
            .best
            .is_none_or(|best| Self::compare(this, best).is_gt())
        {
            self.best = Some(this);
            self.found.clear();
        }
        if self.best == Some(this) && self.found.len() < self.enough {
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
        self.change(group, count, -1);
        let fits = group.uses(count).all(|(needs, _)| needs.is_met(&self.left));
        if !fits {
            self.put_back(group, count);
        }
        fits
    }

    fn put_back(&mut self, group: &Group, count: Count) {
        self.change(group, count, 1);
    }

    fn change(&mut self, group: &Group, count: Count, sign: i64) {
        for (needs, times) in group.uses(count) {
            let times = i64::try_from(times)
                .unwrap_or(i64::MAX)
                .saturating_mul(sign);
            for (row, need) in &needs.0 {
                if let Some(left) = self.left.get_mut(*row) {
                    *left = left.saturating_add(need.saturating_mul(times));
                }
            }
        }
    }
}

impl Needs {
    /// From how much is taken of each constraint, in their order.
    pub(super) fn new(column: impl Iterator<Item = i64>) -> Self {
        Self(column.enumerate().filter(|(_, need)| *need > 0).collect())
    }

    /// How often it is there.
    fn times(&self, left: &[i64]) -> Option<usize> {
        let times = self.0.iter().map(|(row, need)| {
            let left = left.get(*row).copied().unwrap_or(0);
            usize::try_from(left / need).unwrap_or_default()
        });
        times.min()
    }

    /// Whether nothing that it takes of is overdrawn.
    fn is_met(&self, left: &[i64]) -> bool {
        self.0
            .iter()
            .all(|(row, _)| left.get(*row).is_some_and(|left| *left >= 0))
    }

    fn sum(&self) -> i64 {
        self.0
            .iter()
            .fold(0, |sum, (_, need)| sum.saturating_add(*need))
    }
}

impl Group {
    /// How many fit at most where nobody else comes: on all of their phases, and on one.
    fn fitting(&self, left: &[i64]) -> (usize, usize) {
        let most = |needs: &Option<Needs>| {
            let fits = |needs: &Needs| needs.times(left).unwrap_or(self.size);
            needs.as_ref().map_or(0, fits).min(self.size)
        };
        (most(&self.all), most(&self.one))
    }

    /// The least that a member takes of all constraints together.
    pub(super) fn least(&self) -> i64 {
        let both = self.all.iter().chain(&self.one);
        both.map(Needs::sum).min().unwrap_or(0)
    }

    /// What so many take, and how often.
    fn uses(&self, count: Count) -> impl Iterator<Item = (&Needs, usize)> {
        let all = self.all.iter().map(move |needs| (needs, count.all));
        let one = self.one.iter().map(move |needs| (needs, count.one));
        all.chain(one).filter(|(_, times)| *times > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundreds_of_equals_on_each_line_take_a_few_nodes() {
        let on_line = |line: usize| Group {
            size: 167,
            all: Some(Needs(vec![(line, 6_000)])),
            one: None,
        };
        let groups = [0, 1, 2].map(on_line);
        let mut search = Search::new(&groups, &[600_000; 3], 1_000, FOUND_MAX);
        search.descend();
        assert_eq!(search.found, [vec![Count { all: 100, one: 0 }; 3]]);
        assert!(search.nodes >= 990, "{} nodes are left", search.nodes);
    }

    #[test]
    fn the_first_so_many_of_all_packings_are_found_with_less_work() {
        // Twelve that differ in what else they take, of which six fit.
        let groups: Vec<Group> = (0..12)
            .map(|row| Group {
                size: 1,
                all: Some(Needs(vec![(0, 6_000), (row + 1, 1)])),
                one: None,
            })
            .collect();
        let left = [[36_000].as_slice(), &[1_000; 12]].concat();
        let packings = |enough: usize| {
            let mut search = Search::new(&groups, &left, 100_000, enough);
            search.descend();
            (search.found, search.nodes)
        };
        let (all, least) = packings(FOUND_MAX);
        assert_eq!(all.len(), 924, "6 of 12");
        for enough in [0, 1, 32] {
            let (some, left) = packings(enough);
            assert_eq!(some, all[..enough.max(1)]);
            assert!(
                left > least + 1_000,
                "{left} nodes left of those that left {least}"
            );
        }
    }
}

//! What was asked last, with the answers: most steps of an engine ask the same again.

use std::collections::VecDeque;

use super::{Constraint, Demand, Grant, STEP, allocate, start};
use crate::units::Milliamps;

/// So many questions are remembered: a step asks a few that differ, and what each of many loads would have if one thing were
/// otherwise is asked every minute.
const REMEMBERED: usize = 48;

/// A question, told in a way in which equal ones look the same.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    demands: Vec<Demand>,
    constraints: Vec<Constraint>,
}

/// Remembers the last answers of [`allocate`]. It changes none: all that it leaves out of a question has no part in the
/// answer.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    answers: VecDeque<(Question, Vec<Grant>)>,
}

impl Memory {
    /// As [`allocate`].
    pub fn allocate(&mut self, demands: &[Demand], constraints: Vec<Constraint>) -> Vec<Grant> {
        let question = Question::new(demands.to_vec(), constraints);
        let known = self
            .answers
            .iter()
            .position(|(known, _)| *known == question);
        let answer = known
            .and_then(|at| self.answers.remove(at))
            .unwrap_or_else(|| {
                let grants = allocate(&question.demands, &question.constraints);
                (question, grants)
            });
        let grants = answer.1.clone();
        self.answers.push_front(answer);
        self.answers.truncate(REMEMBERED);
        grants
    }
}

impl Question {
    fn new(mut demands: Vec<Demand>, mut constraints: Vec<Constraint>) -> Self {
        // Of the energy received nothing but the order counts.
        let mut order: Vec<usize> = (0..demands.len()).collect();
        order.sort_unstable_by_key(|&at| (demands.get(at).map(|demand| demand.received), at));
        let mut before = None;
        let mut rank = 0;
        for at in order {
            let Some(demand) = demands.get_mut(at) else {
                continue;
            };
            rank += u64::from(before.is_some_and(|before| before != demand.received));
            before = Some(demand.received);
            demand.received = rank;
        }
        // Of what is left, nothing counts below nothing, nor above what all could use together…
        let asks = |demand: &&Demand| demand.most >= demand.least;
        for constraint in &mut constraints {
            let weighed = demands
                .iter()
                .zip(constraint.weights.iter().zip(&*constraint.on_one));
            let most: i64 = weighed
                .filter(|(demand, _)| asks(demand))
                .map(|(demand, (all, one))| demand.most.0.saturating_mul(i64::from(*all.max(one))))
                .sum();
            constraint.capacity.0 = constraint.capacity.0.clamp(0, most.max(0));
        }
        // …and where all get whole amperes, nothing but these.
        let whole = |amps: Milliamps| amps.0 % STEP.0 == 0;
        if demands
            .iter()
            .filter(asks)
            .all(|demand| whole(start(demand)))
        {
            for constraint in &mut constraints {
                constraint.capacity = constraint.capacity.floor_to_amps();
            }
        }
        Self {
            demands,
            constraints,
        }
    }
}

//! The supervisor: one state machine for the whole house.
//!
//! What is wrong comes first: a lost meter before a stale one, that before a partial one, a lost charger,
//! an unknown map; then starting, manual, observe, and operation. The machine remembers only that
//! operation must be earned anew by good readings after the meter was lost.
#![expect(missing_docs, reason = "items that the state machine's macro makes")]
#![expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that the macro calls"
)]

use serde::{Deserialize, Serialize};
use statig::blocking::{
    Handled, IntoStateMachineExt, Outcome, StateMachine, Super, Transition, state_machine,
};

use crate::config::Mode;
use crate::meter::Freshness;

/// What the rest of the core found in this step.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent findings, each a yes or no"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Findings {
    /// How fresh the main meter's word is; frozen counts as stale.
    pub meter: Freshness,
    /// Enough readings with currents have come.
    pub started: bool,
    /// The main meter leaves out a line.
    pub partial: bool,
    /// A charger cannot be reached.
    pub charger_lost: bool,
    /// A charger's phases are not known.
    pub map_unknown: bool,
    /// A person has set ceilings.
    pub manual: bool,
    /// Whether commands are given.
    pub mode: Mode,
    /// How the loads are doing.
    pub supply: Supply,
}

/// How the loads are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// Everybody has what it can use.
    Enough,
    /// Somebody has less than it can use, and there is no more.
    Short,
    /// Somebody has less than it can use, and more is on its way.
    Returning,
}

/// The machine's own memory: nothing besides its states.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Supervisor;

#[state_machine(
    initial = "State::starting()",
    state(derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize))
)]
impl Supervisor {
    /// What holds in every state: the worst finding decides.
    #[superstate]
    fn supervised(event: &Findings) -> Outcome<State> {
        Transition(worst(event))
    }

    /// Nothing has been heard of the meter for too long. Whatever comes next, operation must be earned
    /// anew by good readings.
    #[state(superstate = "supervised")]
    fn meter_lost(event: &Findings) -> Outcome<State> {
        match event.meter {
            Freshness::Waiting | Freshness::Lost => Handled,
            Freshness::Fresh | Freshness::Stale => Transition(State::starting()),
        }
    }

    #[state(superstate = "supervised")]
    fn starting() -> Outcome<State> {
        Super
    }

    #[superstate(superstate = "supervised")]
    fn degraded() -> Outcome<State> {
        Super
    }

    #[state(superstate = "degraded")]
    fn meter_stale() -> Outcome<State> {
        Super
    }

    #[state(superstate = "degraded")]
    fn meter_partial() -> Outcome<State> {
        Super
    }

    #[state(superstate = "degraded")]
    fn charger_lost() -> Outcome<State> {
        Super
    }

    #[state(superstate = "degraded")]
    fn map_unknown() -> Outcome<State> {
        Super
    }

    #[state(superstate = "supervised")]
    fn manual() -> Outcome<State> {
        Super
    }

    #[state(superstate = "supervised")]
    fn observe() -> Outcome<State> {
        Super
    }

    #[superstate(superstate = "supervised")]
    fn operating() -> Outcome<State> {
        Super
    }

    #[state(superstate = "operating")]
    fn normal() -> Outcome<State> {
        Super
    }

    #[state(superstate = "operating")]
    fn curtailing() -> Outcome<State> {
        Super
    }

    #[state(superstate = "operating")]
    fn recovering() -> Outcome<State> {
        Super
    }
}

/// The state that the worst of the findings asks for.
fn worst(findings: &Findings) -> State {
    match findings.meter {
        Freshness::Lost => return State::meter_lost(),
        Freshness::Stale => return State::meter_stale(),
        Freshness::Waiting | Freshness::Fresh => {}
    }
    if findings.partial {
        State::meter_partial()
    } else if findings.charger_lost {
        State::charger_lost()
    } else if findings.map_unknown {
        State::map_unknown()
    } else if !findings.started {
        State::starting()
    } else if findings.manual {
        State::manual()
    } else if findings.mode == Mode::Observe {
        State::observe()
    } else {
        match findings.supply {
            Supply::Enough => State::normal(),
            Supply::Short => State::curtailing(),
            Supply::Returning => State::recovering(),
        }
    }
}

impl State {
    /// The path that the contract knows this state by.
    pub const fn path(&self) -> &'static str {
        match self {
            Self::MeterLost {} => "failsafe.meter_lost",
            Self::MeterStale {} => "degraded.meter_stale",
            Self::MeterPartial {} => "degraded.meter_partial",
            Self::ChargerLost {} => "degraded.charger_lost",
            Self::MapUnknown {} => "degraded.map_unknown",
            Self::Starting {} => "starting",
            Self::Manual {} => "manual",
            Self::Observe {} => "observe",
            Self::Curtailing {} => "operating.curtailing",
            Self::Recovering {} => "operating.recovering",
            Self::Normal {} => "operating.normal",
        }
    }
}

/// The machine, ready to run.
#[derive(Clone, Serialize, Deserialize)]
pub struct SupervisorMachine(StateMachine<Supervisor>);

impl Default for SupervisorMachine {
    fn default() -> Self {
        Self(Supervisor.state_machine())
    }
}

impl std::fmt::Debug for SupervisorMachine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.path())
    }
}

impl SupervisorMachine {
    pub fn handle(&mut self, findings: &Findings) {
        self.0.handle(findings);
    }

    pub fn path(&self) -> &'static str {
        self.0.state().path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine() -> Findings {
        Findings {
            meter: Freshness::Fresh,
            started: true,
            partial: false,
            charger_lost: false,
            map_unknown: false,
            manual: false,
            mode: Mode::Control,
            supply: Supply::Enough,
        }
    }

    #[test]
    fn the_worst_finding_decides() {
        let mut all = Findings {
            meter: Freshness::Lost,
            started: false,
            partial: true,
            charger_lost: true,
            map_unknown: true,
            manual: true,
            mode: Mode::Observe,
            supply: Supply::Short,
        };
        let mut path = Vec::new();
        let mut see = |findings: &Findings| {
            let mut machine = SupervisorMachine::default();
            machine.handle(findings);
            path.push(machine.path());
        };
        see(&all);
        all.meter = Freshness::Stale;
        see(&all);
        all.meter = Freshness::Fresh;
        see(&all);
        all.partial = false;
        see(&all);
        all.charger_lost = false;
        see(&all);
        all.map_unknown = false;
        see(&all);
        all.started = true;
        see(&all);
        all.manual = false;
        see(&all);
        all.mode = Mode::Control;
        see(&all);
        all.supply = Supply::Returning;
        see(&all);
        all.supply = Supply::Enough;
        see(&all);
        assert_eq!(
            path,
            [
                "failsafe.meter_lost",
                "degraded.meter_stale",
                "degraded.meter_partial",
                "degraded.charger_lost",
                "degraded.map_unknown",
                "starting",
                "manual",
                "observe",
                "operating.curtailing",
                "operating.recovering",
                "operating.normal"
            ]
        );
    }

    #[test]
    fn after_a_lost_meter_operation_is_earned_anew() {
        let mut machine = SupervisorMachine::default();
        machine.handle(&fine());
        assert_eq!(machine.path(), "operating.normal");
        machine.handle(&Findings {
            meter: Freshness::Lost,
            ..fine()
        });
        machine.handle(&Findings {
            started: false,
            ..fine()
        });
        assert_eq!(machine.path(), "starting");
        machine.handle(&fine());
        assert_eq!(machine.path(), "operating.normal");
    }

    /// Every finding that there can be.
    fn all_findings() -> Vec<Findings> {
        let mut all = Vec::new();
        for meter in [
            Freshness::Waiting,
            Freshness::Fresh,
            Freshness::Stale,
            Freshness::Lost,
        ] {
            for supply in [Supply::Enough, Supply::Short, Supply::Returning] {
                for bits in 0..64_u8 {
                    let bit = |index: u8| bits & (1 << index) != 0;
                    all.push(Findings {
                        meter,
                        started: bit(0),
                        partial: bit(1),
                        charger_lost: bit(2),
                        map_unknown: bit(3),
                        manual: bit(4),
                        mode: if bit(5) { Mode::Observe } else { Mode::Control },
                        supply,
                    });
                }
            }
        }
        all
    }

    /// Where one step leads from each state, in the order in which states are found.
    fn edges() -> Vec<(&'static str, Vec<&'static str>)> {
        let all = all_findings();
        let mut ways: Vec<Vec<Findings>> = vec![Vec::new()];
        let mut edges: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
        while let Some(way) = ways.pop() {
            let reach = || {
                let mut machine = SupervisorMachine::default();
                for findings in &way {
                    machine.handle(findings);
                }
                machine
            };
            let from = reach().path();
            if edges.iter().any(|(known, _)| *known == from) {
                continue;
            }
            let mut targets = Vec::new();
            for findings in &all {
                let mut machine = reach();
                machine.handle(findings);
                if !targets.contains(&machine.path()) {
                    targets.push(machine.path());
                    ways.push([way.as_slice(), &[*findings]].concat());
                }
            }
            targets.sort_unstable();
            edges.push((from, targets));
        }
        edges.sort_unstable();
        edges
    }

    /// The chart in the notation of Mermaid. States from which one step leads to the same states are drawn as one group.
    fn chart() -> String {
        let edges = edges();
        let mut groups: Vec<(Vec<&str>, &Vec<&str>)> = Vec::new();
        for (from, targets) in &edges {
            match groups.iter_mut().find(|(_, known)| *known == targets) {
                Some((members, _)) => members.push(from),
                None => groups.push((vec![from], targets)),
            }
        }
        let id = |path: &str| path.replace('.', "_");
        let mut lines = vec![
            "stateDiagram-v2".to_owned(),
            "    [*] --> starting".to_owned(),
        ];
        for (from, _) in &edges {
            lines.push(format!("    {}: {from}", id(from)));
        }
        for (members, targets) in groups {
            let group = if members.len() == 1 {
                id(members[0])
            } else {
                lines.push("    state supervised {".to_owned());
                lines.extend(
                    members
                        .iter()
                        .map(|member| format!("        {}", id(member))),
                );
                lines.push("    }".to_owned());
                "supervised".to_owned()
            };
            let others = targets.iter().filter(|target| members != [**target]);
            lines.extend(others.map(|target| format!("    {group} --> {}", id(target))));
        }
        lines.join("\n")
    }

    #[test]
    fn the_chart_in_the_documents_is_the_one_of_the_code() {
        let chart = chart();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(
            text.contains(&chart),
            "ARCHITECTURE.md lacks this chart:\n{chart}"
        );
    }
}

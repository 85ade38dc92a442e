//! `GET /energy`, `GET /energy.csv`: what each load received and lost, for each day of the site's time zone.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use headroom_core::config::Config;
use headroom_core::{Phase, ReasonCode};
use headroom_store::{Cause, LoadEnergy, Page};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use super::csv::{row, word};
use crate::app::Shared;
use crate::problem::Problem;
use crate::query::Params;

/// The span when nobody says from when.
const SPAN: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Longest span: as long as energy is kept, with a day at each end.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 3662);
/// Rows of one file: ten years of a dozen loads.
const MOST: usize = 50_000;
const MWH_PER_KWH: f64 = 1_000_000.0;
/// Less than this is not worth a word, in milliwatt-hours: 10 Wh.
const WORTH_A_WORD: i64 = 10_000;
const HEAD: [&str; 7] = [
    "date",
    "load",
    "name",
    "energy_kwh",
    "curtailed_kwh",
    "most_lost_to",
    "text",
];

/// A day of a load, or of the house.
#[derive(Debug, Serialize)]
pub(crate) struct Day {
    /// In the site's time zone.
    date: Date,
    /// `None`: what the house took from the net.
    load: Option<String>,
    name: Option<String>,
    energy_kwh: Kwh,
    /// Of the house: of all loads together.
    curtailed_kwh: Kwh,
    lost_to: Vec<Lost>,
    text: String,
}

/// What was lost to one thing.
#[derive(Debug, Serialize)]
struct Lost {
    code: ReasonCode,
    phase: Option<Phase>,
    circuit: Option<String>,
    load: Option<String>,
    energy_kwh: Kwh,
}

/// Milliwatt-hours; kilowatt-hours on the wire.
#[derive(Clone, Copy, Debug)]
struct Kwh(i64);

impl Kwh {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn to_f64(self) -> f64 {
        self.0 as f64 / MWH_PER_KWH
    }
}

impl Serialize for Kwh {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.to_f64())
    }
}

impl std::fmt::Display for Kwh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 < 100_000 {
            write!(f, "{:.2} kWh", self.to_f64())
        } else {
            write!(f, "{:.1} kWh", self.to_f64())
        }
    }
}

/// Which days are asked for, and behind which of them to begin.
struct Asked {
    from: Timestamp,
    to: Timestamp,
    /// A day and its last load that was told; `""` is the house.
    after: Option<(Date, String)>,
}

/// `now` is the time of the house, which may run faster in the demo.
fn asked(params: &mut Params, now: Timestamp) -> impl FnOnce() -> Result<Asked, Problem> + use<> {
    let (from, to) = (params.time("from"), params.time("to"));
    let cursor = params.text("cursor");
    move || {
        let to = to.unwrap_or_else(|| now + SignedDuration::from_secs(1));
        let from = from.or_else(|| to.checked_sub(SPAN).ok()).unwrap_or(to);
        let span = to.duration_since(from);
        if !span.is_positive() {
            return Err(Problem::parameter("from", "range", "must be before to"));
        }
        if span > LONGEST {
            return Err(Problem::parameter(
                "from",
                "range",
                "must be at most ten years before to",
            ));
        }
        let after = cursor
            .map(|cursor| {
                let (date, load) = cursor.split_once('.')?;
                Some((date.parse().ok()?, load.to_owned()))
            })
            .map(|cursor| {
                cursor
                    .ok_or_else(|| Problem::parameter("cursor", "range", "is not one of this list"))
            })
            .transpose()?;
        Ok(Asked { from, to, after })
    }
}

/// Days from that of `from` (a week ago) to that of `to` (now), oldest first, each whole: the house, then its loads.
pub(crate) async fn list(
    State(shared): State<Shared>,
    mut params: Params,
) -> Result<Json<Page<Day>>, Problem> {
    let asked = asked(&mut params, shared.app.status.borrow().time);
    let limit = usize::from(params.limit());
    params.finish()?;
    Ok(Json(days(&shared, asked()?, limit).await?))
}

/// The same for a spreadsheet.
pub(crate) async fn csv(
    State(shared): State<Shared>,
    mut params: Params,
) -> Result<Response, Problem> {
    let asked = asked(&mut params, shared.app.status.borrow().time);
    params.finish()?;
    let page = days(&shared, asked()?, MOST).await?;
    let mut text = String::new();
    row(&mut text, HEAD.map(str::to_owned));
    for day in page.items {
        let most = day.lost_to.first();
        let cells = [
            day.date.to_string(),
            day.load.unwrap_or_default(),
            day.name.unwrap_or_default(),
            day.energy_kwh.to_f64().to_string(),
            day.curtailed_kwh.to_f64().to_string(),
            most.map_or_else(String::new, |lost| word(&lost.code)),
            day.text,
        ];
        row(&mut text, cells);
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"energy.csv\"",
        ),
    ];
    Ok((headers, text).into_response())
}

async fn days(shared: &Shared, asked: Asked, limit: usize) -> Result<Page<Day>, Problem> {
    let house = shared.app.state.house();
    let config = &house.config;
    let zone = TimeZone::get(&config.site.time_zone).unwrap_or(TimeZone::UTC);
    let journal = &shared.app.journal;
    let mut page = Page {
        items: Vec::new(),
        next: None,
    };
    let Some(first) = journal.first_energy().await? else {
        return Ok(page);
    };
    let mut date = asked.from.max(first).to_zoned(zone.clone()).date();
    if let Some((after, _)) = &asked.after {
        date = date.max(*after);
    }
    loop {
        let Some((from, to)) = bounds(date, &zone).filter(|(from, _)| *from < asked.to) else {
            return Ok(page);
        };
        let loads = journal.energy(from, to).await?;
        let held: i64 = loads.iter().map(lost).sum();
        for load in loads {
            let id = load.load.as_deref().unwrap_or_default();
            let told = |(day, last): &(Date, String)| *day == date && id <= last.as_str();
            if asked.after.as_ref().is_some_and(told) {
                continue;
            }
            if page.items.len() == limit {
                page.next = page.items.last().map(|last: &Day| {
                    format!("{}.{}", last.date, last.load.as_deref().unwrap_or_default())
                });
                return Ok(page);
            }
            page.items.push(day(date, load, held, config));
        }
        let Ok(next) = date.tomorrow() else {
            return Ok(page);
        };
        date = next;
    }
}

/// When a day begins and ends: 23 to 25 hours.
fn bounds(date: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let begin = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
    Some((begin(date)?, begin(date.tomorrow().ok()?)?))
}

fn lost(load: &LoadEnergy) -> i64 {
    load.lost.iter().map(|(_, mwh)| mwh).sum()
}

fn day(date: Date, energy: LoadEnergy, held: i64, config: &Config) -> Day {
    let curtailed = if energy.load.is_some() {
        lost(&energy)
    } else {
        held
    };
    let name = energy.load.as_deref().and_then(|id| name(id, config));
    let energy = LoadEnergy {
        lost: merged(energy.lost, config),
        ..energy
    };
    let text = text(&energy, name.as_deref(), config);
    let lost_to = energy.lost.into_iter().map(|(cause, mwh)| Lost {
        code: cause.code,
        phase: cause.phase,
        circuit: cause.circuit,
        load: cause.load,
        energy_kwh: Kwh(mwh),
    });
    Day {
        date,
        name,
        energy_kwh: Kwh(energy.mwh),
        curtailed_kwh: Kwh(curtailed),
        lost_to: lost_to.collect(),
        text,
        load: energy.load,
    }
}

/// What people call a load; `None`: it has no name, or is not there any more.
fn name(id: &str, config: &Config) -> Option<String> {
    let chargers = config.chargers.iter().map(|it| (&it.id, &it.name));
    let slow = config.slow_loads.iter().map(|it| (&it.id, &it.name));
    let found = chargers.chain(slow).find(|(known, _)| *known == id);
    found
        .map(|(_, name)| name.clone())
        .filter(|name| !name.is_empty())
}

/// The day as a sentence or two.
fn text(energy: &LoadEnergy, name: Option<&str>, config: &Config) -> String {
    let Some(id) = &energy.load else {
        return format!("The house took {} from the net.", Kwh(energy.mwh));
    };
    let title = name.unwrap_or(id);
    let received = format!("{title} received {}.", Kwh(energy.mwh));
    let lost: Vec<_> = energy
        .lost
        .iter()
        .filter(|(_, mwh)| *mwh >= WORTH_A_WORD)
        .map(|(cause, mwh)| format!("{} to {}", Kwh(*mwh), to_what(cause, config)))
        .collect();
    match lost.split_last() {
        None => received,
        Some((only, [])) => format!("{received} It lost {only}."),
        Some((least, more)) => format!("{received} It lost {} and {least}.", more.join(", ")),
    }
}

/// What reads the same is the same: waiting times on L1 and on L2 are waiting times. Where causes differ in what their
/// words do not name, that is left out. The largest comes first.
fn merged(lost: Vec<(Cause, i64)>, config: &Config) -> Vec<(Cause, i64)> {
    let mut merged: Vec<(String, Cause, i64)> = Vec::new();
    for (cause, mwh) in lost {
        let words = to_what(&cause, config);
        let known = merged
            .iter_mut()
            .find(|(known, first, _)| first.code == cause.code && *known == words);
        let Some((_, first, sum)) = known else {
            merged.push((words, cause, mwh));
            continue;
        };
        *sum += mwh;
        first.phase = first.phase.filter(|phase| cause.phase == Some(*phase));
        first.circuit = first
            .circuit
            .take()
            .filter(|it| cause.circuit.as_ref() == Some(it));
        first.load = first
            .load
            .take()
            .filter(|it| cause.load.as_ref() == Some(it));
    }
    merged.sort_by_key(|(_, _, mwh)| std::cmp::Reverse(*mwh));
    merged
        .into_iter()
        .map(|(_, cause, mwh)| (cause, mwh))
        .collect()
}

fn to_what(cause: &Cause, config: &Config) -> String {
    use ReasonCode as C;
    let place = || {
        let circuit = match cause.circuit.as_deref() {
            None | Some(headroom_core::config::MAIN) => "the main fuse".to_owned(),
            Some(circuit) => format!("circuit {circuit}"),
        };
        match cause.phase {
            Some(phase) => format!("{phase} of {circuit}"),
            None => circuit,
        }
    };
    let other = || {
        let id = cause.load.as_deref().unwrap_or("another load");
        name(id, config).unwrap_or_else(|| id.to_owned())
    };
    match cause.code {
        C::PowerLimit => "the power limit of the house".to_owned(),
        C::Thermal => format!("what is kept free on {}", place()),
        C::Priority => format!("{}, which goes first", other()),
        C::FairShare => format!("its share with {}", other()),
        C::Rotation => format!("{}, whose turn it was", other()),
        C::Hysteresis => "waiting times".to_owned(),
        C::MeterStale | C::MeterLost | C::Starting => "missing readings of the meter".to_owned(),
        C::ChargerLost => "a charger that could not be reached".to_owned(),
        C::NotObeying => "a load that did not obey".to_owned(),
        C::Learning => "learning on which lines it hangs".to_owned(),
        _ => place(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReasonCode as C;

    #[test]
    fn a_day_reads_as_a_sentence() {
        let config: Config = serde_json::from_value(serde_json::json!({
            "chargers": [{"id": "ev1", "name": "Garage"}, {"id": "ev2", "name": "Yard"}],
        }))
        .unwrap();
        let cause = |code, phase, load: Option<&str>| Cause {
            code,
            phase,
            circuit: Some("main".to_owned()),
            load: load.map(str::to_owned),
        };
        let energy = LoadEnergy {
            load: Some("ev1".to_owned()),
            mwh: 7_640_000,
            lost: vec![
                (cause(C::MainFuse, Some(Phase::L2), None), 1_210_000),
                (cause(C::Priority, None, Some("ev2")), 42_000),
                (cause(C::Hysteresis, None, None), 9_000),
            ],
        };
        assert_eq!(
            text(&energy, Some("Garage"), &config),
            "Garage received 7.6 kWh. It lost 1.2 kWh to L2 of the main fuse and 0.04 kWh to Yard, which goes first."
        );
    }

    #[test]
    fn one_cause_is_named_once() {
        let cause = |code, phase, load: Option<&str>| Cause {
            code,
            phase: Some(phase),
            circuit: Some("main".to_owned()),
            load: load.map(str::to_owned),
        };
        let lost = vec![
            (cause(C::MainFuse, Phase::L1, None), 70_000),
            (cause(C::Hysteresis, Phase::L1, None), 60_000),
            (cause(C::MainFuse, Phase::L2, None), 50_000),
            (cause(C::Hysteresis, Phase::L2, Some("ev2")), 40_000),
        ];
        let merged = merged(lost, &Config::default());
        let told: Vec<_> = merged
            .iter()
            .map(|(cause, mwh)| (cause.code, cause.phase, *mwh))
            .collect();
        assert_eq!(
            told,
            [
                (C::Hysteresis, None, 100_000),
                (C::MainFuse, Some(Phase::L1), 70_000),
                (C::MainFuse, Some(Phase::L2), 50_000),
            ]
        );
        assert_eq!(merged[0].0.circuit.as_deref(), Some("main"));
        assert_eq!(merged[0].0.load, None);
    }

    #[test]
    fn days_are_as_long_as_the_site_has_them() {
        let zone = TimeZone::get("Europe/Oslo").unwrap();
        for (date, hours) in [("2026-03-29", 23), ("2026-06-01", 24), ("2026-10-25", 25)] {
            let (from, to) = bounds(date.parse().unwrap(), &zone).unwrap();
            assert_eq!(to.duration_since(from).as_hours(), hours);
            assert_eq!(from.as_millisecond() % headroom_store::SLOT_MS, 0);
        }
    }
}

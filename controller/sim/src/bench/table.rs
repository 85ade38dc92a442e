//! Tables of results, as text, and what changed between two of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::controller::Kind;
use super::metrics::Summary;

/// The columns, with their widths.
const HEAD: &str = "scenario         controller   energy%  worst trips/d seeds typ/d  thermal    A*s  cmd/h  worst \
                    close/d  worst  Jain  worst  over  p99s   max s answ s cold min cmd/hd";

/// A table of summaries, with the means over the household scenarios below.
pub fn text(summaries: &[Summary]) -> String {
    let mut table = format!("{HEAD}\n");
    for summary in summaries {
        line(&mut table, summary);
    }
    for mean in means(summaries) {
        line(&mut table, &mean);
    }
    table
}

fn line(table: &mut String, summary: &Summary) {
    let share = |share: f64| (share * 1000.0).round() / 10.0;
    // Writing to a text cannot fail.
    writeln!(
        table,
        "{:<16} {:<11} {:>8.1} {:>6.1} {:>7.1} {:>5} {:>5.1} {:>8.3} {:>6.0} {:>6.2} {:>6.2} {:>7.1} {:>6.1} {:>5.3} \
         {:>6.3} {:>5} {:>5.1} {:>7.1} {:>6.1} {:>8.0} {:>6.2}",
        summary.scenario,
        summary.controller,
        share(summary.energy_share),
        share(summary.energy_share_worst),
        summary.trips_per_day,
        summary.seeds_with_trips,
        summary.typical_trips_per_day,
        summary.highest_thermal,
        summary.above_rating_as,
        summary.commands_per_hour,
        summary.commands_per_hour_worst,
        summary.closings_per_day,
        summary.closings_per_day_worst,
        summary.jain,
        summary.jain_worst,
        summary.overloads,
        summary.relief_p99_s,
        summary.relief_worst_s,
        summary.answer_p99_s,
        summary.comfort_missed_min,
        summary.commands_per_hour_of_day,
    )
    .ok();
}

/// The means of each controller over the household scenarios; worst of the worst.
pub fn means(summaries: &[Summary]) -> Vec<Summary> {
    Kind::ALL
        .iter()
        .filter_map(|kind| {
            let own: Vec<&Summary> = summaries
                .iter()
                .filter(|summary| summary.household && summary.controller == kind.name())
                .collect();
            (own.len() > 1).then(|| mean(kind.name(), &own))
        })
        .collect()
}

fn mean(controller: &str, own: &[&Summary]) -> Summary {
    let count = f64::from(u32::try_from(own.len()).unwrap_or(u32::MAX).max(1));
    let mean = |value: fn(&Summary) -> f64| own.iter().map(|one| value(one)).sum::<f64>() / count;
    let most = |value: fn(&Summary) -> f64| own.iter().map(|one| value(one)).fold(0.0, f64::max);
    let least = |value: fn(&Summary) -> f64| {
        own.iter()
            .map(|one| value(one))
            .fold(f64::INFINITY, f64::min)
    };
    Summary {
        scenario: "households".to_owned(),
        controller: controller.to_owned(),
        household: true,
        trips_per_day: mean(|one| one.trips_per_day),
        seeds_with_trips: own.iter().map(|one| one.seeds_with_trips).sum(),
        typical_trips_per_day: mean(|one| one.typical_trips_per_day),
        highest_thermal: most(|one| one.highest_thermal),
        above_rating_as: mean(|one| one.above_rating_as),
        energy_share: mean(|one| one.energy_share),
        energy_share_worst: least(|one| one.energy_share),
        commands_per_hour: mean(|one| one.commands_per_hour),
        commands_per_hour_worst: most(|one| one.commands_per_hour),
        commands_per_hour_of_day: mean(|one| one.commands_per_hour_of_day),
        closings_per_day: mean(|one| one.closings_per_day),
        closings_per_day_worst: most(|one| one.closings_per_day),
        jain: mean(|one| one.jain),
        jain_worst: least(|one| one.jain),
        overloads: own.iter().map(|one| one.overloads).sum(),
        relief_p99_s: most(|one| one.relief_p99_s),
        relief_worst_s: most(|one| one.relief_worst_s),
        answer_p99_s: most(|one| one.answer_p99_s),
        comfort_missed_min: mean(|one| one.comfort_missed_min),
        runs: Vec::new(),
    }
}

/// What is compared: the name of a column and its place behind scenario and controller.
const COMPARED: [(&str, usize); 9] = [
    ("energy%", 0),
    ("trips/d", 2),
    ("thermal", 5),
    ("cmd/h", 7),
    ("close/d", 9),
    ("Jain", 11),
    ("p99 s", 14),
    ("answ s", 16),
    ("cold min", 17),
];

/// Whether a text holds a row of a table.
pub fn has_rows(text: &str) -> bool {
    !cells(text).is_empty()
}

/// What differs in a table from one of before, row by row; nothing if they say the same. Rows that are only in the one
/// of before were not asked for.
pub fn changes(before: &str, after: &str) -> String {
    let (before, after) = (cells(before), cells(after));
    let mut text = String::new();
    for (row, now) in &after {
        let Some(then) = before.get(row) else {
            writeln!(text, "{} {}: new", row.0, row.1).ok();
            continue;
        };
        let changed: Vec<String> = COMPARED
            .iter()
            .filter_map(|(name, column)| {
                let (then, now) = (then.get(*column)?, now.get(*column)?);
                (then != now).then(|| format!("{name} {then} -> {now}"))
            })
            .collect();
        if !changed.is_empty() {
            writeln!(text, "{} {}: {}", row.0, row.1, changed.join(", ")).ok();
        }
    }
    text
}

fn cells(table: &str) -> BTreeMap<(String, String), Vec<String>> {
    table
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let (scenario, controller) = (words.next()?, words.next()?);
            Kind::from_name(&controller)?;
            Some(((scenario, controller), words.collect()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_the_columns_that_changed() {
        let row = |energy: &str, commands: &str| {
            format!(
                "{HEAD}\na headroom {energy} 90.0 0.0 0 0.0 0.900 10 {commands} 3.0 2.0 2.0 1.0 1.0 5 7.0 8.0 6.0 0\n"
            )
        };
        assert_eq!(changes(&row("95.0", "2.0"), &row("95.0", "2.0")), "");
        assert_eq!(
            changes(&row("95.0", "2.0"), &row("96.0", "3.0")),
            "a headroom: energy% 95.0 -> 96.0, cmd/h 2.0 -> 3.0\n"
        );
        assert_eq!(changes(HEAD, &row("95.0", "2.0")), "a headroom: new\n");
        assert_eq!(changes(&row("95.0", "2.0"), HEAD), "");
        assert!(has_rows(&row("95.0", "2.0")) && !has_rows(HEAD));
    }
}

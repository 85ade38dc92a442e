//! What stands above each field of the configuration's file, in the order in which the fields stand.
//!
//! A field that is new and has no comment yet is written all the same, behind the others of its table.

/// Comments by table: the table's path with the names of lists in singular use, then its fields.
pub(super) const TABLES: [(&str, &[(&str, &str)]); 15] = [
    (
        "notifications",
        &[
            (
                "language",
                "Of the messages: en, nb, sv, da, fi, et, nl, de or fr",
            ),
            ("webhook", "Gets each alarm as JSON"),
            ("ntfy", "A topic of an ntfy server"),
            ("email", "A mail server"),
        ],
    ),
    (
        "notifications.webhook",
        &[
            ("url", "Gets each alarm as JSON by POST"),
            ("token", "Sent as Authorization: Bearer"),
        ],
    ),
    (
        "notifications.ntfy",
        &[
            ("url", "The server and the topic: https://ntfy.sh/our-house"),
            ("token", "Access token of a protected topic"),
        ],
    ),
    (
        "notifications.email",
        &[
            ("host", "The mail server"),
            ("port", "587 is usual with starttls, 465 with tls"),
            ("tls", "starttls, tls or none"),
            ("user", "The name to log in with"),
            ("password", "The password to log in with"),
            ("from", "The sender's address"),
            ("to", "The receivers' addresses, 10 at most"),
        ],
    ),
    (
        "site",
        &[
            ("name", "What its people call it"),
            ("time_zone", "IANA name, for what people read"),
            ("mode", "observe: commands nothing; control"),
            (
                "grid",
                "tn_3ph, it_3ph (no neutral, 230 V between lines) or tn_1ph",
            ),
            ("margin_a", "Kept free below the rating of the main fuse, A"),
            (
                "nominal_voltage_v",
                "Between line and neutral, or between lines on it_3ph, V",
            ),
            (
                "largest_step_a",
                "Largest step of the house that is prepared for, A; not set: 10, or 16 from a 35 A fuse; learnt upwards",
            ),
            ("max_power_w", "Cap on the power drawn from the grid, W"),
            ("public_view", "Whether reading needs no login"),
        ],
    ),
    (
        "site.main_fuse",
        &[
            (
                "rating_a",
                "A; one number, or one for each line: [25, 25, 20]",
            ),
            ("characteristic", "gg, b, c, d, linky or none"),
            (
                "curve",
                "standard, or band: what a breaker's data sheet promises",
            ),
            ("ambient_c", "Highest temperature around the fuses, \u{b0}C"),
        ],
    ),
    (
        "site.circuits",
        &[
            ("id", "main is reserved"),
            ("parent", "The circuit that feeds it"),
            ("rating_a", "A; one number, or one for each line"),
            ("meter", "Source of its own meter"),
            ("characteristic", "As the main fuse, if it is not set"),
            ("curve", "As the main fuse, if it is not set"),
        ],
    ),
    (
        "site.tuning",
        &[
            (
                "raise_after_s",
                "No raise sooner than this after the load's last change, s",
            ),
            (
                "restart_after_s",
                "No start sooner than this after a pause, s",
            ),
            ("hold_s", "Raises look at the highest of this time, s"),
            (
                "stale_after_s",
                "Age at which a reading is stale, s; not set: three periods, within 5 to 30",
            ),
            (
                "lost_after_s",
                "Without a reading for this long all go to their safe currents, s",
            ),
            (
                "frozen_after_s",
                "Readings that are the same for this long count as stale, s",
            ),
        ],
    ),
    (
        "meter",
        &[
            (
                "source",
                "serial:/dev/ttyUSB0, tcp://host:port, homewizard://host, \u{2026}",
            ),
            ("source_password", "What *** stands for in the source"),
            ("key", "Encryption key, hex"),
            ("auth_key", "Authentication key, hex"),
            ("ct_ratio", "Ratio of current transformers before the meter"),
        ],
    ),
    (
        "chargers",
        &[
            ("id", "a-z, 0-9, _ and -"),
            ("name", "What its people call it"),
            ("circuit", "The circuit that feeds it; not set: main"),
            ("max_current_a", "A"),
            (
                "min_current_a",
                "The least that it can be given besides nothing, A",
            ),
            (
                "phases",
                "The line at each of its terminals; not set: three, in an order that is not known",
            ),
            (
                "phase_switching",
                "Whether it can change between three phases and one",
            ),
            (
                "safe_current_a",
                "What it falls to by itself when nobody renews its limit, A",
            ),
            ("lease_s", "How long a limit holds without renewal, s"),
            ("lease", "claimed, none, or proven by a cut test"),
            (
                "priority",
                "The larger number is served first and shed last; equal numbers share",
            ),
            (
                "accept_risk",
                "The safe currents need not fit under the fuse",
            ),
        ],
    ),
    (
        "chargers.driver",
        &[
            ("kind", "How it is reached"),
            ("charge_point_id", "The identity with which it connects"),
            ("connector", "From 1"),
            ("auth", "basic or none"),
            ("password", "*** keeps the stored one"),
            ("profile", "Which device it is"),
            ("host", "Name or address, maybe with a port"),
        ],
    ),
    ("chargers.driver.params", &[]),
    (
        "slow_loads",
        &[
            ("id", "a-z, 0-9, _ and -"),
            ("name", "What its people call it"),
            ("rated_w", "What it draws when it is on, W"),
            (
                "phases",
                "The lines that it hangs on; not set: not known, counted on all",
            ),
            ("circuit", "The circuit that feeds it; not set: main"),
            ("min_on_s", "Least time on, s; gives way to the fuse"),
            ("min_off_s", "Least time off, s; always holds"),
            (
                "max_off_s",
                "Longest time off that was promised, s; gives way to the fuse",
            ),
            (
                "priority",
                "The larger number is served first and shed last; equal numbers share",
            ),
        ],
    ),
    (
        "slow_loads.driver",
        &[
            ("kind", "How it is reached"),
            ("profile", "Which device it is"),
            ("host", "Name or address, maybe with a port"),
            ("channel", "Which relay of the device, from 0"),
            ("password", "*** keeps the stored one"),
        ],
    ),
    ("slow_loads.driver.params", &[]),
];

/// The fields of a table in their order, with their comments.
pub(super) fn of(table: &str) -> &'static [(&'static str, &'static str)] {
    TABLES
        .iter()
        .find(|(name, _)| *name == table)
        .map_or(&[], |(_, fields)| fields)
}

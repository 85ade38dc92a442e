//! The product from outside: its binary, its ports, its files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::manual_assert,
    clippy::large_stack_arrays,
    clippy::print_stdout,
    clippy::format_collect,
    clippy::float_cmp,
    clippy::duration_suboptimal_units,
    clippy::too_many_lines,
    reason = "tests: a panic is a failure"
)]

mod api;
mod arrows;
mod backup;
mod bad_input;
mod canary;
mod captures;
mod charger_operations;
mod charger_test;
mod ciphered_meter;
mod circuit_meter;
mod closed_loop;
mod command_line;
mod configuration;
mod cut_test;
mod decode_cli;
mod demo;
mod documents;
mod doors;
mod engine_cli;
mod examples;
mod exports;
mod home_assistant;
mod homewizard_tls;
mod hostile_charge_points;
mod http_charger;
mod interop;
mod journal_start;
mod listen_cli;
mod missing_line;
mod modbus_charger;
mod modbus_meter;
mod mqtt_meter;
mod mqtt_relay;
mod network_meters;
mod notifications;
mod ocpp16_matrix;
mod ocpp201;
mod ocpp_clients;
mod ocpp_tls;
mod permissions;
mod replay;
mod simulate_cli;
mod tcp_meter;
mod telegrams;
mod traces;
mod two_connectors;

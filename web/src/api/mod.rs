//! The handlers, one file for each part of the contract's table.

pub(crate) mod accounts;
pub(crate) mod alarms;
pub(crate) mod backup;
pub(crate) mod charger_test;
pub(crate) mod chargers;
pub(crate) mod csv;
pub(crate) mod decisions;
pub(crate) mod diagnostics;
pub(crate) mod discovery;
pub(crate) mod driver;
pub(crate) mod energy;
pub(crate) mod events;
pub(crate) mod ids;
pub(crate) mod loads;
pub(crate) mod metrics;
pub(crate) mod people;
pub(crate) mod priorities;
pub(crate) mod readings;
pub(crate) mod site;
pub(crate) mod slow_loads;
pub(crate) mod versions;
pub(crate) mod what_if;

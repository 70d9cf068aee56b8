//! The command line as its users see it: real processes on the embedded broker in a folder of their own.
#![allow(clippy::unwrap_used)]

mod call;
mod claims;
mod doctor;
mod events;
mod finance;
mod finance_import;
mod finance_large;
mod finance_portfolios;
mod finance_setup;
mod finance_statements;
mod help;
mod ledgers;
mod logs;
mod message;
mod migrate;
mod outbox;
mod pty;
mod queues;
mod redis;
mod sandbox;
mod schedule;
mod schedule_stores;
mod settings;
mod telemetry;
mod up;
mod worker;
mod workers;

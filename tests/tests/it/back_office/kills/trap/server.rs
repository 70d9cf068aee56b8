//! The trap on a PostgreSQL server: a trigger that sleeps. The server does not notice that a process was killed before it has
//! something to say to it, so what it does for that process is ended here.

use testkit::{Postgres, wait_until};

use super::Trigger;
use crate::back_office::system::PATIENCE;

const SLEEP: &str = "CREATE OR REPLACE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(86400); RETURN coalesce(NEW, OLD); END $$";
/// The processes in the trap of a database.
const SLEEPERS: &str =
    "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
const SEQUENCES: &str = "DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT table_name, pg_get_serial_sequence(quote_ident(table_name), column_name) AS name, column_name
        FROM information_schema.columns WHERE table_schema = 'public' AND is_identity = 'YES' LOOP
      EXECUTE format('SELECT setval(%L, coalesce((SELECT max(%I) FROM %I), 0) + 1, false)',
        found.name, found.column_name, found.table_name);
    END LOOP; END $$";

pub(super) fn setting(trigger: &Trigger) -> Vec<String> {
    let made = trigger.made("EXECUTE FUNCTION trap()");
    [SLEEP.to_owned()].into_iter().chain(made).collect()
}

pub(super) async fn remove(server: &Postgres, database: &str) {
    server.sql_in(
        database,
        &format!("SELECT pg_terminate_backend(pid) {SLEEPERS}"),
    );
    wait_until(PATIENCE, async || !somebody_sleeps(server, database)).await;
    let triggers = "SELECT format('DROP TRIGGER %I ON %I', tgname, tgrelid::regclass::text) \
        FROM pg_trigger WHERE tgname LIKE 'trap\\_%'";
    for dropping in server.sql_in(database, triggers).lines() {
        server.sql_in(database, dropping);
    }
    continue_ids(server, database);
}

/// Lets ids go on where the rows end. A sequence does not go back with its transaction, nor for a row that was there already.
pub(in super::super) fn continue_ids(server: &Postgres, database: &str) {
    server.sql_in(database, SEQUENCES);
}

/// True while this run is on record and no other: what a kill would find in the middle of a mail is not meant here.
pub(super) fn runs_alone(server: &Postgres, database: &str, task_id: &str) -> bool {
    let started = "SELECT string_agg(task_id, ' ') FROM task_runs WHERE state = 'STARTED'";
    server.sql_in(database, started) == task_id
}

pub(super) fn somebody_sleeps(server: &Postgres, database: &str) -> bool {
    let count = server.sql_in(database, &format!("SELECT count(*) {SLEEPERS}"));
    count != "0"
}

"""Prints all that a data folder holds as one line of JSON: every row of every table of its finance database, and every other
file with its hash; without what differs from run to run. A second argument is the URL of a PostgreSQL database that is the
finance database instead."""

import hashlib
import json
import pathlib
import re
import sqlite3
import sys

# Columns whose values are the time at which something ran, or follow from it.
TIMES = {
    "created_at", "updated_at", "computed_at", "fetched_at", "imported_at", "opened_at", "closed_at", "acquired_at",
    "last_reconciled_at", "info_fetched_at", "processed_at", "checked_at", "sent_at", "quoted_at", "next_allowed_at",
    "started_at", "finished_at", "expires_at", "duration_ms",
}
# Further columns, each with the reason.
LEFT_OUT = {
    ("task_runs", "worker"): "the worker's host",
    ("cache_entries", "hits"): "counts readers, and a run that is repeated reads again",
    ("cache_entries", "version"): "counts writes, and a run that is killed after it has written writes again",
    ("portfolio_caches", "version"): "counts writes too",
    ("health_samples", "checks"): "latencies and free space",
    ("backups", "path"): "names the time",
    ("backups", "sha256"): "the backup holds times",
    ("backups", "bytes"): "the backup holds times",
    ("quotes", "price"): "the simulator's price of the moment",
    ("snapshots", "input_hash"): "covers when prices were fetched",
    ("ledger_states", "rests_on"): "names counts of writes, as revisions has them",
    ("metrics_5m", "bucket"): "a time",
    ("metrics_5m", "value"): "durations, and how many runs fell into the five minutes",
}

# Whole tables, each with the reason.
TABLES_LEFT_OUT = {
    "revisions": "counts how often rows were written, and a run that is repeated writes again",
    "refreshes": "names such a count",
}

# Ids that are made up for each call, the time in a backup's name, and how long a member of a chord took.
MADE_UP = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{8}T\d{6}\.\d{6}Z|duration_ms\W+\d+")


def plain(value):
    """Bytes as their text, or as their hash where they are none; JSON as its text, as a file has it."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True)
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return hashlib.sha256(value).hexdigest()


def of_file(file):
    """A connection, and the columns of each table."""
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlx%' AND name NOT LIKE 'sqlite%'"
    return database, {
        table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        for (table,) in database.execute(named)
    }


def of_server(url):
    """The same of a PostgreSQL database."""
    import psycopg

    database = psycopg.connect(url)
    tables = {}
    named = """SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT LIKE '%sqlx%' ORDER BY table_name, ordinal_position"""
    for table, column in database.execute(named):
        tables.setdefault(table, []).append(column)
    return database, tables


def rows(database, table, columns):
    kept = [name for name in columns if name not in TIMES and (table, name) not in LEFT_OUT]
    listed = database.execute(f"SELECT {', '.join(kept)} FROM {table}")
    found = [dict(zip(kept, map(plain, row))) for row in listed]
    for row in found:
        if measured(str(row.get("path"))):
            del row["bytes"], row["sha256"]
    found = sorted(found, key=as_json)
    if table == "metrics_5m":
        # Which five minutes a run falls into depends on how slow the machine is.
        found = [row for before, row in zip([None, *found], found) if row != before]
    return found


def as_json(value):
    """Decimals, dates and times as their text."""
    return json.dumps(value, default=str)


def measured(text):
    """An analysis of runs holds how long they took."""
    return "performance_analysis-" in text


def files(folder):
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not name.startswith("finance.db"):
            # A backup holds times.
            content = "" if name.startswith("backups/") or measured(name) else hashlib.sha256(path.read_bytes()).hexdigest()
            yield name, content


folder = pathlib.Path(sys.argv[1])
database, tables = of_server(sys.argv[2]) if len(sys.argv) > 2 else of_file(folder / "finance.db")
state = {table: rows(database, table, columns) for table, columns in tables.items() if table not in TABLES_LEFT_OUT}
state["files"] = list(files(folder))
print(MADE_UP.sub("made up", as_json(state)))

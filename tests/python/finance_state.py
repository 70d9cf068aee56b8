"""Prints what a finance database holds, without what differs from run to run: times, ids of tasks, sizes, and
locks, which a killed run leaves to run out by themselves."""

import json
import re
import sqlite3
import sys

QUERIES = {
    "transactions": "SELECT id, account_id, asset_id, type, trade_date, quantity, price, amount, fee, tax, currency, source, external_id, note FROM transactions ORDER BY id",
    "prices": "SELECT count(*), max(date) FROM prices",
    # Input hashes count how often prices were written, which a run that is repeated does once more.
    "analytics": "SELECT scope, scope_id, period, as_of, payload FROM analytics ORDER BY 1, 2, 3",
    # Alerts show the ids of notifications, which depend on the order of sending; the other entries that are left out are
    # answers under the hash of their input.
    "cache": "SELECT key, CAST(value AS TEXT) FROM cache_entries WHERE key NOT LIKE '%:alerts' AND (key LIKE 'dashboard:%' OR key LIKE 'portfolio:%' OR key LIKE 'user:%') ORDER BY key",
    "snapshots": "SELECT portfolio_id, snapshot_date, nav, cash, unrealised, day_return FROM snapshots ORDER BY 1, 2",
    "notifications": "SELECT user_id, type, subject, message, dedupe_key FROM notifications ORDER BY 1, 4",
    "actions": "SELECT user_id, action_id, action, outcome FROM user_actions ORDER BY 2",
    "reconciliations": "SELECT account_id, statement_id, status FROM reconciliations ORDER BY 1, 2",
    "breaks": "SELECT account_id, fingerprint, type, status FROM reconciliation_breaks ORDER BY 1, 2",
    "artefacts": "SELECT user_id, kind, format, sha256 FROM report_artifacts ORDER BY 1, 2, 3, 4",
    "runs": "SELECT name, state, count(*) FROM task_runs GROUP BY 1, 2 ORDER BY 1, 2",
}

# The last part of a file's name is of its input hash.
HASH_IN_NAME = re.compile(r"-[0-9a-f]{12}(?=\.\w+)")

database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=30)
state = {name: database.execute(query).fetchall() for name, query in QUERIES.items()}
print(HASH_IN_NAME.sub("", json.dumps(state)))

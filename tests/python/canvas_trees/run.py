"""Sends trees to one broker, waits until nothing is left to do there, and writes down what became of every task.

Arguments: seed, first number, number of trees, file for the outcome, and perhaps how many workers there are and how many
seconds each task takes. The broker's URL is in the environment. Prints a line when all trees are sent.
"""

import json
import sys
import time
from collections import Counter

from canvas import build
from plan import Planner, walk
from tasks import app, store

QUIET_ROUNDS = 5
PATIENCE = 600


def main(seed, first, count, path, workers, pause):
    trees = [Planner(seed, number).tree() for number in range(first, first + count)]
    revoke([node["id"] for tree in trees for node in walk(tree) if node.get("plan") == {"do": "revoke"}], workers)
    for tree in trees:
        build(tree, pause).apply_async()
    print("sent", flush=True)
    wait_until_quiet()
    with open(path, "w", encoding="utf-8") as file:
        json.dump(outcome(trees), file)


def revoke(ids, workers):
    """Revokes the tasks before they are sent, and waits until the workers know: one that starts slowly is told again."""
    replies, deadline = [], time.monotonic() + PATIENCE
    while ids and len(replies) < workers:
        assert time.monotonic() < deadline, f"of {workers} workers have answered: {replies}"
        replies = app.control.revoke(ids, reply=True, timeout=5, limit=workers)


def wait_until_quiet():
    quiet, deadline = 0, time.monotonic() + PATIENCE
    while quiet < QUIET_ROUNDS:
        assert time.monotonic() < deadline, f"still at work after {PATIENCE} s: {store.hlen('unacked')} held"
        quiet = quiet + 1 if is_idle() else 0
        time.sleep(0.1)


def is_idle():
    return store.llen("celery") == 0 and store.hlen("unacked") == 0


def outcome(trees):
    leaves = [node["id"] for tree in trees for node in walk(tree) if node["kind"] == "leaf"]
    return {
        "tasks": {leaf: meta(leaf) for leaf in leaves},
        "runs": table("trees.runs"),
        "again": table("trees.again"),
        "nesting": table("trees.nesting"),
        "notes": known(table("trees.notes"), leaves),
    }


def meta(task_id):
    stored = store.get(f"celery-task-meta-{task_id}")
    if stored is None:
        return ["PENDING", None]
    stored = json.loads(stored)
    return [stored["status"], stored["result"]]


def known(notes, leaves):
    """The notes, with one word for the random ids among what they are about: those of bodies that are chords."""
    found, leaves = Counter(), set(leaves)
    for key, count in notes.items():
        label, about = key.split(":")
        found[f"{label}:{about if about.isdigit() or about in leaves else 'a body'}"] += int(count)
    return found


def table(key):
    return {name.decode(): value.decode() for name, value in store.hgetall(key).items()}


if __name__ == "__main__":
    seed, first, count, path, workers, pause = [*sys.argv[1:], *["1", "0"]][:6]
    main(seed, int(first), int(count), path, int(workers), float(pause))

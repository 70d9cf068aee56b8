"""Compares what became of the same trees under Celery and under the conformance worker.

Arguments: the two files that `run.py` has written, Celery's first. Prints a line for each difference, and a summary last.
Exit status 1 when anything differs that should not.

One thing may differ: where Celery leaves a task for ever as it was (pending, or revoked before it was sent), because
something before it has failed, the conformance worker stores its failure and calls its errbacks. It is counted, and said
in the summary.

And where several members of a header with groups in it have failed, Celery tells of one by chance: it asks for them in the
order of a set. So which one it was is not compared.
"""

import json
import re
import sys
from collections import Counter

TABLES = ("tasks", "runs", "nesting", "notes")
BY_CHANCE = re.compile("Join error: .*")


def tree(key):
    """The tree that a task or a note belongs to."""
    return "-".join(key.split(":")[0].split(".")[0].split("-")[:2])


def certain(value):
    return BY_CHANCE.sub("Join error", json.dumps(value))


def differences(celery, ours):
    for table in TABLES:
        for key in sorted({*celery[table], *ours[table]}):
            pair = celery[table].get(key), ours[table].get(key)
            if certain(pair[0]) != certain(pair[1]):
                yield table, key, *pair


def is_told(table, left, right):
    return table == "tasks" and left[0] in ("PENDING", "REVOKED") and right[0] == "FAILURE"


def main(celery_path, our_path):
    with open(celery_path, encoding="utf-8") as celery, open(our_path, encoding="utf-8") as ours:
        celery, ours = json.load(celery), json.load(ours)
    found = list(differences(celery, ours))
    told = {key for table, key, *pair in found if is_told(table, *pair)}
    trees = {tree(key) for key in told}
    wrong = [
        (table, key, left, right)
        for table, key, left, right in found
        if key not in told and not (table == "notes" and left is None and tree(key) in trees)
    ]
    for difference in wrong:
        print("{} {}: {} | {}".format(*difference))
    states = Counter(state for state, _ in celery["tasks"].values())
    print(
        f"{len(celery['tasks'])} tasks, {dict(states)} in Celery; {len(told)} that Celery leaves as they were have failed; "
        f"{len(wrong)} differences"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

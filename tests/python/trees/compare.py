"""Compares what became of the same trees on two brokers; arguments: the two files that `run.py` has written.

Prints one line for each difference and the number of tasks last. Exit status 1 when anything differs.
"""

import json
import sys
from collections import Counter


def differences(left, right):
    for table in ("tasks", "runs", "nesting", "notes"):
        for key in sorted({*left[table], *right[table]}):
            pair = left[table].get(key), right[table].get(key)
            if pair[0] != pair[1]:
                yield f"{table} {key}: {pair[0]} | {pair[1]}"


def main(left_path, right_path):
    with open(left_path, encoding="utf-8") as left, open(right_path, encoding="utf-8") as right:
        left, right = json.load(left), json.load(right)
    found = list(differences(left, right))
    print("\n".join(found))
    states = Counter(state for state, _ in left["tasks"].values())
    print(f"{len(left['tasks'])} tasks, {dict(states)}, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

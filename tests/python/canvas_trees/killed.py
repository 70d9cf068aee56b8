"""Compares what became of the same trees on workers that lived and on workers that were killed.

Arguments: the two files that `run.py` has written, that of the living workers first. States, results and nesting are the
same; no message was sent twice, so there are no more first deliveries; and everything that ran there ran here.
"""

import json
import sys


def problems(living, killed):
    for table in ("tasks", "nesting"):
        for key in sorted({*living[table], *killed[table]}):
            pair = living[table].get(key), killed[table].get(key)
            if pair[0] != pair[1]:
                yield f"{table} {key}: {pair[0]} | {pair[1]}"
    for table in ("runs", "notes"):
        for key, count in sorted(killed[table].items()):
            wanted = int(living[table].get(key, 0))
            if int(count) > wanted:
                yield f"{table} {key}: {wanted} times | {count} times"
        for key in sorted(set(living[table]) - set(killed[table]) - set(killed["again"])):
            yield f"{table} {key} never"


def main(living_path, killed_path):
    with open(living_path, encoding="utf-8") as living, open(killed_path, encoding="utf-8") as killed:
        living, killed = json.load(living), json.load(killed)
    found = list(problems(living, killed))
    print("\n".join(found))
    print(f"{len(living['tasks'])} tasks, {len(killed['again'])} of them delivered again, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

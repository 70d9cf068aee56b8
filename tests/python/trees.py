"""Canvas trees as JSON, built and sent by Celery. The Rust drill client builds and sends the same trees.

    trees.py make SEED COUNT      random trees, one JSON text on each line
    trees.py run FILE             sends the trees of a file to a worker; what each gives, one JSON text on each line
    trees.py save                 sends a group, saves it and prints its id
    trees.py restore ID           what a saved group gives

A node is {"note": label} with "immutable" or "link" (a label) if wanted, {"chain": [...]}, {"group": [...]},
{"chord": [[...], body]}, {"chunks": [items, size]}, {"map": items} or {"starmap": items}. A note gives the list of its
arguments, so that the result tells who got what, in which order.
"""

import json
import random
import sys

from celery import chain, chord, group
from celery.result import GroupResult

from interop import app


@app.task(name="tree.note")
def note(*args):
    return list(args)


def pairs(count):
    return [[f"i{number}", f"j{number}"] for number in range(count)]


def built(tree):
    match tree:
        case {"note": label}:
            signature = note.si(label) if tree.get("immutable") else note.s(label)
            if "link" in tree:
                signature.link(note.s(tree["link"]))
            return signature
        case {"chain": steps}:
            return chain(*[built(step) for step in steps])
        case {"group": members}:
            return group([built(member) for member in members])
        case {"chord": [header, body]}:
            return chord([built(member) for member in header], built(body))
        case {"chunks": [items, size]}:
            return note.chunks(pairs(items), size)
        case {"map": items}:
            return note.map([f"i{number}" for number in range(items)])
        case {"starmap": items}:
            return note.starmap(pairs(items))
    raise ValueError(f"no such tree: {tree}")


class Trees:
    """Random trees without the shapes on which Celery's own worker gives no result."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.labels = 0

    def note(self):
        self.labels += 1
        tree = {"note": f"n{self.labels}"}
        if self.random.random() < 0.15:
            tree["immutable"] = True
        if self.random.random() < 0.1:
            tree["link"] = f"l{self.labels}"
        return tree

    def some(self, depth, low=1, high=3):
        return [self.tree(depth) for _ in range(self.random.randint(low, high))]

    def tree(self, depth):
        if depth == 0 or self.random.random() < 0.2:
            return self.note()
        kind = self.random.choice(["chain", "chain", "group", "chord", "map", "starmap"])
        if kind == "chain":
            return {"chain": self.some(depth - 1, 2, 4)}
        if kind == "group":
            return {"group": self.some(depth - 1, 2, 3)}
        if kind == "chord":
            return {"chord": [self.some(depth - 1), self.note()]}
        return {kind: self.random.randint(1, 3)}


def outcome(result):
    try:
        return {"value": result.get(timeout=60)}
    except Exception as error:  # noqa: BLE001 - the class is what is compared
        return {"error": type(error).__name__}


def main(command, *arguments):
    if command == "make":
        trees = Trees(int(arguments[0]))
        for _ in range(int(arguments[1])):
            print(json.dumps(trees.tree(3)))
    if command == "run":
        with open(arguments[0]) as file:
            results = [built(json.loads(line)).apply_async() for line in file]
        for result in results:
            print(json.dumps(outcome(result)))
    if command == "save":
        result = group(note.s("a"), note.s("b")).apply_async()
        result.save()
        print(result.id)
    if command == "restore":
        print(json.dumps(GroupResult.restore(arguments[0], app=app).get(timeout=60)))


if __name__ == "__main__":
    main(*sys.argv[1:])

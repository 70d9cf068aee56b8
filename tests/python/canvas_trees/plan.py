"""Random canvas trees as plain data. The same seed gives the same trees.

A node is a dictionary: `id`, `kind` (leaf, chain, group or chord), what it is made of, and perhaps `link` and
`link_error`, the labels of a callback and an errback.
"""

import random

DEPTH = 5
LEAVES = 24
WIDTH = 50
PLANS = {
    "return": 76,
    "fail": 7,
    "retry": 7,
    "exhaust": 2,
    "revoke": 3,
    "expire": 2,
    "replace": 3,
}


class Planner:
    """Makes one tree with at most so many leaves."""

    def __init__(self, seed, number):
        self.random = random.Random(f"{seed}/{number}")
        self.name = f"{seed}-{number}"
        self.left = self.random.choice([4, 8, 12, LEAVES])
        self.count = 0

    def tree(self):
        return self.composite(self.random.randint(2, DEPTH))

    def node(self, depth):
        if depth <= 1 or self.left <= 2 or self.random.random() < 0.45:
            return self.leaf()
        return self.composite(depth)

    def composite(self, depth):
        kind = self.random.choice(["chain", "group", "chord"])
        node = {"id": self.new_id(), "kind": kind}
        if kind == "chord":
            node["header"] = self.members(depth, self.width())
            node["body"] = self.node(depth - 1)
        else:
            node["tasks"] = self.members(depth, self.width())
        if kind == "chain":
            node["tasks"] = without_rows(node["tasks"])
            if [step["kind"] for step in node["tasks"]] == ["group"]:
                # Within another group Celery calls these tasks without the result of what was before.
                node["tasks"].append(self.leaf(simple=True))
        return self.with_links(node, 0.08)

    def members(self, depth, width):
        if self.random.random() < 0.02:
            return [self.leaf(simple=True) for _ in range(self.random.randint(10, WIDTH))]
        return [self.node(depth - 1) for _ in range(width)]

    def width(self):
        return self.random.choice([1, 2, 2, 3, 3, 4])

    def leaf(self, simple=False):
        self.left -= 1
        node = {"id": self.new_id(), "kind": "leaf", "weight": self.random.randrange(1_000)}
        do = "return" if simple else self.random.choices(list(PLANS), PLANS.values())[0]
        if do == "retry":
            node["plan"] = {"do": "retry", "times": self.random.randint(1, 2)}
        elif do == "exhaust":
            node["plan"] = {"do": "retry", "times": 9}
        elif do == "replace":
            node["plan"] = {"do": "replace", "with": unnamed(self.node(2))}
        else:
            node["plan"] = {"do": do}
        return self.with_links(node, 0.06)

    def with_links(self, node, chance):
        for name in ("link", "link_error"):
            if self.random.random() < chance:
                node[name] = f"{node['id']}.{name}"
        return node

    def new_id(self):
        self.count += 1
        return f"{self.name}-{self.count}"


def without_rows(steps):
    """Takes out groups and chords that stand directly behind one: of three in a row Celery sends the last ones once for
    each member of the one before.
    """
    kept = []
    for step in steps:
        if step["kind"] == "leaf" or not kept or kept[-1]["kind"] == "leaf":
            kept.append(step)
    return kept


def unnamed(node):
    """Takes the id from what gives the node's result: in a replacement that task has the id of the one it replaces."""
    if node["kind"] == "leaf":
        node["named"] = False
    elif node["kind"] == "chord":
        unnamed(node["body"])
    elif node["kind"] == "chain":
        unnamed(node["tasks"][-1])
    return node


def children(node):
    """The nodes directly below one, a replacement too."""
    found = list(node.get("tasks", [])) + list(node.get("header", []))
    if "body" in node:
        found.append(node["body"])
    if node.get("plan", {}).get("do") == "replace":
        found.append(node["plan"]["with"])
    return found


def walk(node):
    yield node
    for child in children(node):
        yield from walk(child)

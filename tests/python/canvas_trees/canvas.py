"""From a tree as plain data to Celery's canvas."""

from celery import chain, chord, group
from tasks import leaf, note


def build(tree, pause=0.0):
    """The canvas of a tree in which each task takes so many seconds."""

    def of(node):
        return with_links(node, builders[node["kind"]](node, of))

    def build_leaf(node, _of):
        plan = dict(node["plan"])
        if plan["do"] == "replace":
            plan["with"] = of(plan["with"])
        options = {"task_id": node["id"]} if node.get("named", True) else {}
        if plan["do"] == "expire":
            options["expires"] = -10
        return leaf.s(weight=node["weight"], plan=plan, pause=pause).set(**options)

    builders = {"leaf": build_leaf, "chain": build_chain, "group": build_group, "chord": build_chord}
    return of(tree)


def build_chain(node, of):
    return chain(*map(of, node["tasks"]))


def build_group(node, of):
    return group(list(map(of, node["tasks"])))


def build_chord(node, of):
    return chord(list(map(of, node["header"])), of(node["body"]))


def with_links(node, signature):
    if "link" in node:
        signature.link(note.s(label=node["link"]).set(task_id=f"{node['link']}-task"))
    if "link_error" in node:
        signature.link_error(note.s(label=node["link_error"]).set(task_id=f"{node['link_error']}-task"))
    return signature

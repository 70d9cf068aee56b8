"""From a tree as plain data to Celery's canvas."""

from celery import chain, chord, group
from tasks import leaf, note


def build(node):
    return with_links(node, BUILDERS[node["kind"]](node))


def build_leaf(node):
    plan = dict(node["plan"])
    if plan["do"] == "replace":
        plan["with"] = build(plan["with"])
    options = {"task_id": node["id"]} if node.get("named", True) else {}
    if plan["do"] == "expire":
        options["expires"] = -10
    return leaf.s(weight=node["weight"], plan=plan).set(**options)


def build_chain(node):
    return chain(*map(build, node["tasks"]))


def build_group(node):
    return group(list(map(build, node["tasks"])))


def build_chord(node):
    return chord(list(map(build, node["header"])), build(node["body"]))


def with_links(node, signature):
    if "link" in node:
        signature.link(note.s(label=node["link"]).set(task_id=f"{node['link']}-task"))
    if "link_error" in node:
        signature.link_error(note.s(label=node["link_error"]).set(task_id=f"{node['link_error']}-task"))
    return signature


BUILDERS = {
    "leaf": build_leaf,
    "chain": build_chain,
    "group": build_group,
    "chord": build_chord,
}

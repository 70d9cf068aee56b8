"""Chains, groups, chords and maps, in one another and with callbacks."""

from app import app, failure, get, key, lines, run, store, stored, task
from celery import chain, chord, group
from celery.canvas import chunks, xmap, xstarmap
from celery.result import GroupResult


def a_chain_passes_each_result_on():
    assert run(task("add", 1, 2) | task("add", 3) | task("add", 4)) == 10


def an_immutable_step_takes_no_result():
    assert run(task("add", 1, 2) | task("add", 20, 2).set(immutable=True)) == 22


def steps_know_their_root_and_parent():
    last = (task("ids", 1) | task("collect_ids", 2) | task("collect_ids", 3)).apply_async()
    (first, second), third = get(last)
    root, middle = last.parent.parent.id, last.parent.id
    assert first == [root, None, 1] or first[0] == [root, None, 1], first
    assert third == [root, middle, 3], third
    assert second is None or second == [root, root, 2], second


def a_group_keeps_its_order():
    members = [task("add", n, n) for n in range(20)]
    assert run(group(members)) == [2 * n for n in range(20)]


def a_group_in_a_group_is_laid_out_flat():
    inner = group(task("add", 1, 1), task("add", 2, 2))
    assert run(group(inner, task("identity", 9))) == [2, 4, 9]


def a_chord_sums_up_its_members():
    assert run(chord([task("add", n, n) for n in range(10)], task("tsum"))) == 90


def a_chord_of_nothing_calls_its_body():
    assert run(chord([], task("tsum"))) == 0


def a_chord_of_many_members_ends():
    assert run(chord([task("identity", n) for n in range(500)], task("tsum"))) == 499 * 250


def a_group_with_a_step_after_it_is_a_chord():
    steps = chain(task("identity", 1), group(task("add", 1), task("add", 2)), task("tsum"), task("add", 10))
    assert run(steps) == 15


def two_groups_in_a_row_meet():
    first = group(task("add", 1, 1), task("add", 2, 2))
    second = group(task("tsum"), task("xsum"))
    assert run(chain(first, second, task("tsum"))) == 12


def many_groups_in_a_row_run_each_task_once():
    name = key()
    echo = task("redis_echo", name, redis_key=name).set(immutable=True)
    one = group(task("identity", 1), task("identity", 2))
    assert run(chain(one, group(task("tsum"), task("tsum")), group(task("tsum"), echo), group(echo, echo, echo)))
    assert len(lines(name, 4)) == 4


def chords_nest_in_headers_and_bodies():
    inner = chord([task("add", 1, 1), task("add", 2, 2)], task("tsum"))
    outer = chord([inner, task("identity", 4)], task("tsum") | task("add", 100))
    assert run(outer) == 110
    assert run(chord([task("identity", 1)], chord([task("tsum"), task("xsum")], task("tsum")))) == 2


def a_group_at_the_end_of_a_chain_gives_a_list():
    assert run(chain(task("identity", 3), group(task("add", 1), task("add", 2)))) == [4, 5]


def chunks_and_maps_call_item_by_item():
    pairs = [(n, n) for n in range(7)]
    assert run(chunks(task("add"), pairs, 3).group()) == [[0, 2, 4], [6, 8, 10], [12]]
    assert run(xstarmap(task("add"), pairs[:3])) == [0, 2, 4]
    assert run(xmap(task("tsum"), [[1, 2], [3]])) == [3, 3]


def callbacks_get_the_result():
    name = key()
    canvas = chain(task("add", 1, 1), task("add", 2))
    canvas.link(task("redis_echo", redis_key=name))
    assert run(canvas) == 4
    assert lines(name, 1) == ["4"]


def callbacks_of_a_chords_body_run_once():
    name = key()
    body = task("tsum")
    body.link(task("redis_echo", redis_key=name))
    assert run(chord([task("identity", 2), task("identity", 3)], body)) == 5
    assert lines(name, 1) == ["5"]


def a_result_knows_its_children_and_parents():
    last = chain(task("add", 1, 1), task("add", 2), task("add", 3)).apply_async()
    assert get(last) == 7
    first = last.parent.parent
    assert [value for _, value in first.collect()] == [2, 4, 7]


def a_group_is_saved_and_restored():
    result = group(task("add", n, 1) for n in range(5)).apply_async()
    result.save()
    again = GroupResult.restore(result.id, app=app)
    assert again == result and get(again) == [1, 2, 3, 4, 5]
    assert again.completed_count() == 5 and again.successful()
    again.delete()
    assert GroupResult.restore(result.id, app=app) is None


def a_task_that_builds_a_canvas_returns_its_handle():
    handle = run(task("build_chain_inside_task"))
    assert len(handle) == 2 and isinstance(handle[0][1], list), handle


def signatures_are_values():
    for outer in ("chain", "group", "chord"):
        for inner in ("chain", "group", "chord"):
            made = task(f"return_nested_signature_{outer}_{inner}")
            assert run(made | task("rebuild_signature")) is None


def a_broken_signature_is_a_type_error():
    name, _ = failure(task("rebuild_signature", {"task": 1}).apply_async())
    assert name == "TypeError", name


def protocol_1_chains_end_as_well():
    app.conf.task_protocol = 1
    try:
        assert run(task("add", 1, 2) | task("add", 3)) == 6
        assert run(chord([task("add", 1, 2), task("add", 3, 4)], task("tsum"))) == 10
    finally:
        app.conf.task_protocol = 2


def stamps_reach_every_task_of_a_canvas():
    canvas = chain(task("add", 1, 1), group(task("add", 1), task("add", 2)))
    canvas.stamp(customer="c-7")
    members = canvas.apply_async()
    assert get(members) == [3, 4]
    for one in (members.parent, *members):
        meta = stored(one.id)
        assert (meta["stamped_headers"], meta["customer"]) == (["customer"], "c-7"), meta


def of_a_chord_only_the_claim_is_left():
    result = chord([task("identity", n) for n in range(4)], task("tsum")).apply_async()
    assert get(result) == 6
    left = list(store.scan_iter(match=f"celery-taskset-meta-{result.parent.id}*"))
    assert left == [f"celery-taskset-meta-{result.parent.id}.c"], left

"""Failures: what they look like, what follows from them, and who is told."""

from app import ExpectedException, app, calls, failure, get, key, lines, run, store, stored, task, until
from celery import chain, chord, group
from celery.result import AsyncResult

EXPECTED = ("ExpectedException", ("Task expected to fail",))


def state(result):
    until(lambda: result.ready(), lambda: f"{result.id}: {result.state}")
    return result.state


def an_exception_comes_back_as_its_class():
    assert failure(task("fail", "x", 1).apply_async()) == ("ExpectedException", ("Task expected to fail", "x", 1))
    result = task("fail").apply_async()
    try:
        get(result)
    except ExpectedException:
        return
    raise AssertionError("not the client's own class")


def wrong_arguments_are_a_type_error():
    name, args = failure(task("add", 1).apply_async())
    assert name == "TypeError" and "'y'" in args[0], args


def an_unknown_task_fails_alone_in_its_group():
    result = group(task("nowhere"), task("identity", 1)).apply_async()
    assert failure(result[0])[0] == "NotRegistered"
    assert get(result[1]) == 1


def the_rest_of_a_failed_chain_fails_too():
    last = chain(task("identity", 1), task("fail"), task("add", 1), task("add", 2)).apply_async()
    assert failure(last) == ("ExpectedException", ("Task expected to fail", 1))
    assert state(last.parent) == "FAILURE" and state(last.parent.parent.parent) == "SUCCESS"


def an_old_errback_gets_the_failed_id():
    result = task("fail").apply_async(link_error=task("errback_old_style"))
    assert failure(result) == EXPECTED
    assert calls(result.id, 1) == 1


def a_new_errback_is_called_in_the_worker():
    result = task("fail").apply_async(link_error=task("errback_new_style"))
    assert failure(result) == EXPECTED
    assert calls(result.id, 1) == 1


def errbacks_keep_their_own_arguments():
    result = task("fail").apply_async(
        link_error=[
            task("errback_old_style_with_args", label="old"),
            task("errback_new_style_with_args", label="new"),
        ]
    )
    assert failure(result) == EXPECTED
    assert lines(result.id, 2) == ["new", "old"]


def an_immutable_errback_takes_nothing():
    name = key()
    result = task("fail").apply_async(link_error=task("redis_count", name).set(immutable=True))
    assert failure(result) == EXPECTED
    assert calls(name, 1) == 1


def a_chains_errback_is_called_once():
    name = key()
    canvas = chain(task("identity", 1), task("fail"), task("identity"))
    canvas.on_error(task("redis_count", name).set(immutable=True))
    assert failure(canvas.apply_async())[0] == "ExpectedException"
    assert calls(name, 1) == 1


def a_failed_member_fails_the_chords_body():
    body = task("tsum").on_error(task("errback_old_style"))
    result = chord([task("identity", 1), task("fail"), task("identity", 3)], body).apply_async()
    assert failure(result)[0] in ("ExpectedException", "ChordError")
    assert calls(result.id, 1) == 1


def a_body_fails_once_however_many_members_do():
    body = task("tsum").on_error(task("errback_new_style"))
    result = chord([task("fail") for _ in range(5)], body).apply_async()
    failure(result)
    assert calls(result.id, 1) == 1


def what_follows_a_failed_chord_fails_too():
    body = task("tsum").set(task_id=key())
    failure(chain(group(task("fail"), task("identity", 1)), body, task("add", 1)).apply_async())
    assert state(AsyncResult(body.options["task_id"], app=app)) == "FAILURE"


def a_failed_body_calls_its_errback():
    body = task("fail").on_error(task("errback_old_style"))
    result = chord([task("identity", 1)], body).apply_async()
    assert failure(result)[0] == "ExpectedException"
    assert calls(result.id, 1) == 1


def an_inner_chords_failure_reaches_the_outer_body():
    inner = chord([task("fail"), task("identity", 1)], task("tsum"))
    result = chord([inner, task("identity", 2)], task("tsum")).apply_async()
    assert failure(result)[0] in ("ExpectedException", "ChordError")


def a_revoked_member_fails_the_chord():
    members = [task("identity", 1), task("identity", 2).set(task_id=key())]
    app.control.revoke([members[1].options["task_id"]], reply=True, timeout=10, limit=1)
    result = chord(members, task("tsum")).apply_async()
    name, args = failure(result)
    assert name in ("ChordError", "TaskRevokedError"), (name, args)
    assert stored(members[1].options["task_id"])["status"] == "REVOKED"


def an_expired_member_fails_the_chord():
    members = [task("identity", 1), task("identity", 2).set(task_id=key(), expires=-10)]
    result = chord(members, task("tsum")).apply_async()
    failure(result)
    assert AsyncResult(members[1].options["task_id"], app=app).state == "REVOKED"


def a_rejected_task_says_so():
    name, args = failure(task("reject_without_requeue").apply_async())
    assert (name, args) == ("Reject", ("rejected", False)), (name, args)
    assert run(task("reject_then_succeed")) == "second-pass"


def a_failed_chord_keeps_what_its_members_left():
    result = chord([task("fail"), task("identity", 1)], task("tsum")).apply_async()
    failure(result)
    assert state(result) == "FAILURE"
    left = f"celery-taskset-meta-{result.parent.id}.j"
    assert store.zcard(left) == 2 and store.ttl(left) > 0, store.ttl(left)


def what_follows_a_task_and_cannot_be_sent_is_its_failure():
    store.set("unsendable", "no list")
    unsendable = task("add", 1).set(queue="unsendable")
    linked = task("add", 1, 2).apply_async(link=unsendable)
    assert failure(linked)[0] == "EncodeError"
    assert failure((task("add", 1, 2) | unsendable).apply_async())[0] == "EncodeError"
    result = chord([task("add", 1, 2), task("add", 3, 4)], unsendable.clone()).apply_async()
    assert failure(result)[0] in ("ChordError", "EncodeError")
    assert failure(task("fail").apply_async(link_error=unsendable))[0] in ("ExpectedException", "EncodeError")
    until(lambda: not store.hlen("unacked"), "messages are held after their end")

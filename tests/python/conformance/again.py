"""Tasks that run again or go on as something else."""

from app import app, failure, get, has_line, key, run, task
from celery import chain, chord, group

# What the instrumentations of producers add: texts, a number, and an object that holds them once more.
TRACING = {
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "sentry-trace": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
    "baggage": "sentry-environment=test",
    "sentry-task-enqueued-time": 1795184312.138,
    "headers": {"sentry-trace": "0af7", "sentry-task-enqueued-time": 1795184312.138},
}


def a_retried_task_is_counted():
    assert run(task("retry_once")) == 1
    assert run(task("retry_once") | task("add", 1)) == 2


def an_exhausted_retry_fails_with_its_cause():
    result = task("retry_unpickleable", "a", "b", retry_kwargs={"countdown": 0, "max_retries": 1}).apply_async()
    name, _ = failure(result)
    assert name in ("UnpickleableException", "UnpickleableExceptionWrapper"), name


def errors_are_retried_by_themselves():
    assert run(app.signature("auto_retry_class_task")) == 1


def retried_members_keep_their_place_in_a_chord():
    members = [task("retry_once"), task("identity", 7), task("retry_once")]
    assert run(chord(members, task("identity"))) == [1, 7, 1]


def a_retry_keeps_priority_and_headers():
    assert run(task("retry_once_priority"), priority=7) == 7
    seen = run(task("retry_once_headers"), headers={"x-tenant": "t-1"})
    assert seen["x-tenant"] == "t-1", seen


def tracing_headers_survive_a_retry():
    seen = run(task("retry_once_headers"), headers=TRACING)
    assert {name: seen.get(name) for name in TRACING} == TRACING, seen


def tracing_headers_survive_a_replacement():
    replaced = task("replace_with_stamped_task", replace_with=dict(task("retry_once_headers")))
    seen = run(replaced, headers=TRACING)
    assert seen["traceparent"] == TRACING["traceparent"], seen
    assert seen["sentry-trace"] == TRACING["sentry-trace"], seen


def an_extra_header_of_a_scheduler_is_kept():
    seen = run(task("retry_once_headers"), headers={"periodic_task_name": "every second"})
    assert seen["periodic_task_name"] == "every second", seen


def a_task_goes_on_as_another():
    assert run(task("add_replaced", 2, 3)) == 5
    assert run(task("add_replaced_with_chain", 2, 3) | task("add", 1)) == 6


def a_group_in_place_of_a_task_gives_a_list():
    assert run(task("add_to_all", [1, 2, 3], 10)) == [11, 12, 13]
    assert run(chain(task("add_to_all", [1, 2], 1), task("add_to_all", 1), task("tsum"))) == 7
    assert run(task("replace_with_chain_which_contains_a_group")) == [4, 4]


def a_replaced_member_is_counted_in_its_chord():
    header = group(task("add_replaced", 1, 1), task("add_to_all", [1, 2], 1), task("identity", 5))
    assert run(chord(header, task("identity"))) == [2, [2, 3], 5]


def a_replacement_tells_its_callbacks():
    run(task("replace_with_chain", 3, link_msg=(name := key())))
    has_line("redis-echo", name)


def a_failed_replacement_tells_its_errbacks():
    result = task("replace_with_chain_which_raises", 3, link_msg=(name := key())).apply_async()
    assert failure(result) == ("ValueError", ("deliberate error",))
    has_line("redis-echo", name)


def nothing_can_replace_a_task():
    assert failure(task("replace_with_empty_chain").apply_async())[0] == "ImproperlyConfigured"


def replacements_count_their_depth():
    assert run(task("record_replaced_task_nesting", 3)) == [0, 1, 2, 3]


def a_chord_grows_while_it_runs():
    header = [task("add_to_all_to_chord", [1, 2, 3], 4), task("identity", 5)]
    assert sorted(run(chord(header, task("identity")))) == [0, 5, 5, 6, 7]
    grown = group(task("add_chord_to_chord", [1, 2], 3), task("identity", 1))
    assert get(chord(grown, task("tsum")).apply_async()) == 10


def a_soft_time_limit_reaches_the_task():
    assert run(task("delayed_sum_with_soft_guard", [1], 30), soft_time_limit=1) == 0


def a_hard_time_limit_ends_it():
    name, _ = failure(task("sleeping", 30).apply_async(time_limit=1))
    assert name == "TimeLimitExceeded", name

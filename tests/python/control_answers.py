"""Asks the Rust worker everything that `celery inspect` and `celery control` can, and checks the answers' shapes; argument: worker."""

import sys

from kombu import Exchange

from interop import app

WORKER = sys.argv[1]


def ask(command, **arguments):
    """The worker's answer."""
    replies = app.control.broadcast(command, arguments, destination=[WORKER], reply=True, timeout=20)
    assert len(replies) == 1, (command, replies)
    return replies[0][WORKER]


def says(wanted, command, **arguments):
    answer = ask(command, **arguments)
    assert list(answer.values()) == [wanted], (command, answer)


def inspects():
    assert ask("ping") == {"ok": "pong"}
    stats = ask("stats")
    assert {"broker", "clock", "pid", "pool", "prefetch_count", "rusage", "total", "uptime"} <= set(stats), stats
    assert {"implementation", "max-concurrency", "processes", "timeouts", "writes"} <= set(stats["pool"]), stats
    assert isinstance(stats["clock"], str) and len(stats["rusage"]) == 16, stats
    assert stats["broker"]["transport"] == "redis" and len(stats["broker"]) == 15, stats
    for command in ("active", "reserved", "scheduled"):
        assert ask(command) == [], command
    assert [queue["name"] for queue in ask("active_queues")] == ["celery"]
    assert "drill.record" in str(ask("registered", taskinfoitems=["rate_limit"]))
    assert "broker_url" in ask("conf")
    assert "worker_prefetch_multiplier" in ask("conf", with_defaults=True)
    assert "software -> celery:" in ask("report")["ok"]
    assert isinstance(ask("clock")["clock"], int)
    assert ask("query_task", ids=["unknown"]) == {}
    assert ask("memsample").endswith("MB")
    assert "rss (end)" in ask("memdump")
    says("ImportError('Requires the objgraph library')", "objgraph")


def controls():
    says("new rate limit set successfully", "rate_limit", task_name="drill.record", rate_limit="10/m")
    assert "drill.record [rate_limit=10/m]" in ask("registered")
    says("rate limit disabled successfully", "rate_limit", task_name="drill.record", rate_limit=0)
    says("time limits set successfully", "time_limit", task_name="drill.record", soft=30, hard=60)
    says("pool will grow", "pool_grow", n=2)
    says("pool will shrink", "pool_shrink", n=1)
    says("ValueError('Autoscale not enabled')", "autoscale", max=3, min=1)
    says("ValueError('Pool restarts not enabled')", "pool_restart")
    says("add consumer extra", "add_consumer", queue="extra")
    assert [queue["name"] for queue in ask("active_queues")] == ["celery", "extra"]
    says("no longer consuming from extra", "cancel_consumer", queue="extra")
    says("add consumer orders", "add_consumer", queue="orders", exchange="shop", exchange_type="topic", routing_key="order.#")
    # Without the declaration kombu takes an exchange for a direct one, and a pattern for a key.
    shop = {"exchange": "shop", "declare": [Exchange("shop", type="topic")]}
    result = app.send_task("drill.echo", args=["bound"], routing_key="order.new", **shop)
    assert result.get(timeout=30) == "bound"
    says("task events enabled", "enable_events")
    says("task events already enabled", "enable_events")
    says("task events disabled", "disable_events")
    assert ask("heartbeat") is None
    says("tasks {'abc'} flagged as revoked", "revoke", task_id="abc")
    says("terminate: tasks unknown", "terminate", signal="TERM", task_id="xyz")
    says(
        "headers {'batch': 'b1'} flagged as revoked, but not terminated",
        "revoke_by_stamped_headers",
        headers={"batch": "b1"},
    )
    assert ask("revoked") == ["abc", "xyz"]


inspects()
controls()
print("ok")

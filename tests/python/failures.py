"""How failures of the Rust worker look to a Python client: the class, its arguments, and which state is stored."""

from interop import app


def raised(result):
    try:
        result.get(timeout=30)
    except Exception as error:  # noqa: BLE001 - the class is what is looked at
        return type(error).__name__, str(error)
    raise AssertionError("the task was expected to fail")


name, text = raised(app.send_task("drill.fail", ["boom"]))
assert (name, text) == ("ValueError", "boom"), (name, text)
name, text = raised(app.send_task("drill.echo", []))
assert name == "TypeError" and "missing 1 required positional argument: 'value'" in text, (name, text)
name, text = raised(app.send_task("drill.unknown"))
assert name == "NotRegistered", (name, text)
print("ok")

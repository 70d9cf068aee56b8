"""Calls the finance task by its name, waits for the result as a Python program would, and prints it as JSON."""

import json

from interop import app

result = app.send_task(
    "finflow.core.tasks.refresh_portfolio_analytics",
    kwargs={"full": True},
    queue="analytics",
)
print(json.dumps(result.get(timeout=60)))

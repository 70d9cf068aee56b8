"""OpenTelemetry on the Python side. As a worker's application it prints a line for each of its spans; run as a script it sends
tasks to the conformance worker within a span, and looks at what headers they are run with."""

import sys

from celery import signature
from interop import app
from opentelemetry import trace
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

PATIENCE = 60


def line(span):
    parent = f"{span.parent.span_id:016x}" if span.parent else "none"
    return f"span {span.context.trace_id:032x} {parent} {span.kind.name} {span.name}\n"


provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr, formatter=line)))
trace.set_tracer_provider(provider)
CeleryInstrumentor().instrument()


def task(name, *args, **kwargs):
    return signature(f"t.integration.tasks.{name}", args=args, kwargs=kwargs, app=app)


def run(called):
    return called.apply_async().get(timeout=PATIENCE)


def main():
    with trace.get_tracer(__name__).start_as_current_span("test") as span:
        wanted = f"{span.get_span_context().trace_id:032x}"
        assert run(task("add", 2, 3)) == 5
        retried = run(task("retry_once_headers"))
        replaced = run(task("replace_with_stamped_task", replace_with=dict(task("retry_once_headers"))))
    for headers in (retried, replaced):
        _, found, _, _ = headers["traceparent"].split("-")
        assert found == wanted, (headers, wanted)
    print("ok")


if __name__ == "__main__":
    main()

"""Runs every check against the conformance worker, in this one process, and prints how many there were."""

import inspect
import sys
import traceback

import again
import canvas
import errors


def checks(module):
    for _, check in inspect.getmembers(module, inspect.isfunction):
        if check.__module__ == module.__name__ and not inspect.signature(check).parameters:
            yield check


def main(wanted):
    failed = []
    found = [check for module in (canvas, errors, again) for check in checks(module) if wanted in check.__name__]
    for check in found:
        try:
            check()
        except Exception:  # noqa: BLE001 - every check is run, and all failures are told
            failed.append(check.__name__)
            print(f"{check.__name__}:\n{traceback.format_exc()}", file=sys.stderr)
    print(f"{len(found) - len(failed)} of {len(found)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))

#!/usr/bin/env python3
"""Judges audit logs by their chain alone: docs/format.md, written a second time.

    verify.py DIR...

It needs Python 3.11 alone, and shares no code with this project's own verifier, so that a mistake
in one of the two shows as a disagreement. It knows no keys and no heads kept elsewhere, so it
judges the form and the place of seals alone, ignores `checkpoints/`, and cannot see that a tail was
cut off at the end of a record. It reads a segment into memory. For one DIR it prints the verdict
and why, up to the first tampering; for several a line each. The exit status is that of the worst:
0 consistent, 4 torn, 3 unverifiable, 1 truncated or tampered, 2 where it could not look.
"""

import os, sys

# Python's isolated mode does not look beside a script.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True

from verify.form import need
from verify.log import VERDICTS, Log

STATUS = [0, 4, 3, 1, 1, 2]


def judge(path):
    """All that can be said of a log."""
    log = Log()
    try:
        names = sorted(name for name in os.listdir(path) if name.endswith(".audit.jsonl"))
        for log.name in names:
            log.read(os.path.join(path, log.name))
        log.line = 0
        if not names:
            log.forget("there is no segment")
        if log.torn:
            log.add("torn", "it ends as a crash leaves it")
        need(log.explained or log.unsure or log.first() in [0, *log.begins],
             "the log does not begin at seq 0, and no segments_pruned says why")
    except ValueError as error:
        log.add("tampered", error)
    except Exception as error:  # Whatever went wrong here is no verdict.
        log.add("could-not-look", error)
    return log


def main(paths):
    if not paths or paths[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    worst = 0
    try:
        for path in paths:
            log = judge(path)
            worst = max(worst, log.worst)
            print(f"{VERDICTS[log.worst]} {ascii(path)[1:-1]}",
                  *(log.faults if len(paths) == 1 else ()), sep="\n  ", flush=True)
    except (OSError, KeyboardInterrupt):  # Nobody has read it, so no status may be a verdict.
        os._exit(2)  # The interpreter's own end would write once more, and complain.
    return STATUS[worst]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

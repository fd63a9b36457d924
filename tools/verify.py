#!/usr/bin/env python3
"""Judges audit logs by their chain alone: docs/format.md, written a second time.

    verify.py DIR...

It needs Python 3.11 alone, and shares no code with this project's own verifier, so that a mistake
in one of the two shows as a disagreement. It knows no keys and no heads kept elsewhere, ignores
`checkpoints/`, and cannot see that a tail was cut off at the end of a record. It reads a segment
into memory. For one DIR it prints the verdict and why, up to the first tampering; for several a
line each. The exit status is that of the worst: 0 consistent, 4 torn, 3 unverifiable, 1 truncated
or tampered, 2 where it could not look.
"""

import datetime, hashlib, itertools, json, os, re, stat, sys

VERDICTS = ["consistent", "torn", "unverifiable", "truncated", "tampered", "could-not-look"]
STATUS = [0, 4, 3, 1, 1, 2]
LINE_MAX, DEPTH_MAX, SEQ_MAX, COUNT_MAX = 65_535, 32, 2**53 - 1, 2**64 - 1

RECORD = re.compile(r"""
    \{"v":1,"seq":(?P<seq>0|[1-9][0-9]{0,15})
    ,"audit_id":"audit-(?P<service>[A-Za-z0-9][A-Za-z0-9._-]{0,40})-(?P<seq_in_hex>[0-9a-f]{16})"
    ,"timestamp":"(?P<time>[^"]*)","service_id":"(?P=service)","event":(?P<event>.*)
    ,"prev_hash":"(?P<prev_hash>[0-9a-f]{64})","hash":"(?P<hash>[0-9a-f]{64})"\}\n""", re.VERBOSE)
SEAL = re.compile(rb',"hash":"[0-9a-f]{64}"\}')
# A text of JSON, and what may stand between such texts.
QUOTED = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
BARE = re.compile(r'[]{}[:,"0-9a-zE.+-]*')

# The writer's own events and parts of them: each member with its form, which is int, or one of
# TEXTS, or a part; or after * a list of what has this form; or after ? it may be absent.
FORMS = {kind: dict(form.split(":") for form in forms) for kind, *forms in map(str.split, """\
segment_opened log_id:id merkle_frontier:*hex previous:?previous continues:?continues
previous file:name last_seq:int last_hash:hex
continues log_id:id head:head
log_recovered file:name offset:int bytes:int sha256:hex valid_records:int kind:tail
log_opened writer:str flush_mode:str unsynced_max_bytes:int \
    host:?str pid:?int boot_id:?str vkey:?str
events_lost count:int critical_count:int reason:loss first:time last:time sha256:?hex
segment_missing file:name first_seq:int last_seq:int last_hash:hex reason:miss
segments_pruned first_seq:int last_seq:int last_hash:hex merkle_frontier:*hex files:*file reason:str
file name:name size:int sha256:hex
damage_found file:str offset:int code:str
disk_full available_bytes:int
checkpoint_signed size:int root:root key_id:str
key_changed old_vkey:str new_vkey:str old_signature:str new_signature:str
format_changed to:int
log_closed""".split("\n"))}
WRITERS = FORMS.keys() - {"previous", "continues", "file"}
DATE = "(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
TEXTS = {"str": "(?s:.*)", "hex": "[0-9a-f]{64}", "tail": "torn|zeros|superseded|unreadable",
         "root": "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", "id": "[0-9a-f]{32}",
         "head": "(?P<seq>0|[1-9][0-9]{0,15}):[0-9a-f]{64}", "pointer": "(/([^~/]|~[01])*)+",
         "name": f"(?P<seq>[0-9]{{20}})[.]{DATE}[.]audit[.]jsonl",
         "time": DATE + "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{9}Z",
         "loss": "queue_full|disk_full|refused|io_error", "miss": "unlinked|replaced|size_changed"}
# After what some of them stand in a segment; and after what nothing does.
AFTER = {"log_recovered": ["segment_opened"], "log_opened": ["segment_opened", "log_recovered"]}
ENDS, ABSENT = ("log_closed", "format_changed"), object()


def need(holds, otherwise):
    """Whatever is a ValueError is tampering, also where Python itself finds it."""
    if not holds:
        raise ValueError(otherwise)


def fits(form, value):
    """Whether a value has a form of the tables."""
    if form[0] == "?":
        return value is ABSENT or fits(form[1:], value)
    if form[0] == "*":
        return type(value) is list and all(fits(form[1:], item) for item in value)
    if form in FORMS:
        return type(value) is dict and all(
            fits(inner, value.get(key, ABSENT)) for key, inner in FORMS[form].items())
    if form == "int":
        return type(value) is int and value <= COUNT_MAX
    found = type(value) is str and re.fullmatch(TEXTS[form], value)
    parts = {"seq": 0, "date": "2000-01-01"} | (found.groupdict() if found else {})
    # Not every such date is in the calendar. Python's has no year 0, which is like the year 400.
    datetime.date.fromisoformat(re.sub("^0000", "0400", parts["date"]))
    return bool(found) and int(parts["seq"]) <= SEQ_MAX


def unique(pairs):
    need(len(dict(pairs)) == len(pairs), "a key stands twice in one object")
    return dict(pairs)


def strict(payload):
    """The event in what stands between "event": and prev_hash, with its pointers judged."""
    bare = QUOTED.sub('""', payload)
    need(BARE.fullmatch(bare), "white space, a bad escape or a stray character in its event")
    depths = itertools.accumulate((sign in "{[") - (sign in "}]") for sign in bare)
    need(max(depths, default=0) <= DEPTH_MAX, "its event is nested too deep")
    # Only a number that can be a count is read, since the range of others is not judged.
    members = json.loads(
        f'{{"event":{payload}}}', object_pairs_hook=unique, parse_float=lambda text: None,
        parse_int=lambda text: int(text) if text.isdigit() and len(text) <= 20 else None)
    need(list(members) in (["event"], ["event", "sanitized"]), "another member after its event")
    event, pointers = members["event"], members.get("sanitized", [""])
    need(type(event) is dict and next(iter(event), "") == "event_type"
         and type(event["event_type"]) is str, "its event does not begin with its type")
    need(pointers == [""] or fits("*pointer", pointers)
         and 1 <= len(set(pointers)) == len(pointers) <= 32, "its pointers are none")
    json.dumps(members, ensure_ascii=False).encode()  # Not with half a surrogate pair.
    return event


def sealed(line):
    """Whether a line is whole and has a right hash."""
    digest = hashlib.sha256(b"\0" + line[:-76]).hexdigest()
    return line[-76:] == b',"hash":"%s"}\n' % digest.encode() and len(line) <= LINE_MAX + 1


def record(line):
    """A whole record, taken apart, and nothing; or nothing, and why it is none."""
    try:
        need(sealed(line), "its hash is not right, or it is no whole line")
        found = RECORD.fullmatch(line.decode())
        need(found and int(found["seq"]) == int(found["seq_in_hex"], 16) <= SEQ_MAX
             and fits("time", found["time"]), "it is not written as a record")
        return found.groupdict() | {"seq": int(found["seq"]), "event": strict(found["event"])}, None
    except ValueError as error:
        return None, error


def crash(lines, start, why):
    """What is in a tail, which begins at this byte and has to look like a crash."""
    tail, before, valid = b"".join(lines), "nothing that a record follows", 0
    for line in lines:
        whole, _ = record(line)
        begins = (line[:seal.end()] + b"\n" for seal in SEAL.finditer(line[:-1]))
        is_unfinished = not line.endswith(b"\n") and len(line) <= LINE_MAX
        need(before in (None, whole["prev_hash"]) if whole else b"\0" in line
             or is_unfinished and not any(record(begin)[0] for begin in begins), why)
        before, valid = whole and whole["hash"], valid + bool(whole)
    for run in re.finditer(rb"(\A|\n)?(\0+)", tail):
        need((run[1] is not None or (start + run.start(2)) % 512 == 0)
             and (run.end() == len(tail) or (start + run.end()) % 512 == 0), why)
    return {"offset": start, "bytes": len(tail), "valid_records": valid,
            "sha256": hashlib.sha256(tail).hexdigest()}


class Log:
    """What is known of a log between one record and the next."""

    def __init__(self):
        self.worst, self.faults, self.starts, self.explained, self.line = 0, [], {}, False, 0
        self.service = self.log_id = self.version = None
        self.forget()

    def forget(self, why=None):
        """Goes on behind a segment that cannot be judged, like at the beginning."""
        if why:
            self.add("unverifiable", why)
        self.version, self.unsure = self.version and b'{"v":', why is not None
        self.seq = self.hash = self.frontier = self.last = self.before = self.tail = None
        self.due, self.limit = False, COUNT_MAX

    def add(self, verdict, text):
        self.worst = max(self.worst, VERDICTS.index(verdict))
        place = f"{self.name}, line {self.line}: " if self.line else ""
        self.faults.append(ascii(f"{place}{verdict}: {text}")[1:-1])

    def read(self, path):
        """A segment. No link is followed, and no pipe or device is opened."""
        self.line = 0
        need(fits("name", self.name), "a name that no segment has")
        try:
            need(stat.S_ISREG(os.lstat(path).st_mode), "no regular file")
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                lines = file.readlines()
        except (OSError, MemoryError) as error:
            return self.forget(f"it cannot be read: {error}")
        need(lines, "no first record")
        if not self.version:
            return self.segment(lines)
        for self.line, line in enumerate(lines, 1):
            need(sealed(line) and line.startswith(self.version) or self.line > 1 and (
                b"\0" in line or not line.endswith(b"\n")), "its version or its hash is not right")
        self.forget("a version of the format that is not known here")

    def segment(self, lines):
        whole, why = 0, None
        for self.line, line in enumerate(lines, 1):
            found, why = record(line)
            if why:
                break
            self.step(found, found["event"]["event_type"], found["event"], found["seq"])
            whole = self.line
        tail = crash(lines[whole:], len(b"".join(lines[:whole])), why)
        need(whole and not self.due, "the records that are due at its beginning are not there")
        need(not self.tail, "the tail of the segment before is not accounted for")
        need(not tail["bytes"] or self.last not in ENDS and tail["bytes"] <= self.limit,
             "a tail where none is left, or longer than what the writer leaves unsynced")
        self.before, self.tail = self.name, tail["bytes"] and {**tail, "file": self.name}

    def step(self, whole, kind, event, seq):
        """Goes on with a record: whether it follows, and what the writer says in it."""
        link, last = whole["prev_hash"], self.last
        need(self.seq in (None, seq - 1) and self.hash in (None, link) and (seq or link == "0" * 64)
             and self.service in (None, whole["service"]), "it does not follow the one before it")
        need(kind not in WRITERS or fits(kind, event), f"a {kind} without a member, or a wrong one")
        need((kind == "segment_opened") == (self.line == 1), "segment_opened stands first, alone")
        need(last in AFTER[kind] if kind in AFTER else self.line == 1 or not self.due
             and last not in ENDS, f"a {kind} cannot stand after {last}")
        if kind == "segment_opened":
            self.open(event, seq, whole["time"], link)
        elif kind == "log_recovered":
            need(self.before is None and seq > 1 or self.tail
                 and self.tail.items() <= event.items(), "the tail before it is another")
            self.tail, self.due = None, True
        elif kind == "log_opened":
            self.due, self.limit = False, event["unsynced_max_bytes"]
        elif kind == "events_lost":
            need(event["critical_count"] <= event["count"], "a part of them is more than all")
        elif kind == "segment_missing":
            self.add("truncated", "the writer missed its segment")
        elif kind == "segments_pruned":
            self.prune(seq, event)
        elif kind == "format_changed":
            need(event["to"] > 1, "a version does not change to an older one")
            self.version = b'{"v":%d,' % event["to"]
        need(kind != "damage_found", "the writer went on after damage")
        self.last, self.seq, self.hash, self.service = kind, seq, whole["hash"], whole["service"]
        root = self.hash
        while seq & 1:
            root = hashlib.sha256(b"\1" + bytes.fromhex(self.frontier.pop() + root)).hexdigest()
            seq >>= 1
        self.frontier.append(root)

    def open(self, event, seq, time, link):
        """What a segment_opened says of all that stands before it."""
        frontier, told = event["merkle_frontier"], event.get("previous")
        need(self.name.startswith(f"{seq:020}.{time[:10]}."), "its name is that of another")
        need(self.log_id in (None, event["log_id"]), "a segment of another log")
        need(len(frontier) == seq.bit_count() and self.frontier in (None, frontier),
             "its frontier is wrong")
        need("continues" not in event or not seq, "only a new log takes over from another")
        need(not told or (told["last_seq"], told["last_hash"]) == (seq - 1, link)
             and self.before in (None, told["file"]), "the segment before is not what it says")
        self.due = seq == 0 or self.last == "log_closed"
        self.log_id, self.frontier = event["log_id"], list(frontier)
        self.starts[seq] = self.name, link, frontier

    def prune(self, seq, event):
        """A segments_pruned agrees with what survives, and may say why the log begins there."""
        end, frontier = event["last_seq"] + 1, event["merkle_frontier"]
        need(event["first_seq"] == 0 and end <= seq and len(frontier) == end.bit_count()
             and len(event["files"]) <= 256, "a segments_pruned that cannot be")
        begin, (name, *_) = next(iter(self.starts.items()))
        if begin <= end:
            _, *known = self.starts.get(end, [None])
            need(known == [event["last_hash"], frontier] or self.unsure and not known,
                 "segments_pruned contradicts the records that survive")
            self.explained |= begin == end or name in [file["name"] for file in event["files"]]


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
        if log.tail:
            log.add("torn", "it ends as a crash leaves it")
        need(log.explained or log.unsure or 0 in log.starts,
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

#!/usr/bin/env python3
"""Judges audit logs by their chain alone: docs/format.md, written a second time.

    verify.py DIR...

It needs Python 3.11 and nothing else, and shares no code with this project's own verifier, so that
a mistake in one of the two shows as a disagreement. It knows no keys and no heads kept elsewhere:
`checkpoints/` is ignored, and a tail that was cut off at the end of a record cannot be seen. For one
DIR it prints the verdict and the first fault of each segment, for several a line each. The exit
status is that of the worst verdict: 0 consistent, 4 torn, 3 unverifiable, 1 truncated or tampered,
2 where it could not look.
"""

import datetime, hashlib, json, os, re, stat, sys

STATUS = {"consistent": 0, "torn": 4, "unverifiable": 3, "truncated": 1, "tampered": 1, "could-not-look": 2}
BETTER_FIRST = list(STATUS)
LINE_MAX, DEPTH_MAX, SEQ_MAX, COUNT_MAX, CHUNK, FAULTS_SHOWN = 65_535, 32, 2**53 - 1, 2**64 - 1, 65_536, 20

SERVICE = rb"[A-Za-z0-9][A-Za-z0-9._-]{0,40}"
HEAD = re.compile(rb'\{"v":1,"seq":(0|[1-9][0-9]{0,15}),"audit_id":"audit-(' + SERVICE + rb')-([0-9a-f]{16})",'
                  rb'"timestamp":"([0-9TZ:.-]{30})","service_id":"\2","event":')
VERSION = re.compile(rb'\{"v":(0|[1-9][0-9]{0,18}),')
LINK, SEAL = re.compile(rb',"prev_hash":"([0-9a-f]{64})"'), re.compile(rb',"hash":"([0-9a-f]{64})"\}')
STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
DATE = "(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
BARE = re.compile(r'[]{}[:,"0-9a-zE.+-]*')

# The members of the writer's own events; `?` marks those that may be absent, `*` lists. Others are not judged.
FORMS = {kind: dict(member.split(":") for member in members) for kind, *members in map(str.split, """
segment_opened log_id:id merkle_frontier:*hash previous?:before continues?:other
before file:name last_seq:count last_hash:hash
other log_id:id head:head
log_recovered file:name offset:count bytes:count sha256:hash valid_records:count kind:tail
log_opened writer:text flush_mode:text unsynced_max_bytes:count host?:text pid?:count boot_id?:text vkey?:text
events_lost count:count critical_count:count reason:loss first:time last:time sha256?:hash
segment_missing file:name first_seq:count last_seq:count last_hash:hash reason:miss
segments_pruned first_seq:count last_seq:count last_hash:hash merkle_frontier:*hash files:*file reason:text
file name:name size:count sha256:hash
damage_found file:text offset:count code:text
disk_full available_bytes:count
checkpoint_signed size:count root:text key_id:text
key_changed old_vkey:text new_vkey:text old_signature:text new_signature:text
format_changed to:count
log_closed
""".strip().splitlines())}
WRITERS, ENDS = set(FORMS) - {"before", "other", "file"}, ("log_closed", "format_changed")
TEXTS = {form: re.compile(pattern, re.DOTALL) for form, pattern in {
    "text": ".*", "id": "[0-9a-f]{32}", "hash": "[0-9a-f]{64}", "pointer": "(/([^~/]|~[01])*)+",
    "head": "(?P<seq>0|[1-9][0-9]{0,15}):[0-9a-f]{64}(?P<y>)(?P<m>)(?P<d>)",
    "name": "(?P<seq>[0-9]{20})[.]" + DATE + "[.]audit[.]jsonl",
    "time": "(?P<seq>)" + DATE + "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{9}Z",
    "tail": "torn|zeros|superseded|unreadable", "loss": "queue_full|disk_full|refused|io_error",
    "miss": "unlinked|replaced|size_changed"}.items()}


class Fault(Exception):
    """What is wrong with a segment, and how bad it is."""

    def __init__(self, text, verdict="tampered"):
        super().__init__(text)
        self.verdict = verdict


class Number(str):
    """A number of JSON as it is written, since its range is not judged."""


def show(text):
    return ascii(str(text))[1:-1]


def need(holds, text):
    if not holds:
        raise Fault(text)


def fits(form, value):
    """Whether a value has a form of the tables above, which alone decide how deep this goes."""
    if form[0] == "*":
        return type(value) is list and all(fits(form[1:], inner) for inner in value)
    if form in FORMS:
        return type(value) is dict and all(fits(inner, value[key.rstrip("?")]) if key.rstrip("?") in value
                                           else key[-1] == "?" for key, inner in FORMS[form].items())
    if form == "count":
        return type(value) is Number and bool(re.fullmatch("0|[1-9][0-9]{0,19}", value)) and int(value) <= COUNT_MAX
    found = type(value) is str and TEXTS[form].fullmatch(value)
    if not found or form not in ("head", "name", "time"):
        return bool(found)
    seq, year, month, day = (int(found[group] or 0) for group in ("seq", "y", "m", "d"))
    try:  # The calendar repeats itself after 400 years, and this one has no year 0.
        return seq <= SEQ_MAX and (form == "head" or bool(datetime.date(year or 400, month, day)))
    except ValueError:
        return False


def unique(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return dict(pairs)


def refuse(text):
    raise ValueError(f"{text} is not JSON")


JSON = json.JSONDecoder(object_pairs_hook=unique, parse_int=Number, parse_float=Number, parse_constant=refuse)


def strict(text):
    """The event in what stands between "event": and prev_hash, with its list of cleaned values judged."""
    bare = STRING.sub('""', text)
    need(BARE.fullmatch(bare), "white space, a bad escape or a stray character in its event")
    depth = 0  # Judged before the decoder sees it, so that it never goes deep.
    for sign in bare:
        depth += (sign in "{[") - (sign in "}]")
        need(depth <= DEPTH_MAX, "its event is nested too deep")
    for string in STRING.findall(text) if "\\u" in text else ():
        json.loads(string).encode()  # An unpaired surrogate cannot be encoded.
    event, end = JSON.raw_decode(text)
    need(type(event) is dict and next(iter(event), "") == "event_type" and type(event["event_type"]) is str,
         "its event does not begin with its type")
    if end < len(text):
        need(text.startswith(',"sanitized":', end), "another member after its event")
        cleaned, end = JSON.raw_decode(text, end + len(',"sanitized":'))
        pointers = cleaned == [""] or fits("*pointer", cleaned) and 1 <= len(set(cleaned)) == len(cleaned) <= 32
        need(end == len(text) and pointers, "its list of cleaned values is not one")
    return event


def sealed(line):
    """The hash of a record, or None where the line is none or its hash is not right."""
    seal = SEAL.fullmatch(line, max(0, len(line) - 75))
    right = seal and hashlib.sha256(b"\0" + line[:-75]).hexdigest() == seal[1].decode()
    return seal[1].decode() if right else None


def record(line):
    """(seq, service, time, event, prev_hash) of a line with a right hash."""
    head, link = HEAD.match(line), LINK.fullmatch(line, max(0, len(line) - 154), len(line) - 75)
    need(head and link and head.end() <= link.start(), "it is not written as a record")
    seq, time = int(head[1]), head[4].decode()
    need(seq <= SEQ_MAX and head[3] == b"%016x" % seq and fits("time", time), "its seq, audit_id or timestamp is none")
    try:
        return seq, head[2], time, strict(line[head.end():link.start()].decode()), link[1].decode()
    except (ValueError, RecursionError) as error:
        raise Fault(f"its event is not strict JSON: {error}") from None


def link(line, digest):
    """The prev_hash of a line of a tail, where it is a record with a right hash."""
    try:
        return record(line)[4] if digest else None
    except Fault:
        return None


def lines(file, offset, size):
    """(offset, line without its line feed, length, holds NULs, is whole); of a long line the beginning."""
    file.seek(offset)
    while offset < size:
        line = piece = file.readline(min(LINE_MAX + 1, size - offset))
        length, nul = len(piece), b"\0" in piece
        while piece and not piece.endswith(b"\n") and offset + length < size:
            piece = file.readline(min(CHUNK, size - offset - length))
            length, nul = length + len(piece), nul or b"\0" in piece
        if not piece:
            raise Fault("it became shorter while it was read", "unverifiable")
        yield offset, line.removesuffix(b"\n"), length - piece.endswith(b"\n"), nul, piece.endswith(b"\n")
        offset += length


def crash(file, start, size):
    """The SHA-256 of a tail that looks like a crash, and its number of whole records."""
    last, valid = None, 0
    for offset, line, length, nul, whole in lines(file, start, size):
        digest = sealed(line) if whole and not nul and length <= LINE_MAX else None
        before = link(line, digest)
        if before:
            need(last in (None, before) and offset > start, "it does not follow the record before it")
        elif not nul:
            begins = [line[:seal.end()] for seal in SEAL.finditer(line) if seal.end() < len(line)]
            need(not whole and length <= LINE_MAX and not any(link(begin, sealed(begin)) for begin in begins),
                 "it is no record with a right hash, nor what a crash leaves")
        last, valid = before and digest, valid + bool(before)
    file.seek(start)
    digest = hashlib.sha256()
    # Chunks end at multiples of 512, where a run of NULs may begin and end too.
    while start < size and (chunk := file.read(min(CHUNK - start % CHUNK, size - start))):
        digest.update(chunk)
        for run in re.finditer(rb"\0+", chunk):
            begin, end = start + run.start(), start + run.end()
            after_line = run.start() == 0 or chunk[run.start() - 1] == 10
            need((after_line or begin % 512 == 0) and (end % 512 == 0 or end == size), "zeros that are no lost block")
        start += len(chunk)
    return {"sha256": digest.hexdigest(), "valid_records": valid}


class Log:
    """What is known of a log between one line and the next."""

    def __init__(self):
        self.faults, self.worst, self.seams = [], "consistent", {}
        self.service = self.log_id = self.begin = None
        self.explained = self.unsure = self.foreign = False
        self.lose()

    def lose(self):
        """After a fault nothing is expected of the next segment."""
        self.next = self.frontier = self.before = self.tail = self.last = None
        self.limit = COUNT_MAX  # What the writer leaves unsynced, which a log does not say once it is pruned.

    def add(self, fault, line=None, seq=None):
        self.unsure |= fault.verdict == "unverifiable"
        self.worst = max(self.worst, fault.verdict, key=BETTER_FIRST.index)
        place = "".join(f", {word} {n}" for word, n in (("line", line), ("seq", seq)) if n is not None)
        if len(self.faults) < FAULTS_SHOWN:
            self.faults.append(f"{show(self.name)}{place}: {fault.verdict}: {show(fault)}")

    def read(self, directory, name, first):
        """One segment. No link is followed, and no pipe or device is opened."""
        self.name, self.first, self.line, self.seq = name, first, None, None
        try:
            need(fits("name", name), "a name that no segment has")
            regular = stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
            need(regular, "no regular file")
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with open(os.open(name, flags, dir_fd=directory), "rb", CHUNK) as file:
                need(stat.S_ISREG(os.fstat(file.fileno()).st_mode), "no regular file")
                self.segment(file, os.fstat(file.fileno()).st_size)
        except (Fault, OSError) as error:
            unread = Fault(f"it cannot be read: {error}", "unverifiable")
            self.add(error if isinstance(error, Fault) else unread, self.line, self.seq)
            self.lose()

    def segment(self, file, size):
        self.count, self.recovered, owed = 0, False, self.tail
        for self.line, (offset, line, length, nul, whole) in enumerate(lines(file, 0, size), 1):
            digest = sealed(line) if whole and not nul and length <= LINE_MAX else None
            if self.foreign:
                need(digest or nul or not whole, "its hash is not right, in whatever version")
            elif digest:
                self.follow(line, digest)
                self.count += 1
            else:
                need(self.count and self.last not in ENDS, "no record with a right hash where one has to be")
                need(size - offset <= self.limit, "a tail longer than what the writer leaves unsynced")
                tail = {"file": self.name, "offset": offset, "bytes": size - offset, **crash(file, offset, size)}
                break
        else:
            tail = None
        if not self.foreign:
            need(self.count, "no first record")
            need(not owed or self.recovered, "the tail of the segment before is not accounted for")
            need(not self.due or self.count > 1 + self.recovered, "a writer opened the log, but there is no log_opened")
            self.tail, self.before = tail, {"file": self.name, "last_seq": self.seq, "last_hash": self.hash}
            self.seams[self.seq] = (self.hash, list(self.frontier))

    def follow(self, line, digest):
        version = VERSION.match(line)
        if version and version[1] != b"1":
            announced = self.count == 0 and self.last == "format_changed" and self.to == int(version[1])
            need(announced, "the version changes where nothing announced it")
            self.foreign = True
            return self.add(Fault("a version of the format that is not known here", "unverifiable"), self.line)
        seq, service, time, event, self.link = record(line)
        linked = self.next in (None, (seq, self.link)) and (seq or self.link == "0" * 64)
        need(linked, "it does not follow the record before it")
        need(self.service in (None, service), "another service")
        self.service, self.seq = service, seq
        self.step(event["event_type"], event, time)
        self.hash, self.next = digest, (seq + 1, digest)
        while seq & 1:
            both = b"\1" + bytes.fromhex(self.frontier.pop() + digest)
            digest, seq = hashlib.sha256(both).hexdigest(), seq >> 1
        self.frontier.append(digest)

    def step(self, kind, event, time):
        """What the writer's own events say, and where they stand."""
        need(kind not in WRITERS or fits(kind, event), f"a {kind} lacks a member, or one has another form")
        if kind in WRITERS:
            event = {key: int(value) if FORMS[kind].get(key) == "count" else value for key, value in event.items()}
        need((kind == "segment_opened") == (self.count == 0), "segment_opened stands first in each segment alone")
        need(self.count == 0 or self.last not in ENDS, f"it stands after {self.last}")
        need(kind != "log_recovered" or self.count == 1, "log_recovered stands only directly after segment_opened")
        opening = self.count == 1 + self.recovered and kind != "log_recovered"
        need(kind == "log_opened" and opening or kind != "log_opened" and not (opening and self.due),
             "log_opened stands after the opening of a segment, and is due where a writer opens the log")
        need(kind != "damage_found", "the writer went on after damage")
        if kind == "segment_opened":
            self.due = self.seq == 0 or self.last == "log_closed"
            self.opened(event, time)
        elif kind == "log_recovered":
            known = self.before or self.seq == 1
            need(not known or self.tail and all(event[key] == self.tail[key] for key in self.tail),
                 "the tail of the segment before is not what log_recovered says")
            self.recovered = self.due = True
        elif kind == "log_opened":
            self.limit = event["unsynced_max_bytes"]
        elif kind == "events_lost":
            need(event["critical_count"] <= event["count"], "more critical events are lost than events")
        elif kind == "segment_missing":
            self.add(Fault("the writer missed its segment", "truncated"), self.line, self.seq)
        elif kind == "segments_pruned":
            self.prune(event["last_seq"], (event["last_hash"], event["merkle_frontier"]), event)
        elif kind == "format_changed":
            self.to = event["to"]
            need(self.to > 1, "a version does not change to an older one")
        self.last = kind

    def opened(self, event, time):
        frontier = event["merkle_frontier"]
        need(self.name.startswith(f"{self.seq:020}.{time[:10]}."), "its name is not that of its first record")
        need(self.log_id in (None, event["log_id"]), "a segment of another log")
        need(len(frontier) == self.seq.bit_count() and self.frontier in (None, frontier), "its frontier is wrong")
        need("continues" not in event or self.seq == 0, "a log takes over from another only at its first record")
        if "previous" in event:
            said = {**event["previous"], "last_seq": int(event["previous"]["last_seq"])}
            known = self.before or {"last_seq": self.seq - 1, "last_hash": self.link}
            so = self.seq and all(said[key] == known[key] for key in known)
            need(so, "what it says of the segment before is not so")
        self.log_id, self.frontier = event["log_id"], list(frontier)
        if self.first:
            self.begin = (self.seq, (self.link, frontier), self.name)

    def prune(self, last, told, event):
        """A segments_pruned agrees with what survives, and may account for where the log begins."""
        need(event["first_seq"] == 0 and last < self.seq and len(event["files"]) <= 256
             and len(told[1]) == (last + 1).bit_count(), "a segments_pruned that cannot be")
        if self.begin and last + 1 >= self.begin[0]:
            known = self.begin[1] if last + 1 == self.begin[0] else self.seams.get(last)
            need(known == told or not known and self.unsure, "segments_pruned contradicts the records that survive")
            self.explained |= last + 1 == self.begin[0] or self.begin[2] in (file["name"] for file in event["files"])

    def close(self):
        """What can be said only when all segments are read."""
        if self.tail:
            self.add(Fault("it ends as a crash leaves it", "torn"))
        if self.begin and self.begin[0] > 0 and not (self.explained or self.unsure):
            self.add(Fault("the log does not begin at seq 0, and no segments_pruned accounts for it"))


def verify(path):
    log, directory = Log(), os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with os.scandir(directory) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".audit.jsonl"))
        for name in names:
            log.read(directory, name, name == names[0])
    finally:
        os.close(directory)
    if not names:
        log.name = path
        log.add(Fault("there is no segment", "unverifiable"))
    log.close()
    return log


def judge(path, alone):
    try:
        log = verify(path)
    except Exception as error:  # Whatever went wrong here is no verdict.
        print(f"could-not-look {show(path)}: {show(error)}")
        return "could-not-look"
    print(f"{log.worst} {show(path)}", *(log.faults if alone else ()), sep="\n  ")
    return log.worst


def main(paths):
    if not paths or paths[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        worst = max([judge(path, len(paths) == 1) for path in paths], key=BETTER_FIRST.index)
        sys.stdout.flush()
    except (OSError, KeyboardInterrupt):  # Nobody has read it, so that no status may stand for a verdict.
        os._exit(2)  # The interpreter's own end would write once more, and complain.
    return STATUS[worst]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

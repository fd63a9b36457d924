"""The step from record to record, from segment to segment."""

import hashlib, os, stat

from verify.form import COUNT_MAX, FORMS, WRITERS, crash, fits, hashed, need, record

VERDICTS = ["consistent", "torn", "unverifiable", "truncated", "tampered", "could-not-look"]
# Directly after what some of them are; and after what there is nothing.
AFTER = {"log_recovered": ["segment_opened"], "log_opened": ["segment_opened", "log_recovered"],
         "records_adopted": ["log_opened"], "log_copied": ["log_opened", "records_adopted"]}
ENDS = ("log_closed", "format_changed")
# The order of opening records, and those of them that may repeat.
OPENING = ["segment_opened", "log_recovered", "log_opened", "records_adopted", "log_copied",
           "damage_found", "segment_missing", "checkpoint_signed", "key_changed"]
REPEATING = OPENING[5:8]


class Log:
    """What is known of a log between one record and the next."""

    def __init__(self):
        self.worst, self.faults, self.line = 0, [], 0
        self.service = self.log_id = self.version = None
        # Where segments begin; the keys and the deletions that records name; those deletions that
        # say why the log begins where it does, and the newest that counts; where an adopted log
        # begins.
        self.starts, self.named, self.prunes, self.explained = {}, {}, {}, []
        self.pruned = self.begins = None
        # The newest record with a seal, and the newest deletion and the first seal as repeated.
        self.newest_seal, self.repeated, self.sealed_from = -1, 0, None
        self.forget()

    def forget(self, why=None):
        """Goes on behind a segment that cannot be judged, like at the beginning."""
        if why:
            self.add("unverifiable", why)
        self.version, self.unsure = self.version and b'{"v":', why is not None
        self.seq = self.hash = self.frontier = self.last = self.before = self.tail = None
        self.opened = self.earlier = self.begin = self.anchor = self.order = self.seal = None
        self.torn, self.due, self.limit = False, False, COUNT_MAX

    def add(self, verdict, text):
        self.worst = max(self.worst, VERDICTS.index(verdict))
        place = f"{self.name}, line {self.line}: " if self.line else ""
        self.faults.append(ascii(f"{place}{verdict}: {text}")[1:-1])

    def first(self):
        """The seq of the first record that there is."""
        return next(iter(self.starts), None)

    def is_left(self, seq):
        """Whether a record before the newest one must be known, since nothing removed it."""
        return not self.unsure and seq >= self.first()

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
            need(hashed(line) and line.startswith(self.version) or self.line > 1 and (
                b"\0" in line or not line.endswith(b"\n")), "its version or its hash is not right")
        self.forget("a version of the format that is not known here")

    def segment(self, lines):
        whole = counted = 0
        for self.line, line in enumerate(lines, 1):
            found, why = record(line)
            if why:
                break
            if self.line == 1:
                self.go_on(found["prev_hash"])
            self.step(found, found["event"]["event_type"], found["event"], found["seq"])
            whole = self.line
            if self.seal:
                counted, self.newest_seal = whole, self.seq
                self.anchor = self.seq, self.hash, list(self.frontier), self.last
        need(whole and not self.due, "the records that are due at its beginning are not there")
        need(not self.tail, "the tail of the segment before is not accounted for")
        key = self.opened.get("key")
        if key:
            vkey, since = key["vkey"], key["since"]
            need(self.order is None or self.seal, "its opening records have no seal")
            need(self.named.get(since) == vkey or since < self.begin and not self.is_left(since),
                 "its key was not named where it says")
        else:
            counted, self.anchor = whole, None
        self.end(lines, counted, whole, why)

    def go_on(self, link):
        """Before a segment that follows this hash. Records that were not sealed yet are no part of
        the chain where it follows the last sealed one."""
        self.went_on = self.tail and self.anchor and self.anchor[1] != link
        if self.tail and self.anchor and not self.went_on:
            self.seq, self.hash, self.frontier, self.last = self.anchor

    def end(self, lines, counted, whole, why):
        """What is behind the last record that counts: whole records, and what a crash left."""
        rest, start = b"".join(lines[counted:]), sum(map(len, lines[:counted]))
        valid = crash(lines[whole:], sum(map(len, lines[:whole])), why)
        need(not rest or self.last not in ENDS and len(rest) <= self.limit,
             "a tail where none is left, or longer than what the writer leaves unsynced")
        self.before, self.torn, self.tail = self.name, whole < len(lines), rest and {
            "file": self.name, "offset": start, "bytes": len(rest),
            "valid_records": whole - counted + valid, "sha256": hashlib.sha256(rest).hexdigest()}
        if counted < whole:
            self.tail["kind"] = "unsealed"

    def step(self, whole, kind, event, seq):
        """Goes on with a record: whether it follows, and what the writer says in it."""
        link, last = whole["prev_hash"], self.last
        need(self.seq in (None, seq - 1) and self.hash in (None, link) and (seq or link == "0" * 64)
             and self.service in (None, whole["service"]), "it does not follow the one before it")
        need(kind not in WRITERS or fits(kind, event), f"a {kind} without a member, or a wrong one")
        need((kind == "segment_opened") == (self.line == 1), "segment_opened comes first, alone")
        need(last in AFTER[kind] if kind in AFTER else self.line == 1 or not self.due
             and last not in ENDS, f"a {kind} cannot come after {last}")
        if kind == "segment_opened":
            self.open(event, seq, whole["time"], link)
            self.repeat(event, seq)
        self.place(kind, whole["seal"])
        if kind in WRITERS:
            self.told(kind, event, seq)
        self.last, self.seq, self.hash, self.service = kind, seq, whole["hash"], whole["service"]
        root = self.hash
        while seq & 1:
            root = hashlib.sha256(b"\1" + bytes.fromhex(self.frontier.pop() + root)).hexdigest()
            seq >>= 1
        self.frontier.append(root)

    def place(self, kind, seal):
        """Whether a record has a seal where one is due, and none where none can be."""
        key, order = self.opened.get("key"), OPENING.index(kind) if kind in OPENING else -1
        if self.order is not None and (
                order > self.order or order == self.order and kind in REPEATING):
            self.order = order
        else:
            need(not key or self.order is None or self.seal, "its opening records have no seal")
            self.order = None
        need(key or not seal, "a seal in a segment that is not sealed")
        need(seal or not key or self.order is not None and kind != "key_changed"
             or kind not in WRITERS or kind == "events_lost", f"a {kind} without a seal")
        self.seal = seal

    def told(self, kind, event, seq):
        """What the writer says."""
        key = self.opened.get("key")
        if kind == "log_recovered":
            need(self.before is None and seq > 1 or self.tail and not self.went_on
                 and self.tail.items() <= event.items(), "the tail before it is another")
            need(event["kind"] != "unsealed" or self.before is None or "key" in self.earlier,
                 "what is not sealed yet is in a sealed segment")
            self.tail, self.due = None, True
        elif kind == "log_opened":
            self.due, self.limit = False, event["unsynced_max_bytes"]
            need(self.opened.get("unsynced_max_bytes", self.limit) == self.limit,
                 "its limit is another than that of its segment")
            need("sealed_from" not in self.opened or (key is None) == ("unsigned" in event),
                 "a log that is sealed has a key, or is opened unsigned")
        elif kind == "records_adopted":
            self.adopt(event)
        elif kind == "log_copied":
            here, there = map(where, (event["from"], event["to"]))
            need(here != there and (self.before is None or "place" in self.earlier
                 and here == where(self.earlier["place"])), "it was at another place")
        elif kind == "events_lost":
            need(event["critical_count"] <= event["count"], "a part of them is more than all")
        elif kind == "segment_missing":
            self.add("truncated", "the writer missed its segment")
            if self.order is not None and event["file"] == self.before and self.went_on:
                self.tail = self.torn and self.tail
        elif kind == "segments_pruned":
            self.prune(seq, event)
        elif kind == "key_changed":
            self.named[seq] = event["new_vkey"]
            need(not key or self.order is not None and key["since"] == seq
                 and key["vkey"] == event["new_vkey"], "its segment has another key")
        elif kind == "format_changed":
            need(event["to"] > 1, "a version does not change to an older one")
            self.version = b'{"v":%d,' % event["to"]
        need(kind != "damage_found", "the writer went on after damage")

    def open(self, event, seq, time, link):
        """What a segment_opened says of all that is before it."""
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
        self.earlier, self.opened, self.begin, self.order = self.opened, event, seq, -1
        self.seal_before = self.newest_seal

    def repeat(self, event, seq):
        """What a segment_opened repeats, so that no writer reads an older segment for it."""
        key, sealed_from, pruned = map(event.get, ("key", "sealed_from", "pruned"))
        self.limit = event.get("unsynced_max_bytes", self.limit)
        if key:
            need(sealed_from is not None and "unsynced_max_bytes" in event, "a key without more")
            same = self.earlier and self.earlier.get("key", {}).get("vkey") == key["vkey"]
            need(not same or self.earlier["key"]["since"] == key["since"], "its key is not new")
            self.named[seq] = key["vkey"]
        need(sealed_from is None or sealed_from < seq or sealed_from == seq and key,
             "it cannot be sealed from there")
        need(sealed_from == self.sealed_from if self.sealed_from is not None
             else self.before is None or sealed_from in (None, seq), "it is sealed from elsewhere")
        self.sealed_from = sealed_from
        if pruned:
            at, *end = pruned["seq"], pruned["last_seq"], pruned["last_hash"]
            need(end[0] < at < seq and at >= self.repeated
                 and (self.prunes.get(at) == end or not self.is_left(at)),
                 "its segments_pruned is another")
            self.repeated = at

    def adopt(self, event):
        """An operator vouches for records: where they are, and what they then say no more."""
        first, last, begins, why = (event[key] for key in FORMS["records_adopted"])
        need("key" in self.opened, "only with a key are records adopted")
        need(first <= last == self.begin - 1 and (why == "other_key" or first > self.seal_before)
             and (why in ("other_key", "unsigned_opening") or self.sealed_from == self.begin),
             "other records are to be adopted")
        need(begins <= last and (begins in self.starts or not self.is_left(begins)),
             "the log did not begin there")
        self.begins, self.pruned = begins, None
        self.explained = [seq for seq in self.explained if seq < first]

    def prune(self, seq, event):
        """A segments_pruned agrees with what is left, and may say why the log begins there."""
        end, frontier, files = event["last_seq"] + 1, event["merkle_frontier"], event["files"]
        need(event["first_seq"] == 0 and end <= seq and len(frontier) == end.bit_count()
             and len(files) <= 256, "a segments_pruned that cannot be")
        begin, (name, *_) = next(iter(self.starts.items()))
        if begin <= end:
            _, *known = self.starts.get(end, [None])
            need(known == [event["last_hash"], frontier] or self.unsure and not known,
                 "segments_pruned contradicts the records that are left")
            if begin == end or name in [file["name"] for file in files]:
                self.explained.append(seq)
        if "before" in event:
            self.chunk(event, files)
        self.pruned = self.prunes[seq] = [event["last_seq"], event["last_hash"]]

    def chunk(self, event, files):
        """The files of a segments_pruned follow each other, and those that were deleted before."""
        after = event.get("after")
        told, due = None, 0
        if after:
            told, due = [after["last_seq"], after["last_hash"]], after["last_seq"] + 1
        need(told == self.pruned if self.pruned else not told or not self.is_left(0),
             "it does not follow the segments_pruned before it")
        for file in files:
            need(int(file["name"][:20]) == due <= file.get("last_seq", -1), "a gap in its files")
            due = file["last_seq"] + 1
        need(files and due == event["last_seq"] + 1, "its files do not reach to its end")


def where(place):
    """What tells a place from another one."""
    return [place[of][key] for of in ("dir", "file") for key in ("inode", "born")]

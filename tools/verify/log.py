"""The step from record to record, from segment to segment."""

import hashlib, os, stat

from verify.form import COUNT_MAX, FORMS, TAIL_MAX, WRITERS, crash, fits, foreign, need, record

VERDICTS = ["consistent", "torn", "unverifiable", "truncated", "tampered", "could-not-look"]
# Directly after what some of them are; and after what there is nothing.
AFTER = {"log_recovered": ["segment_opened"], "log_opened": ["segment_opened", "log_recovered"],
         "records_adopted": ["log_opened"], "log_copied": ["log_opened", "records_adopted"]}
ENDS = ("log_closed", "format_changed")
# The order of opening records, and those of them that may repeat.
OPENING = ["segment_opened", "log_recovered", "log_opened", "records_adopted", "log_copied",
           "damage_found", "segment_missing", "checkpoint_signed", "key_changed"]
REPEATING = OPENING[5:8]
# The writer's own events that end a write, so that they have a seal behind the opening records.
OWN_SEALED = [kind for kind in WRITERS if kind != "events_lost"]


class Log:
    """What is known of a log between one record and the next."""

    def __init__(self):
        self.worst, self.faults, self.line = 0, [], 0
        self.service = self.log_id = self.version = None
        # Where segments begin; which records say why the log begins where it does; where adopted
        # logs began; the newest deletion; since when each key is named.
        self.starts, self.explained, self.begins, self.pruned, self.named = {}, [], [], None, {}
        # The newest record with a seal, and the first sealed segment, as segments say.
        self.newest_seal, self.sealed_from = -1, None
        self.forget()

    def forget(self, why=None):
        """Goes on behind a segment that cannot be judged, like at the beginning."""
        if why:
            self.add("unverifiable", why)
        self.version, self.unsure = self.version and "", why is not None
        self.seq = self.hash = self.frontier = self.last = self.before = self.tail = None
        self.opened = self.earlier = self.begin = self.key = self.change = None
        self.torn, self.due, self.limit = False, False, COUNT_MAX

    def add(self, verdict, text):
        self.worst = max(self.worst, VERDICTS.index(verdict))
        place = f"{self.name}, line {self.line}: " if self.line else ""
        self.faults.append(ascii(f"{place}{verdict}: {text}")[1:-1])

    def first(self):
        """The seq of the first record that there is."""
        return next(iter(self.starts), None)

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
        if self.version is None:
            self.segment(lines)
        else:
            self.foreign(lines)

    def segment(self, lines):
        """Records up to the last one that counts: in a sealed segment, the last with a seal."""
        whole, waiting, is_sealed, why = 0, [], False, None
        for self.line, line in enumerate(lines, 1):
            found, why = record(line)
            if why:
                break
            whole = self.line
            waiting.append((whole, found))
            is_sealed = is_sealed or self.line == 1 and "key" in found["event"]
            if found["seal"] or not is_sealed:
                for self.line, found in waiting:
                    self.step(found, found["event"]["event_type"], found["event"], found["seq"])
                waiting = []
        counted = whole - len(waiting)
        need(counted and not self.due, "the records that are due at its beginning are not there")
        need(self.change is None, "its key was not named where it says")
        link = self.seq, self.hash
        for self.line, found in waiting:
            need((found["seq"] - 1, found["prev_hash"]) == link, "it does not follow")
            need(found["event"]["event_type"] not in OWN_SEALED, "it has no seal")
            link = found["seq"], found["hash"]
        self.end(lines, counted, whole, record, why)

    def foreign(self, lines):
        """Goes on through records of a version that is not known here."""
        whole, why = 0, None
        for self.line, line in enumerate(lines, 1):
            found, why = foreign(line)
            if why:
                break
            need(self.version in ("", found["v"]), "a version that was not announced")
            need(self.line > 1 or self.name.startswith(f"{found['seq']:020}."), "another's name")
            known, _ = record(line, found["v"])
            event = known["event"] if known else {}
            if self.line == 1:
                opens = event.get("event_type") == "segment_opened"
            elif self.line == 2 and opens and event.get("event_type") == "log_recovered" and fits(
                    "log_recovered", event) and event["file"][:20] == (self.before or "")[:20]:
                need(self.tail and self.tail.items() <= event.items(), "the tail is another")
                self.tail = None
            self.push(found)
            whole = self.line
        need(whole, why)
        self.add("unverifiable", "a version of the format that is not known here")
        self.version, self.last, self.limit = "", None, COUNT_MAX
        self.end(lines, whole, whole, foreign, why)

    def end(self, lines, counted, whole, read, why):
        """What is behind the last record that counts: records without a seal, and a crash."""
        need(not self.tail, "the tail of the segment before is not accounted for")
        rest, start = b"".join(lines[counted:]), sum(map(len, lines[:counted]))
        valid = crash(lines[whole:], sum(map(len, lines[:whole])), read, why)
        need(not rest or self.last not in ENDS and len(rest) <= min(self.limit, TAIL_MAX),
             "a tail where none is left, or longer than what the writer leaves unsynced")
        self.before, self.torn, self.tail = self.name, whole < len(lines), rest and {
            "file": self.name, "offset": start, "bytes": len(rest),
            "valid_records": whole - counted + valid, "sha256": hashlib.sha256(rest).hexdigest()}
        if counted < whole:
            self.tail["kind"] = "unsealed"

    def push(self, whole):
        """Goes on with a record, if it follows."""
        seq, link, root = whole["seq"], whole["prev_hash"], whole["hash"]
        need(self.seq in (None, seq - 1) and self.hash in (None, link)
             and (seq or link == "0" * 64), "it does not follow the one before it")
        self.seq, self.hash = seq, root
        if self.frontier is not None:
            while seq & 1:
                pair = bytes.fromhex(self.frontier.pop() + root)
                root, seq = hashlib.sha256(b"\1" + pair).hexdigest(), seq >> 1
            self.frontier.append(root)

    def step(self, whole, kind, event, seq):
        """A record, and what the writer says in it."""
        last, self.last = self.last, kind
        need(self.service in (None, whole["service"]), "it is of another service")
        need(kind not in WRITERS or fits(kind, event), f"a {kind} without a member, or a wrong one")
        need((kind == "segment_opened") == (self.line == 1), "segment_opened comes first, alone")
        need(last in AFTER[kind] if kind in AFTER else self.line == 1 or not self.due
             and last not in ENDS, f"a {kind} cannot come after {last}")
        if kind == "segment_opened":
            self.due = seq == 0 or last == "log_closed"
            self.open(event, seq, whole["time"], whole["prev_hash"])
            self.repeat(event, seq)
        self.place(kind, whole["seal"])
        if kind in WRITERS:
            self.told(kind, event, seq)
        self.service = whole["service"]
        if whole["seal"]:
            self.newest_seal = seq
        self.push(whole)

    def place(self, kind, seal):
        """Whether a record has a seal where one is due, and none where none can be."""
        if "key" not in self.opened:
            need(not seal, "a seal in a segment that is not sealed")
        elif self.order is None:
            need(seal or kind not in OWN_SEALED, f"a {kind} without a seal")
            need(kind not in ("records_adopted", "log_copied"), f"a {kind} behind the opening")
        else:
            order = OPENING.index(kind) if kind in OPENING else -1
            need(order > self.order or order == self.order and kind in REPEATING,
                 "its opening records have no seal")
            self.order = None if seal else order
            need(not seal or kind == "key_changed" or self.change is None,
                 "its key was not named where it says")

    def told(self, kind, event, seq):
        """What the writer says."""
        if kind == "log_recovered":
            need(self.before is None and seq > 1 or self.tail
                 and self.tail.items() <= event.items(), "the tail before it is another")
            need(event["kind"] != "unsealed" or self.before is None or "key" in self.earlier,
                 "what is not sealed yet is in a sealed segment")
            self.tail, self.due = None, True
        elif kind == "log_opened":
            self.opens(event)
        elif kind == "records_adopted":
            self.adopt(event)
        elif kind == "log_copied":
            place = self.earlier and self.earlier.get("place")
            need(not place or where(place) == where(event["from"]), "it was at another place")
        elif kind == "events_lost":
            need(event["critical_count"] <= event["count"], "a part of them is more than all")
        elif kind == "segment_missing":
            self.add("truncated", "the writer missed its segment")
        elif kind == "segments_pruned":
            self.prune(seq, event)
        elif kind == "key_changed":
            need(self.change in (None, (event["new_vkey"], seq)), "another key was to be named")
            self.change, self.named[event["new_vkey"]] = None, seq
            self.key = self.key and event["new_vkey"]
        elif kind == "format_changed":
            need(event["to"] > 1, "a version does not change to an older one")
            self.version = str(event["to"])
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
        self.log_id, self.frontier = event["log_id"], list(frontier)
        self.starts[seq] = self.name, link, frontier
        self.earlier, self.opened, self.begin, self.order = self.opened, event, seq, -1
        self.seal_before, self.was_sealed = self.newest_seal, self.sealed_from is not None

    def repeat(self, event, seq):
        """What a segment_opened repeats, so that no writer reads an older segment for it."""
        key, said = event.get("key"), event.get("sealed_from")
        self.limit = event.get("unsynced_max_bytes", self.limit)
        if self.sealed_from is not None:
            need(said == self.sealed_from, "it is sealed from elsewhere")
        else:
            need(not key if said is None else said == seq and key or self.before is None
                 and said < seq, "it is not sealed from there")
        self.sealed_from = said
        self.key_before, self.key = self.key, key["vkey"] if key else ""
        if key and key["since"] > seq:
            self.change = key["vkey"], key["since"]
        elif key:
            since, named = key["since"], self.named.get(self.key)
            need(since == named or since == seq and self.key != self.key_before or named is None
                 and (since == seq or since < self.first() or self.unsure),
                 "its key was not named where it says")
            self.named[self.key] = since
        by_another = self.change is None and self.key_before not in (None, self.key)
        self.due = self.due or by_another and not self.unsure
        is_complete = "unsynced_max_bytes" in event and not by_another
        self.newest(event.get("pruned"), seq, is_complete)

    def newest(self, told, seq, is_complete):
        """Which segments_pruned is the newest, as a segment repeats it."""
        known, told = self.pruned, told and {key: told[key] for key in FORMS["pruned"]}
        if not told:
            is_right = not known or not known["owed"] or not is_complete
        elif known and known["left"]:
            is_right = told.items() <= known.items()
        else:
            is_right = (told["last_seq"] < told["seq"] < min(seq, self.first())
                        and (not known or told.items() <= known.items()))
        need(is_right or self.unsure, "its segments_pruned is another")
        if known and not told:
            known["owed"] = False
        if told and not known:
            self.pruned = {**told, "left": False, "owed": True}

    def opens(self, event):
        """What a writer says of itself agrees with what it says of its segment."""
        limit, self.due = event["unsynced_max_bytes"], False
        need(self.opened.get("unsynced_max_bytes", limit) == limit, "its limit is another")
        self.limit = limit
        if self.key:
            need("unsigned" not in event and (self.change or event.get("vkey", self.key)
                 == self.key), "its segment has another key")
        else:
            need("unsigned" in event or not self.was_sealed, "a sealed log is opened unsigned")

    def adopt(self, event):
        """An operator vouches for records: where they are, and what they then say no more."""
        first, last, begins, why = (event[key] for key in FORMS["records_adopted"])
        need(self.key, "only with a key are records adopted")
        need(first <= last == self.begin - 1 and (why == "other_key" or first > self.seal_before)
             and begins <= self.first(), "other records are to be adopted")
        whys = (["other_key"] if self.key_before else ["unsigned_opening"] if self.was_sealed
                else ["before_seals", "no_key_before"])
        need(self.key_before is None or why in whys, "they are to be adopted for another reason")
        self.begins.append(begins)
        self.explained = [seq for seq in self.explained if seq < first]
        if self.pruned and self.pruned["seq"] >= first:
            self.pruned["owed"] = False

    def prune(self, seq, event):
        """A segments_pruned agrees with what is left, and may say why the log begins there."""
        end, frontier, files = event["last_seq"] + 1, event["merkle_frontier"], event["files"]
        need(event["first_seq"] == 0 and end <= seq and len(frontier) == end.bit_count()
             and len(files) <= 256, "a segments_pruned that cannot be")
        begin, (name, *_) = next(iter(self.starts.items()))
        need(begin == 0 or begin >= end or name in [file["name"] for file in files],
             "segments_pruned does not name the segment that the log begins with")
        if begin <= end:
            _, *known = self.starts.get(end, [None])
            need(known == [event["last_hash"], frontier] or self.unsure and not known,
                 "segments_pruned contradicts the records that are left")
            self.explained.append(seq)
        if "before" in event:
            self.chunk(event, files)
        self.pruned = {"seq": seq, "last_seq": event["last_seq"], "last_hash": event["last_hash"],
                       "left": True, "owed": "before" in event}

    def chunk(self, event, files):
        """The files of a segments_pruned follow each other, and those that were deleted before."""
        after, known, due = event.get("after"), self.pruned, 0
        if after:
            due = after["last_seq"] + 1
            need(self.unsure or ((known["last_seq"], known["last_hash"])
                 == (after["last_seq"], after["last_hash"]) if known else self.first() > 0),
                 "it does not follow the segments_pruned before it")
        need(after or not known or not known["owed"] or self.unsure, "it does not say after what")
        for file in files:
            need(int(file["name"][:20]) == due <= file.get("last_seq", -1), "a gap in its files")
            due = file["last_seq"] + 1
        need(files and due == event["last_seq"] + 1, "its files do not reach to its end")


def where(place):
    """What tells a place from another one."""
    return [place[of][key] for of in ("dir", "file") for key in ("inode", "born")]

"""The form of a record and of the writer's own events, and what a crash leaves."""

import datetime, hashlib, itertools, json, re

LINE_MAX, DEPTH_MAX, SEQ_MAX, COUNT_MAX = 65_535, 32, 2**53 - 1, 2**64 - 1
TAIL_MAX = 2**24

RECORD = re.compile(r"""
    \{"v":(?P<v>0|[1-9][0-9]*),"seq":(?P<seq>0|[1-9][0-9]{0,15})
    ,"audit_id":"audit-(?P<service>[A-Za-z0-9][A-Za-z0-9._-]{0,40})-(?P<seq_in_hex>[0-9a-f]{16})"
    ,"timestamp":"(?P<time>[^"]*)","service_id":"(?P=service)","event":(?P<event>.*)
    ,"prev_hash":"(?P<prev_hash>[0-9a-f]{64})"(?:,"seal":"(?P<seal>[A-Za-z0-9_-]{21}[AQgw])")?
    ,"hash":"(?P<hash>[0-9a-f]{64})"\}\n""", re.VERBOSE)
# What every version of the format keeps of it.
FOREIGN = re.compile(rb"""
    \{"v":(?P<v>0|[1-9][0-9]{0,19}),"seq":(?P<seq>0|[1-9][0-9]{0,15}),.*
    ,"prev_hash":"(?P<prev_hash>[0-9a-f]{64})"(?:,"seal":"[A-Za-z0-9_-]{21}[AQgw]")?
    ,"hash":"(?P<hash>[0-9a-f]{64})"\}\n""", re.VERBOSE | re.DOTALL)
HASH_FIELD = re.compile(rb',"hash":"[0-9a-f]{64}"\}')
# A text of JSON, and what there may be between such texts.
QUOTED = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
BARE = re.compile(r'[]{}[:,"0-9a-zE.+-]*')

# The writer's own events and, below them, parts of them: each member with its form, which is int or
# true, or one of TEXTS, or a part; after * a list of what has this form; after ? it may be absent.
FORMS = {kind: dict(form.split(":") for form in forms) for kind, *forms in map(str.split, """\
segment_opened log_id:id merkle_frontier:*hex previous:?previous continues:?continues \
    unsynced_max_bytes:?int key:?key sealed_from:?int pruned:?pruned place:?place
log_recovered file:name offset:int bytes:int sha256:hex valid_records:int kind:tail
log_opened writer:str flush_mode:str unsynced_max_bytes:int \
    host:?str pid:?int boot_id:?str vkey:?str storage:?storage unsigned:?true
records_adopted first_seq:int last_seq:int begins:int why:why
log_copied from:place to:place
events_lost count:int critical_count:int reason:loss first:time last:time sha256:?hex
segment_missing file:name first_seq:int last_seq:int last_hash:hex reason:miss text:?str
segments_pruned first_seq:int last_seq:int last_hash:hex merkle_frontier:*hex \
    files:*file reason:str after:?end before:?time
damage_found file:str offset:int code:str
clock_stepped from:time to:time
disk_full available_bytes:int
checkpoint_signed size:int root:root key_id:str
key_changed old_vkey:str new_vkey:str old_signature:str new_signature:str
format_changed to:int
log_closed
previous file:name last_seq:int last_hash:hex
continues log_id:id head:head
key vkey:str since:int
pruned seq:int last_seq:int last_hash:hex
place dir:inode file:inode
inode inode:int born:time
file name:name size:int sha256:hex last_seq:?int
end last_seq:int last_hash:hex""".split("\n"))}
ABSENT = object()
WRITERS = list(FORMS)[:list(FORMS).index("previous")]
DATE = "(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
TEXTS = {"str": "(?s:.*)", "hex": "[0-9a-f]{64}", "storage": "volatile",
         "root": "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", "id": "[0-9a-f]{32}",
         "head": "(?P<seq>0|[1-9][0-9]{0,15}):[0-9a-f]{64}", "pointer": "(/([^~/]|~[01])*)+",
         "name": f"(?P<seq>[0-9]{{20}})[.]{DATE}[.]audit[.]jsonl",
         "time": DATE + "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{9}Z",
         "tail": "torn|zeros|superseded|unreadable|unsealed",
         "why": "other_key|unsigned_opening|before_seals|no_key_before",
         "loss": "queue_full|disk_full|refused|io_error",
         "miss": "unlinked|replaced|size_changed|acknowledged"}


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
    if form == "true":
        return value is True
    if form == "int":
        return type(value) is int and value <= COUNT_MAX
    found = type(value) is str and re.fullmatch(TEXTS[form], value)
    parts = {"seq": 0, "date": "2000-01-01"} | (found.groupdict() if found else {})
    # Not every such date is in the calendar. Python's has no year 0, which is like the year 400.
    datetime.date.fromisoformat(re.sub("^0000", "0400", parts["date"]))
    return bool(found) and int(parts["seq"]) <= SEQ_MAX


def unique(pairs):
    need(len(dict(pairs)) == len(pairs), "a key is twice in one object")
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


def hashed(line):
    """Whether a line is whole and has a right hash."""
    digest = hashlib.sha256(b"\0" + line[:-76]).hexdigest()
    return line[-76:] == b',"hash":"%s"}\n' % digest.encode() and len(line) <= LINE_MAX + 1


def record(line, version="1"):
    """A whole record, taken apart, and nothing; or nothing, and why it is none."""
    try:
        need(hashed(line), "its hash is not right, or it is no whole line")
        found = RECORD.fullmatch(line.decode())
        need(found and found["v"] == version, "it is not written as a record of this version")
        need(int(found["seq"]) == int(found["seq_in_hex"], 16) <= SEQ_MAX
             and fits("time", found["time"]), "it is not written as a record")
        return found.groupdict() | {"seq": int(found["seq"]), "event": strict(found["event"])}, None
    except ValueError as error:
        return None, error


def foreign(line):
    """What is known of a whole record of any version, and nothing; or nothing, and why not."""
    found = FOREIGN.fullmatch(line) if hashed(line) else None
    if not found or int(found["v"]) > COUNT_MAX or int(found["seq"]) > SEQ_MAX:
        return None, "it is no record of any version"
    parts = {key: text.decode() for key, text in found.groupdict().items()}
    return parts | {"seq": int(found["seq"])}, None


def crash(lines, start, read, why):
    """Makes sure that lines behind whole records, from this byte on, look like a crash; how many of
    them are records."""
    tail, before, valid = b"".join(lines), "nothing that a record follows", 0
    for line in lines:
        whole, _ = read(line)
        begins = (line[:field.end()] + b"\n" for field in HASH_FIELD.finditer(line[:-1]))
        is_unfinished = not line.endswith(b"\n") and len(line) <= LINE_MAX
        need(before in (None, whole["prev_hash"]) if whole else b"\0" in line
             or is_unfinished and not any(read(begin)[0] for begin in begins), why)
        before, valid = whole and whole["hash"], valid + bool(whole)
    for run in re.finditer(rb"(\A|\n)?(\0+)", tail):
        need((run[1] is not None or (start + run.start(2)) % 512 == 0)
             and (run.end() == len(tail) or (start + run.end()) % 512 == 0), why)
    return valid

"""Reads an alert log, checks it against schema and life cycle, and folds its records into excursions of incidents."""
import collections
import datetime
import json
import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
         "null": type(None)}
# Keywords that say nothing about a value. Any keyword that is neither here nor checked below is refused.
ANNOTATIONS = {"$schema", "title", "description"}


def seconds(text):
    """Unix seconds of an RFC 3339 time in UTC; ValueError if it is none."""
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc).timestamp()


def has_type(value, name):
    # In Python, True is an integer; in JSON it is not.
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def holds(keyword, limit, value, schema):
    """Whether one keyword of the schema is satisfied. Keywords for other types than the value's do not matter."""
    number = has_type(value, "number")
    text = isinstance(value, str)
    if keyword == "type":
        return any(has_type(value, name) for name in ([limit] if isinstance(limit, str) else limit))
    if keyword == "enum":
        return any(value == allowed and isinstance(value, bool) == isinstance(allowed, bool) for allowed in limit)
    if keyword == "format":
        if text:
            try:
                seconds(value)
            except ValueError:
                return False
        return True
    checks = {
        "minimum": lambda: not number or value >= limit,
        "maximum": lambda: not number or value <= limit,
        "minLength": lambda: not text or len(value) >= limit,
        "maxLength": lambda: not text or len(value) <= limit,
        "pattern": lambda: not text or re.search(limit, value) is not None,
        "minItems": lambda: not isinstance(value, list) or len(value) >= limit,
        "maxItems": lambda: not isinstance(value, list) or len(value) <= limit,
        "required": lambda: not isinstance(value, dict) or all(name in value for name in limit),
        "properties": lambda: True,  # below: they are about the members
        "items": lambda: True,
        "additionalProperties": lambda: True,
    }
    return checks[keyword]()


def schema_violations(schema, value, path="$"):
    """What is wrong with the value, as sentences. KeyError for a keyword that is not known here."""
    for keyword, limit in schema.items():
        if keyword not in ANNOTATIONS and not holds(keyword, limit, value, schema):
            yield f"{path}: {keyword} {json.dumps(limit)} does not hold for {json.dumps(value)[:80]}"
    if isinstance(value, dict):
        others = schema.get("additionalProperties", True)
        for name, member in value.items():
            if name in schema.get("properties", {}):
                yield from schema_violations(schema["properties"][name], member, f"{path}.{name}")
            elif others is False:
                yield f"{path}: {name} is no known field"
            elif isinstance(others, dict):
                yield from schema_violations(others, member, f"{path}.{name}")
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from schema_violations(schema["items"], item, f"{path}[{index}]")


def life_cycle_violations(records):
    """Each incident: revisions 0, 1, 2 ..., opened by the first, goes on after an end only where that re-opens it; ticks
    in order."""
    incidents = collections.defaultdict(list)
    last_tick = ""
    for record in records:
        incidents[record["id"]].append(record)
        if record["tick"] < last_tick:
            yield f"{record['id']}: the record of {record['tick']} follows one of {last_tick}"
        last_tick = record["tick"]
    for name, own in incidents.items():
        if [record["revision"] for record in own] != list(range(len(own))):
            yield f"{name}: the revisions are not 0, 1, 2 ..."
        if [record["kind"] == "open" for record in own] != [True] + [False] * (len(own) - 1):
            yield f"{name}: it is not opened by its first record alone"
        for record, later in zip(own, own[1:]):
            reopens = later["kind"] == "update" and later["reopen_count"] > record["reopen_count"]
            if record["status"] != "open" and not (record["kind"] == "resolve" and reopens):
                yield f"{name}: it goes on after its end"
    for name, own in incidents.items():
        if own[0]["parent_id"] is not None and own[0]["parent_id"] not in incidents:
            yield f"{name}: its parent is not in the log"


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Excursion:
    """A stretch in which an incident is told to be open: from its opening, or a re-opening, to its end.

    What comes and goes without an end that is told (docs/alerts.md, Re-open) is one stretch.
    """

    def __init__(self, records):
        first, last = records[0], records[-1]
        self.id = first["id"]
        self.is_first = first["kind"] == "open"
        self.monitor, self.detector, self.level = first["monitor"], first["detector"], first["level"]
        self.scope, self.key = first["scope"], first["key"]
        self.onset, self.detected = seconds(first["onset"]), seconds(first["detected_at"])
        self.is_page = self.is_first and first["parent_id"] is None
        self.end_kind = last["kind"] if last["status"] != "open" else None
        self.end = seconds(last["tick"]) if self.end_kind else float("inf")
        self.measured, self.baseline, self.sample = (last[name] for name in ("measured_value", "baseline_value",
                                                                             "sample_size"))
        self.severity = max((record["severity"] for record in records), key=["warning", "major", "critical"].index)

    def below_scope(self):
        """The key without the dimensions of the scope."""
        return {name: value for name, value in self.key.items() if name not in self.scope}


def excursions(records):
    """The excursions of a log, in order of their openings. What follows the end of an incident opens it again."""
    found, running = [], {}
    for record in records:
        if record["id"] not in running:
            running[record["id"]] = []
            found.append(running[record["id"]])
        running[record["id"]].append(record)
        if record["status"] != "open":
            del running[record["id"]]
    return [Excursion(own) for own in found]


def incidents(excursions_of_log):
    """One excursion for each incident: its last, which says how it ended."""
    return list({excursion.id: excursion for excursion in excursions_of_log}.values())


def most_in_an_hour(records):
    """The most records that a detector writes of one key within any 60 minutes, both ends included."""
    ticks = collections.defaultdict(list)
    for record in records:
        ticks[record["monitor"], record["detector"], str(record["key"])].append(seconds(record["tick"]))
    most = 0
    for own in ticks.values():
        first = 0
        for index, tick in enumerate(own):
            while own[first] < tick - 3600:
                first += 1
            most = max(most, index - first + 1)
    return most

#!/usr/bin/env python3
"""Replays the data sets with the defaults: nothing is set but what the stream and its keys are.

    untuned.py [--tocsin F] [--only NAME ...] [--incidents] [--write]

Of each example configuration only field names, conditions, scope, levels, tick and season are kept; every detector is
replaced by the default one with its default settings. `--write` renews the table in docs/quality.md. Exit codes as
those of replay_datasets.py, which finds the data and runs the commands.
"""
import json
import pathlib
import re
import sys
import tempfile

import alert_log
import labels
import replay_datasets
from replay_datasets import Dataset, duration, markdown_table

PAGE = replay_datasets.ROOT / "docs" / "quality.md"
BEGIN, END = "<!-- begin: tests/datasets/untuned.py --write -->\n", "<!-- end: untuned -->\n"
# What says how to read a stream, not how to judge it.
INPUT_KEPT = {"format", "time", "where", "total", "failed", "viewer", "max_ahead", "rate", "rate_unit"}
MONITOR_KEPT = {"name", "error_when", "where", "scope", "levels", "tick", "season"}

DATASETS = [
    Dataset("bank", "bank", labels.outages, tolerance=120, must_hit=3),
    Dataset("esb", "esb", labels.outages, tolerance=120, must_hit=3),
    Dataset("secutix", "secutix", labels.gold, tolerance=2 * 3600, must_hit=8),
    Dataset("infections", "infections", labels.infections, tolerance=0),
    Dataset("cloudwalk day 1", "cloudwalk"),
    Dataset("cloudwalk day 2", "cloudwalk", replaced={"counts_1.csv": "counts_2.csv"}),
    Dataset("petshop", "petshop", labels.petshop, tolerance=600),
    Dataset("live_video long", "live_video", labels.long_streams, tolerance=120, scope="stream"),
    Dataset("flights", "flights"),
    Dataset("flaps", "flaps", most_an_hour=12),
    Dataset("apache", "apache", rejected={"malformed": 1}),
    Dataset("video_views", "video_views", labels.planted, tolerance=600, must_hit=3),
]
# The bank's two systems fail together or not at all; judged as one, the second begins with what the first has taught.
LEVELS = {"bank": {"scope": [], "levels": [[], ["part"], ["service"]]}}


def without_comments(text):
    return re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda found: found.group(1) or "", text)


def untuned(text, name):
    """The configuration without anything that tunes."""
    document = json.loads(without_comments(text))
    monitors = []
    for monitor in document["monitors"]:
        kept = {key: value for key, value in monitor.items() if key in MONITOR_KEPT}
        monitors.append({**kept, **LEVELS.get(name, {})})
    # Two monitors of one stream differ in their tuning only, unless they count different things.
    return {"input": {key: value for key, value in document["input"].items() if key in INPUT_KEPT},
            "monitors": monitors}


class Coverage:
    """What the excursions of a log are worth: a window is found if one began in it or was open already."""

    def __init__(self, excursions, windows, tolerance):
        self.windows = [window for window in windows if window.expected]
        self.found, self.delays = 0, []
        for window in self.windows:
            # An excursion counts while it lasts; one that opens after the window, within the tolerance, found it late.
            hits = [excursion for excursion in excursions if window.overlaps(excursion)
                    and excursion.detected <= max(window.end, window.start + tolerance)]
            if hits:
                self.found += 1
                self.delays.append(max(0, min(excursion.detected for excursion in hits) - window.start))
        self.outside = [one for one in excursions if not any(window.overlaps(one) for window in windows)]

    def episodes(self):
        """Excursions outside every window, those of several keys at one time counted once."""
        count, until = {}, {}
        for excursion in sorted(self.outside, key=lambda one: one.onset):
            scope = tuple(sorted(excursion.scope.items()))
            if excursion.onset > until.get(scope, float("-inf")):
                count[scope] = count.get(scope, 0) + 1
            until[scope] = max(until.get(scope, float("-inf")), excursion.end)
        return sum(count.values())


def line_of(outcome):
    levels = {}
    for incident in alert_log.incidents(outcome.excursions):
        name = " x ".join(incident.level) or "all"
        levels[name] = levels.get(name, 0) + 1
    opens = ", ".join(f"{name} {count}" for name, count in sorted(levels.items(), key=lambda one: one[0] != "all"))
    everything = Coverage(outcome.excursions, outcome.windows or [], outcome.dataset.tolerance)
    pages = sum(excursion.is_page for excursion in outcome.excursions)
    reopened = sum(not excursion.is_first for excursion in outcome.excursions)
    if outcome.windows is None:
        return [outcome.dataset.name, opens or "none", pages, reopened, "-", "-", everything.episodes(), "-"]
    delays = sorted(everything.delays)
    delay = f"{duration(delays[len(delays) // 2])} / {duration(delays[-1])}" if delays else "-"
    return [outcome.dataset.name, opens or "none", pages, reopened, f"{everything.found} of {len(everything.windows)}",
            len(everything.outside), everything.episodes(), delay]


def main(arguments):
    asked = replay_datasets.asked_of(arguments, __doc__.splitlines()[0], PAGE)
    data = replay_datasets.data_folder()
    if not data:
        print("SKIPPED: no data. TOCSIN_DATA names no folder, or is not set and ../shared/data is not there.")
        return replay_datasets.SKIPPED

    problems, lines = [], []
    for dataset in DATASETS:
        if asked.only and not {dataset.name, dataset.config} & set(asked.only):
            continue
        with tempfile.TemporaryDirectory(prefix="tocsin-untuned-") as name:
            work = pathlib.Path(name)
            source = replay_datasets.examples_folder(dataset, work) / f"{dataset.config}.json"
            document = untuned(source.read_text(encoding="utf-8"), dataset.name)
            (work / f"{dataset.config}.json").write_text(json.dumps(document), encoding="utf-8")
            outcome = replay_datasets.replay(dataset, asked.tocsin.resolve(), data, examples=work)
        lines.append(line_of(outcome))
        problems += [f"{dataset.name}: {problem}" for problem in outcome.problems if "windows opened" not in problem]
        if outcome.windows is not None:
            found = Coverage(outcome.excursions, outcome.windows, dataset.tolerance).found
            if found < dataset.must_hit:
                problems.append(f"{dataset.name}: {found} windows found, at least {dataset.must_hit} expected")
        if asked.incidents:
            replay_datasets.print_excursions(outcome)
    table = markdown_table(["data set", "incidents by level", "pages", "re-opened", "windows found", "excursions outside",
                            "episodes outside", "delay median / max"], lines)
    print(table)
    for problem in problems[:50]:
        print(f"FAILED: {problem}")
    if asked.write and not problems:
        replay_datasets.write(table, PAGE, BEGIN, END)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

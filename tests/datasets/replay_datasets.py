#!/usr/bin/env python3
"""Replays every data set with its example configuration and judges the alert logs.

    replay_datasets.py [--tocsin F] [--only NAME ...] [--incidents] [--write]

The command of each data set is taken from the header comment of its configuration, so that the comment is what is
tested. The data are looked for in the folder that TOCSIN_DATA names, else in ../shared/data beside the checkout.
Without them only the bundled recording is replayed, and the exit code is 77 (skipped). Other exit codes: 0 all that has
to hold holds, 1 not so, 2 usage.
"""
import argparse
import collections
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import typing

import alert_log
import labels

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "datasets.md"
BEGIN, END = "<!-- begin: tests/datasets/replay_datasets.py --write -->\n", "<!-- end -->\n"
SKIPPED = 77
SCHEMA = json.loads((ROOT / "configs" / "alert.schema.json").read_text(encoding="utf-8"))


@dataclasses.dataclass
class Dataset:
    name: str
    config: str                            # configs/examples/<config>.json
    windows: typing.Callable = None        # folder -> labels.Window list; None: nothing is known
    tolerance: int = 0                     # seconds after the start of a window in which an opening counts
    must_hit: int = 0                      # windows that one or both detectors have to open and resolve
    most_an_hour: int = 0                  # records of one key and detector in any hour; 0: not looked at
    rejected: dict = dataclasses.field(default_factory=dict)
    replaced: dict = dataclasses.field(default_factory=dict)  # file name -> another one that the comment names
    scope: str = ""                        # replaces the scope of the configuration, as the comment says


DATASETS = [
    Dataset("flights", "flights"),
    Dataset("bank", "bank", labels.outages, tolerance=300, must_hit=3),
    Dataset("esb", "esb", labels.outages, tolerance=300, must_hit=3),
    Dataset("secutix", "secutix", labels.gold, tolerance=2 * 3600, must_hit=8),
    Dataset("infections", "infections", labels.infections),
    Dataset("cloudwalk day 1", "cloudwalk"),
    Dataset("cloudwalk day 2", "cloudwalk", replaced={"counts_1.csv": "counts_2.csv"}),
    Dataset("petshop", "petshop", labels.petshop, tolerance=600, must_hit=10),
    Dataset("live_video", "live_video", labels.live_video, tolerance=120),
    Dataset("live_video long", "live_video", labels.long_streams, tolerance=120, scope="stream"),
    Dataset("crash_rate", "crash_rate", labels.crash_rates, tolerance=2 * 3600),
    Dataset("flaps", "flaps", most_an_hour=12),
    Dataset("apache", "apache", rejected={"malformed": 1}),
    Dataset("video_views", "video_views", labels.planted, tolerance=600, must_hit=3),
]


@dataclasses.dataclass
class Outcome:
    dataset: Dataset
    summary: dict
    records: list
    excursions: list
    windows: typing.Optional[list]
    problems: list


def data_folder():
    """The folder of the data sets, or None."""
    named = os.environ.get("TOCSIN_DATA")
    folder = pathlib.Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def commands(text):
    """The replay commands of a configuration's header comment, each with the data folder it is for (or None).

    A command begins behind `Replay:`, goes on over lines that end with a pipe, and ends with `(of FOLDER...)`.
    """
    found, lines = [], iter(text.splitlines())
    for line in lines:
        if not line.startswith("//") or "Replay:" not in line:
            continue
        command = line.split("Replay:", 1)[1].strip()
        while command.endswith("|"):
            command += " " + next(lines).lstrip("/ ").strip()
        command, _, of = command.partition("   (of ")
        folder = re.match(r"\w*", of).group() or None
        found.append((command, folder))
    return found


def parse_summary(text):
    """The final table of `replay` as numbers, rejects by reason."""
    summary = {"events": 0, "keys created": 0, "filtered out": 0, "late events": 0, "time": 0.0,
               "rejected": collections.Counter()}
    for line in text.splitlines():
        name, value = line[:22].strip(), line[22:].replace(",", "").strip()
        if name == "rejected":
            count, reason = value.split(" ", 1)
            summary["rejected"][reason] += int(count)
        elif name == "keys":
            summary["keys created"] = int(re.search(r"(\d+) created", value).group(1))
        elif name in summary:
            summary[name] = type(summary[name])(re.match(r"[\d.]+", value).group())
    return summary


def examples_folder(dataset, work):
    """The folder of the configurations; where the scope is another one, a changed copy in the folder `work`."""
    examples = ROOT / "configs" / "examples"
    if not dataset.scope:
        return examples
    text = (examples / f"{dataset.config}.json").read_text(encoding="utf-8")
    text, count = re.subn(r'"scope": \[[^]]*\]', f'"scope": ["{dataset.scope}"]', text)
    if count != 1:
        raise RuntimeError(f"{dataset.config}.json has {count} scopes, expected one")
    (work / f"{dataset.config}.json").write_text(text, encoding="utf-8")
    return work


def command_of(dataset):
    text = (ROOT / "configs" / "examples" / f"{dataset.config}.json").read_text(encoding="utf-8")
    found = commands(text)
    command, folder = found[1 if dataset.scope else 0]
    for name, other in dataset.replaced.items():
        if name not in command or other not in text:
            raise RuntimeError(f"the comment of {dataset.config}.json does not name {name} and {other}")
        command = command.replace(name, other)
    return command, folder


def replay(dataset, tocsin, data_root, examples=None):
    """Runs the command of the data set; `examples`: a folder that holds its configuration instead of the example."""
    command, folder = command_of(dataset)
    recordings = ROOT / "configs" / "examples" / "recordings"
    data = data_root / folder if folder else recordings
    with tempfile.TemporaryDirectory(prefix="tocsin-datasets-") as name:
        work = pathlib.Path(name)
        log = work / "replayed.ndjson"
        # The comments name files as seen from the checkout, data as seen from their folder. Nothing is written there.
        shell = command.replace("configs/examples/recordings", str(recordings))
        shell = shell.replace("--config configs/examples", f"--alerts {log} --config {examples or examples_folder(dataset, work)}")
        done = subprocess.run(["bash", "-c", "set -o pipefail; " + shell], cwd=data if folder else work,
                              capture_output=True, text=True, check=False,
                              env={**os.environ, "PATH": f"{tocsin.parent}:{os.environ['PATH']}"})
        if done.returncode != 0:
            problem = f"exit code {done.returncode} of: {command}\n{done.stderr}"
            return Outcome(dataset, parse_summary(""), [], [], None, [problem])
        records = alert_log.read(log)
    windows = dataset.windows(data) if dataset.windows else None
    outcome = Outcome(dataset, parse_summary(done.stderr), records, alert_log.excursions(records), windows, [])
    outcome.problems += problems(outcome)
    return outcome


def problems(outcome):
    """Everything that has to hold and does not, as sentences."""
    dataset, summary = outcome.dataset, outcome.summary
    if summary["events"] == 0:
        yield "no events"
    if dict(summary["rejected"]) != dataset.rejected:
        yield f"rejected {dict(summary['rejected'])}, expected {dataset.rejected}"
    if summary["late events"] != 0:
        yield f"{summary['late events']} late events"
    for number, record in enumerate(outcome.records, 1):
        for violation in alert_log.schema_violations(SCHEMA, record):
            yield f"record {number}: {violation}"
    yield from alert_log.life_cycle_violations(outcome.records)
    most = alert_log.most_in_an_hour(outcome.records)
    if dataset.most_an_hour and most > dataset.most_an_hour:
        yield f"{most} records of one key in an hour, at most {dataset.most_an_hour} expected"
    if outcome.windows is not None:
        score = labels.Score(outcome.excursions, outcome.windows, dataset.tolerance)
        if score.resolved < dataset.must_hit:
            yield (f"{score.resolved} of {score.expected} windows opened and resolved, "
                   f"at least {dataset.must_hit} expected")


def markdown_table(head, lines):
    table = [head, ["---"] + ["---:" if column in ("events", "filtered", "keys", "records", "incidents", "pages", "time", "events/s")
                              else "---" for column in head[1:]], *lines]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in table)


def duration(value):
    if value is None:
        return "-"
    for unit, size in (("h", 3600), ("min", 60)):
        if value >= 2 * size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} s"


def speed(summary):
    # A summary shows hundredths of a second: below 0.05 s a rate would be a guess.
    if summary["time"] < 0.05:
        return "-"
    rate = summary["events"] / summary["time"]
    return f"{rate / 1e6:.2f} M" if rate >= 1e5 else f"{rate / 1e3:.1f} k"


def replay_table(outcomes):
    head = ["data set", "events", "filtered", "rejected", "keys", "records", "incidents", "pages", "time",
            "events/s"]
    lines = []
    for outcome in outcomes:
        summary = outcome.summary
        rejected = ", ".join(f"{count} {reason}" for reason, count in sorted(summary["rejected"].items())) or "-"
        lines.append([outcome.dataset.name, f"{summary['events']:,}", f"{summary['filtered out']:,}", rejected,
                      f"{summary['keys created']:,}", f"{len(outcome.records):,}",
                      f"{len(alert_log.incidents(outcome.excursions)):,}",
                      f"{sum(one.is_page for one in outcome.excursions):,}", f"{summary['time']:.2f} s",
                      speed(summary)])
    return markdown_table(head, lines)


def finding_cells(excursions, outcome):
    incidents = alert_log.incidents(excursions)
    levels = collections.Counter(" x ".join(incident.level) or "all" for incident in incidents)
    opens = ", ".join(f"{name} {count}" for name, count in levels.items()) or "none"
    ends = collections.Counter(incident.end_kind or "open at the end" for incident in incidents)
    endings = ", ".join(f"{count} {kind}" for kind, count in ends.most_common()) or "-"
    reopened = len(excursions) - len(incidents)
    if outcome.windows is None:
        return [opens, endings, reopened, "-", "-", "-", "-"]
    score = labels.Score(excursions, outcome.windows, outcome.dataset.tolerance)
    exact = f" ({score.exact} exact)" if any(window.causes for window in outcome.windows) else ""
    return [opens, endings, reopened, f"{score.hit} of {score.expected}{exact}", score.resolved, len(score.outside),
            f"{duration(score.median_delay())} / {duration(score.max_delay())}"]


def finding_table(outcomes):
    head = ["data set", "monitor: detector", "opens by level", "ends", "re-opened", "labels hit",
            "and resolved", "excursions outside", "delay median / max"]
    lines = []
    for outcome in outcomes:
        config = (ROOT / "configs" / "examples" / f"{outcome.dataset.config}.json").read_text(encoding="utf-8")
        # Every detector has its row, also one that found nothing.
        monitors = re.findall(r'"name": "([^"]+)"|"type": "([^"]+)"', config)
        monitor = ""
        for name, detector in monitors:
            monitor = name or monitor
            if detector:
                own = [excursion for excursion in outcome.excursions
                       if (excursion.monitor, excursion.detector) == (monitor, detector)]
                lines.append([outcome.dataset.name, f"{monitor}: {detector}", *finding_cells(own, outcome)])
        if outcome.windows is not None:
            lines.append([outcome.dataset.name, "one or both", "", *finding_cells(outcome.excursions, outcome)[1:]])
    return markdown_table(head, lines)


def print_excursions(outcome):
    print(f"\n{outcome.dataset.name}")
    for one in outcome.excursions:
        inside = outcome.windows and any(window.overlaps(one) for window in outcome.windows)
        how = "page" if one.is_page else "child" if one.is_first else "again"
        print(f"  {one.id[:8]} {how:5} {one.monitor} {one.detector:12} {str(one.key):60} {one.severity:8} onset "
              f"{one.onset:.0f} detected +{one.detected - one.onset:.0f} end +{one.end - one.onset:.0f} {one.end_kind} "
              f"{one.measured:.3f} / {one.baseline:.3f} of {one.sample}{' LABEL' if inside else ''}")
    if outcome.windows is not None:
        for window in labels.Score(outcome.excursions, outcome.windows, outcome.dataset.tolerance).missed:
            print(f"  missed: {window.start} to {window.end} {window.scope} {window.causes}")


def write(tables, path=PAGE, begin_line=BEGIN, end_line=END):
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(begin_line)
    _, end, after = rest.partition(end_line)
    if not begin or not end:
        raise RuntimeError(f"{path.name} lacks the lines {begin_line.strip()} and {end_line.strip()}")
    path.write_text(before + begin_line + "\n" + tables + "\n" + end_line + after, encoding="utf-8")


def asked_of(arguments, description, page):
    """The options of the command line, checked; `page`: what --write renews."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--tocsin", type=pathlib.Path, default=ROOT / "build" / "release" / "tocsin")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="data sets, by name or name of configuration")
    parser.add_argument("--incidents", action="store_true", help="print each excursion, and the labels that were missed")
    parser.add_argument("--write", action="store_true", help=f"write the tables into docs/{page.name}")
    asked = parser.parse_args(arguments)
    if not asked.tocsin.is_file():
        parser.error(f"{asked.tocsin} is not there; build target tocsin or name it with --tocsin")
    if asked.write and asked.only:
        parser.error("--write needs all data sets")
    return asked


def main(arguments):
    asked = asked_of(arguments, __doc__.splitlines()[0], PAGE)
    data = data_folder()
    chosen = [dataset for dataset in DATASETS
              if (not asked.only or {dataset.name, dataset.config} & set(asked.only))
              and (data or command_of(dataset)[1] is None)]
    outcomes = [replay(dataset, asked.tocsin.resolve(), data) for dataset in chosen]
    tables = replay_table(outcomes) + "\n" + finding_table(outcomes)
    print(tables)
    if asked.incidents:
        for outcome in outcomes:
            print_excursions(outcome)
    found = [f"{outcome.dataset.name}: {problem}" for outcome in outcomes for problem in outcome.problems]
    for problem in found[:50]:
        print(f"FAILED: {problem}")
    if found:
        return 1
    if not data:
        print("SKIPPED: no data. Only the bundled recording was replayed, NONE of the data sets: TOCSIN_DATA names no "
              "folder, or is not set and ../shared/data beside the checkout is not there.")
        return SKIPPED
    if asked.write:
        write(tables)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

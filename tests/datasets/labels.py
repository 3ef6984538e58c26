"""Known incidents of the data sets, and what of them an alert log found."""
import csv
import io
import json
import pathlib
import statistics
import subprocess

from alert_log import seconds


class Window:
    """A known incident: [start, end) in unix seconds, of one scope; causes are the key sets that are at fault.

    A window that is not `expected` excuses excursions in it, but nothing has to be found there.
    """

    def __init__(self, start, end, scope=None, causes=(), expected=True):
        self.start, self.end = start, end
        self.scope, self.causes, self.expected = scope or {}, list(causes), expected

    def overlaps(self, excursion):
        return excursion.scope == {**excursion.scope, **self.scope} and \
            excursion.onset < self.end and excursion.end > self.start

    def is_hit_by(self, excursion, tolerance):
        """Opened in the window (by the end of its last tick), or at most `tolerance` seconds after its start."""
        return self.overlaps(excursion) and \
            self.start < excursion.detected <= max(self.end, self.start + tolerance)


class Score:
    """What excursions are worth against the windows. Delays in seconds from the start of the window."""

    def __init__(self, excursions, windows, tolerance):
        expected = [window for window in windows if window.expected]
        hits = [[one for one in excursions if window.is_hit_by(one, tolerance)] for window in expected]
        self.expected = len(expected)
        self.hit = sum(1 for found in hits if found)
        self.resolved = sum(1 for found in hits if any(excursion.end_kind == "resolve" for excursion in found))
        self.exact = sum(1 for window, found in zip(expected, hits)
                         if any(excursion.below_scope() in window.causes for excursion in found))
        self.missed = [window for window, found in zip(expected, hits) if not found]
        self.delays = [min(excursion.detected for excursion in found) - window.start
                       for window, found in zip(expected, hits) if found]
        self.outside = [one for one in excursions if not any(window.overlaps(one) for window in windows)]

    def median_delay(self):
        return statistics.median(self.delays) if self.delays else None

    def max_delay(self):
        return max(self.delays, default=None)


def rows(path):
    """The rows of a CSV file, plain or zstd, as dictionaries."""
    if path.suffix == ".zst":
        text = subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True).stdout.decode()
    else:
        text = path.read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def outages(folder, name="outages_by_rule.csv"):
    return [Window(int(row["start_ts"]), int(row["end_ts"])) for row in rows(folder / name)]


def gold(folder):
    return outages(folder, "gold_incidents.csv")


def infections(folder, week=7 * 86400):
    """Runs of weeks that are known outbreaks, by series."""
    windows = []
    for series in ("k1", "m1", "m2", "m3", "m4", "m5", "n1", "n2"):
        begun = None
        for row in rows(folder / f"{series}.csv") + [{"t": "0", "state_1": "0"}]:
            if row["state_1"] == "1":
                begun = begun or int(row["t"])
                last = int(row["t"])
            elif begun:
                windows.append(Window(begun * week, (last + 1) * week, {"series": series}))
                begun = None
    return windows


def live_video(folder):
    """The minute of each case's alarm."""
    return [Window(int(row["anomaly_ts"]), int(row["anomaly_ts"]) + 60, {"case": row["case"]},
                   json.loads(row["root_cause_json"])) for row in rows(folder / "labels.csv")]


def long_streams(folder):
    return [Window(int(row["anomaly_ts"]), int(row["anomaly_ts"]) + 60, {"stream": row["stream"]},
                   json.loads(row["root_cause_json"])) for row in rows(folder / "long_labels.csv")]


def petshop(folder):
    """Injected failures are to be found; injected delays need not make anything fail."""
    return [Window(int(row["issue_ts"]), int(row["seg_last_ts"]) + 300, {"traffic": row["traffic"]},
                   [{"component": row["root_cause_node"]}], row["target_metric"] == "availability")
            for row in rows(folder / "labels.csv")]


def planted(folder):
    """The truth file of a generated stream whose scope is the property."""
    truth = json.loads((pathlib.Path(folder) / "video_views.truth.json").read_text(encoding="utf-8"))
    windows = []
    for incident in truth["incidents"]:
        where = dict(incident["where"])
        scope = {"property": where.pop("property")}
        windows.append(Window(seconds(incident["start"]), seconds(incident["end"]), scope, [where]))
    return windows


def crash_rates(folder):
    """The windows of the crash rates; other series of the folder are no failure rates."""
    return [Window(int(row["start_ts"]), int(row["end_ts"]), {"series": row["series"]})
            for row in rows(folder / "label_windows.csv") if row["series"].startswith("app")]

#!/usr/bin/env python3
"""The rules by which replay_datasets.py and untuned.py judge: each of them can fail."""
import contextlib
import copy
import io
import os
import pathlib
import re
import tempfile
import unittest
from unittest import mock

import alert_log
import labels
import replay_datasets as replayed
import untuned

# The documented example is a valid record.
PAGE = (replayed.ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
RECORD = alert_log.json.loads(re.search(r"```json\n(.*?)\n```", PAGE, re.S).group(1))


def changed(**fields):
    return {**copy.deepcopy(RECORD), **fields}


def later(revision, kind, minute):
    return changed(revision=revision, kind=kind, status="open" if kind in ("open", "update") else "closed",
                   tick=f"2016-05-04T12:{minute:02}:00.000Z")


class Schema(unittest.TestCase):
    def violations(self, record):
        return list(alert_log.schema_violations(replayed.SCHEMA, record))

    def test_the_documented_record_is_valid(self):
        self.assertEqual(self.violations(RECORD), [])

    def test_every_kind_of_damage_is_found(self):
        without_id = changed()
        del without_id["id"]
        damaged = {
            "type": changed(failures="18"), "true is no number": changed(failures=True), "enum": changed(kind="reopen"),
            "pattern": changed(id="0" * 31 + "X"), "length": changed(id="0"), "minimum": changed(sample_size=-1),
            "maximum": changed(confidence=1.5), "items": changed(interval=[0, -2]), "count": changed(interval=[0.5]),
            "unknown": changed(extra=1), "member": changed(key={"cdn": 5}), "time": changed(onset="yesterday"),
            "no such day": changed(onset="2016-02-30T12:00:00.000Z"), "required": without_id,
            "null": changed(onset=None),
        }
        for name, record in damaged.items():
            with self.subTest(name):
                self.assertTrue(self.violations(record))

    def test_an_unknown_keyword_is_no_silent_pass(self):
        with self.assertRaises(KeyError):
            list(alert_log.schema_violations({"oneOf": []}, RECORD))


class LifeCycle(unittest.TestCase):
    def violations(self, *records):
        return list(alert_log.life_cycle_violations(records))

    def test_a_whole_life(self):
        self.assertEqual(self.violations(later(0, "open", 5), later(1, "update", 6), later(2, "resolve", 7)), [])

    def test_each_break_of_it_is_found(self):
        lives = {
            "a gap": (later(0, "open", 5), later(2, "resolve", 6)),
            "no beginning": (later(0, "update", 5),),
            "two beginnings": (later(0, "open", 5), later(1, "open", 6)),
            "life after death": (later(0, "open", 5), later(1, "resolve", 6), later(2, "update", 7)),
            "time runs backwards": (later(0, "open", 5), later(1, "resolve", 4)),
        }
        for name, records in lives.items():
            with self.subTest(name):
                self.assertTrue(self.violations(*records))


def excursion(onset, detected, end, kind="resolve", scope=None, key=None):
    made = mock.Mock(spec=["onset", "detected", "end", "end_kind", "scope", "below_scope"])
    made.onset, made.detected, made.end, made.end_kind, made.scope = onset, detected, end, kind, scope or {}
    made.below_scope.return_value = key or {}
    return made


class Excursions(unittest.TestCase):
    def excursions(self, *records):
        return alert_log.excursions(records)

    def again(self, revision, minute, reopen_count=1, **fields):
        return {**later(revision, "update", minute), "reopen_count": reopen_count, **fields}

    def test_a_reopening_after_the_end_is_an_excursion_of_its_own_but_no_page_and_no_incident(self):
        onset, detected = "2016-05-04T12:18:00.000Z", "2016-05-04T12:20:00.000Z"
        found = self.excursions(later(0, "open", 5), later(1, "update", 6), later(2, "resolve", 9),
                                self.again(3, 20, onset=onset, detected_at=detected), self.again(4, 25),
                                later(5, "resolve", 30))
        noon = alert_log.seconds("2016-05-04T12:00:00.000Z")
        self.assertEqual([(one.onset - noon, one.detected - noon, one.end - noon) for one in found],
                         [(190, 300, 540), (1080, 1200, 1800)])
        self.assertEqual([(one.is_first, one.is_page) for one in found], [(True, True), (False, False)])
        self.assertEqual([one.end for one in alert_log.incidents(found)], [found[1].end])

    def test_what_comes_back_before_an_end_was_told_is_one_excursion(self):
        found = self.excursions(later(0, "open", 5), self.again(1, 20, onset="2016-05-04T12:18:00.000Z"),
                                later(2, "resolve", 30))
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0].onset, alert_log.seconds(RECORD["onset"]))

    def test_a_reopening_that_does_not_end_is_open_at_the_end(self):
        found = self.excursions(later(0, "open", 5), later(1, "resolve", 9), self.again(2, 20))
        self.assertEqual([one.end_kind for one in found], ["resolve", None])

    def test_a_child_is_no_page_and_incidents_are_told_apart(self):
        child = {**later(0, "open", 6), "id": "f" * 32, "parent_id": RECORD["id"]}
        found = self.excursions(later(0, "open", 5), child, later(1, "resolve", 9))
        self.assertEqual([(one.is_page, one.end_kind) for one in found], [(True, "resolve"), (False, None)])
        self.assertEqual(len(alert_log.incidents(found)), 2)


class MostInAnHour(unittest.TestCase):
    def test_the_worst_hour_of_the_worst_key(self):
        at = [changed(tick=f"2016-05-04T{time}:00.000Z") for time in ("12:05", "12:07", "13:06", "13:07", "13:08")]
        self.assertEqual(alert_log.most_in_an_hour(at), 3)  # 12:07 to 13:07; 13:08 is a minute too late
        self.assertEqual(alert_log.most_in_an_hour([*at[:2], {**at[0], "key": {"property": "p8"}}]), 2)
        self.assertEqual(alert_log.most_in_an_hour([]), 0)

    def test_too_many_are_a_problem(self):
        records = [later(0, "open", 5), later(1, "update", 6), later(2, "update", 7)]
        for most, is_problem in ((2, True), (3, False), (0, False)):
            dataset = replayed.Dataset("x", "esb", most_an_hour=most)
            outcome = replayed.Outcome(dataset, {**replayed.parse_summary(""), "events": 5}, records, [], None, [])
            self.assertEqual(any("in an hour" in problem for problem in replayed.problems(outcome)), is_problem)


class Score(unittest.TestCase):
    window = labels.Window(1000, 1060)

    def score(self, *excursions, windows=None):
        return labels.Score(excursions, windows or [self.window], tolerance=300)

    def test_an_excursion_in_the_window_is_a_hit_with_its_delay(self):
        score = self.score(excursion(1000, 1060, 1240))
        self.assertEqual((score.hit, score.resolved, score.delays, score.outside), (1, 1, [60], []))

    def test_what_is_too_early_too_late_over_before_or_elsewhere_is_none(self):
        for name, found in {"opened before": excursion(700, 940, 1240), "too late": excursion(1000, 1301, 1400),
                            "over before": excursion(900, 960, 1000), "onset after": excursion(1060, 1120, 1200)}.items():
            with self.subTest(name):
                self.assertEqual((self.score(found).hit, len(self.score(found).missed)), (0, 1))

    def test_the_tolerance_counts_from_the_start(self):
        self.assertEqual(self.score(excursion(1000, 1300, 1400)).hit, 1)

    def test_a_hit_that_expires_is_not_resolved(self):
        score = self.score(excursion(1000, 1060, 9000, "expire"))
        self.assertEqual((score.hit, score.resolved), (1, 0))

    def test_what_overlaps_no_window_is_outside(self):
        found = self.score(excursion(900, 940, 1000), excursion(1060, 1120, 1200), excursion(1000, 1060, 1200))
        self.assertEqual([one.onset for one in found.outside], [900, 1060])

    def test_another_scope_is_elsewhere(self):
        windows = [labels.Window(1000, 1060, {"case": "1"}, [{"cdn": "5"}])]
        other = self.score(excursion(1000, 1060, 1200, scope={"case": "2"}), windows=windows)
        self.assertEqual((other.hit, len(other.outside)), (0, 1))
        own = self.score(excursion(1000, 1060, 1200, scope={"case": "1"}, key={"cdn": "5"}), windows=windows)
        self.assertEqual((own.hit, own.exact), (1, 1))
        broader = self.score(excursion(1000, 1060, 1200, scope={"case": "1"}), windows=windows)
        self.assertEqual((broader.hit, broader.exact), (1, 0))

    def test_a_window_that_is_not_expected_only_excuses(self):
        windows = [labels.Window(1000, 1060, expected=False)]
        score = self.score(excursion(1000, 1060, 1200), windows=windows)
        self.assertEqual((score.expected, score.outside), (0, []))


class Commands(unittest.TestCase):
    def test_one_line_and_pipes_over_lines(self):
        text = ("// Words.\n"
                "// Replay:  tocsin replay --config configs/examples/a.json a.csv   (of a_folder; then b.csv)\n"
                "// Replay:  zstd -dc b.zst |\n"
                "//            tocsin replay --config configs/examples/a.json -   (of b_folder)\n")
        self.assertEqual(replayed.commands(text), [
            ("tocsin replay --config configs/examples/a.json a.csv", "a_folder"),
            ("zstd -dc b.zst | tocsin replay --config configs/examples/a.json -", "b_folder")])

    def test_every_example_is_a_data_set_and_has_a_command(self):
        examples = {path.stem for path in (replayed.ROOT / "configs" / "examples").glob("*.json")}
        self.assertEqual({dataset.config for dataset in replayed.DATASETS}, examples)
        for dataset in replayed.DATASETS:
            self.assertIn(f"--config configs/examples/{dataset.config}.json", replayed.command_of(dataset)[0])

    def test_a_summary_is_read(self):
        summary = replayed.parse_summary("events                1,477,911 (0.62 M/s)\n"
                                         "keys                  9 (12 created, 3 evicted, 0 expired)\n"
                                         "late events           1,234\n"
                                         "rejected              1 malformed\n"
                                         "time                  2.38 s\n")
        self.assertEqual((summary["events"], summary["keys created"], summary["late events"], summary["time"],
                          dict(summary["rejected"])), (1477911, 12, 1234, 2.38, {"malformed": 1}))


class Main(unittest.TestCase):
    def run_main(self, problems, data):
        outcome = replayed.Outcome(replayed.DATASETS[-1], replayed.parse_summary(""), [], [], None, problems)
        output = io.StringIO()
        with mock.patch.object(replayed, "replay", return_value=outcome) as replay, \
                mock.patch.dict(os.environ, {"TOCSIN_DATA": data}), contextlib.redirect_stdout(output):
            code = replayed.main(["--tocsin", __file__])
        return code, replay.call_count, output.getvalue()

    def test_missing_data_are_told_and_skipped(self):
        code, replays, output = self.run_main([], "/nowhere")
        self.assertEqual((code, replays), (replayed.SKIPPED, 1))
        self.assertIn("SKIPPED: no data", output)

    def test_a_problem_fails_with_and_without_data(self):
        for data in ("/nowhere", os.curdir):
            code, _, output = self.run_main(["something is wrong"], data)
            self.assertEqual(code, 1)
            self.assertIn("FAILED: video_views: something is wrong", output)

    def test_all_well(self):
        code, replays, _ = self.run_main([], os.curdir)
        self.assertEqual((code, replays), (0, len(replayed.DATASETS)))

    def test_a_replay_that_fails_is_a_problem(self):
        with tempfile.TemporaryDirectory() as name:
            tocsin = pathlib.Path(name) / "tocsin"
            tocsin.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
            tocsin.chmod(0o755)
            outcome = replayed.replay(replayed.DATASETS[-1], tocsin, None)
        self.assertRegex(outcome.problems[0], r"exit code 3 of: tocsin replay .*\nbroken")

    def test_a_summary_with_rejects_late_events_or_missed_windows_has_problems(self):
        dataset = replayed.Dataset("x", "esb", tolerance=300, must_hit=1)
        summary = replayed.parse_summary("events                5\nlate events           2\n"
                                         "rejected              3 bad_time\n")
        outcome = replayed.Outcome(dataset, summary, [changed(kind="reopen")], [], [Score.window], [])
        found = "\n".join(replayed.problems(outcome))
        for part in ("bad_time", "2 late events", "$.kind", "not opened by its first", "0 of 1 windows"):
            self.assertIn(part, found)


class Untuned(unittest.TestCase):
    def test_only_what_says_how_to_read_the_stream_is_kept(self):
        for path in sorted((replayed.ROOT / "configs" / "examples").glob("*.json")):
            document = untuned.untuned(path.read_text(encoding="utf-8"), path.stem)
            self.assertLessEqual(set(document), {"input", "monitors"}, path.stem)
            self.assertLessEqual(set(document["input"]), untuned.INPUT_KEPT, path.stem)
            for monitor in document["monitors"]:
                self.assertLessEqual(set(monitor), untuned.MONITOR_KEPT, path.stem)

    def test_comments_go_but_not_slashes_in_strings(self):
        self.assertEqual(untuned.without_comments('{"a": "http://x"} // b'), '{"a": "http://x"} ')

    def test_a_window_is_found_by_what_was_open_already_but_not_by_what_came_too_late(self):
        window = labels.Window(1000, 1100)
        self.assertEqual(untuned.Coverage([excursion(500, 600, 2000)], [window], 60).found, 1)
        self.assertEqual(untuned.Coverage([excursion(1050, 1200, 2000)], [window], 60).found, 0)
        self.assertEqual(untuned.Coverage([excursion(1050, 1200, 2000)], [window], 300).delays, [200])

    def test_excursions_at_one_time_are_one_episode(self):
        outside = [excursion(2000, 2060, 3000), excursion(2500, 2560, 4000), excursion(5000, 5060, 5100)]
        coverage = untuned.Coverage(outside, [labels.Window(0, 10)], 0)
        self.assertEqual((len(coverage.outside), coverage.episodes()), (3, 2))


if __name__ == "__main__":
    unittest.main()

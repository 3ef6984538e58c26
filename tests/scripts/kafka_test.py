#!/usr/bin/env python3
"""How tools/kafka starts, stops and refuses; with a real broker where one can be had."""
import pathlib
import re
import socket
import subprocess
import tempfile
import unittest

from sandbox import ROOT, Sandbox

CANNOT = 77


def kafka(*arguments, **options):
    return subprocess.run([ROOT / "tools" / "kafka", *arguments], capture_output=True, text=True, timeout=300, **options)


class Usage(unittest.TestCase):
    def test_tells_what_there_is(self):
        self.assertEqual(kafka().returncode, 2)
        shown = kafka("help")
        self.assertEqual(shown.returncode, 0)
        self.assertIn("tools/kafka start", shown.stdout)

    def test_refuses_what_it_does_not_know(self):
        for arguments, message in ((["run"], 'found "run"'), (["start", "--fast"], "--fast"),
                                   (["start", "--port", "http"], 'found "http"'), (["start", "--data"], "needs a value")):
            refused = kafka(*arguments)
            self.assertEqual(refused.returncode, 2, arguments)
            self.assertIn(message, refused.stderr)

    def test_says_that_it_does_not_run(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(kafka("status", "--data", folder).returncode, 1)
            self.assertEqual(kafka("stop", "--data", folder).returncode, 0)

    def test_does_not_take_a_stranger_for_its_broker(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "pid").write_text("1\n")
            self.assertEqual(kafka("status", "--data", folder).returncode, 1)
            self.assertEqual(kafka("stop", "--data", folder).returncode, 0)

    def test_says_so_where_none_can_be_had(self):
        with Sandbox() as box:
            box.copy("tools/kafka")
            for stand_ins in ([], ["java"]):
                for name in stand_ins:
                    box.stand_in(name)
                refused = box.run("tools/kafka", "start")
                self.assertEqual(refused.returncode, CANNOT)
                self.assertIn("Debian package", refused.stdout)


class Broker(unittest.TestCase):
    def test_starts_keeps_its_port_and_stops(self):
        with tempfile.TemporaryDirectory() as folder:
            started = kafka("start", "--data", folder, "--port", "0")
            if started.returncode == CANNOT:
                print("SKIPPED: no broker can be had here: " + started.stderr, flush=True)
                self.skipTest("no broker")
            try:
                self.assertEqual(started.returncode, 0, started.stderr)
                port = int(re.fullmatch(r"bootstrap\.servers=127\.0\.0\.1:(\d+)\n", started.stdout).group(1))
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                self.assertEqual(kafka("start", "--data", folder).stdout, started.stdout)  # the same one
                self.assertIn(f":{port}", kafka("status", "--data", folder).stdout)
                self.assertEqual(kafka("stop", "--kill", "--data", folder).returncode, 0)
                self.assertEqual(kafka("status", "--data", folder).returncode, 1)
                self.assertEqual(kafka("start", "--data", folder).stdout, started.stdout)
            finally:
                self.assertEqual(kafka("stop", "--data", folder).returncode, 0)
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1)


if __name__ == "__main__":
    unittest.main()

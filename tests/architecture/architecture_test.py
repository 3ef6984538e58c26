#!/usr/bin/env python3
"""Shows that architecture.py finds each kind of violation and stays silent on what is allowed."""
import pathlib
import tempfile
import unittest

import architecture

REMINDER = "TO" + "DO"  # in two parts, so that this file keeps the rule that it tests

# (file, text, part of the message); None: allowed.
INCLUDES = [
    ("models/a.cpp", "#include <Eigen/Dense>", None),
    ("models/a.cpp", "#include <vector>", None),
    ("models/a.cpp", '#include "models/b.hpp"', None),
    ("models/a.cpp", '#include "detectors/values/time.hpp"', "models/ must not include detectors/values/time.hpp"),
    ("models/a.cpp", "#include <unistd.h>", "must not include <unistd.h>"),
    ("models/a.cpp", "#include <tsl/robin_map.h>", "must not include <tsl/robin_map.h>"),
    ("detectors/values/a.hpp", '#include "detectors/values/key.hpp"', None),
    ("detectors/values/a.hpp", '#include "detectors/counting/cell.hpp"', "detectors/values/ must not include"),
    ("detectors/values/a.hpp", '#include "models/window.hpp"', "detectors/values/ must not include"),
    ("detectors/counting/a.hpp", '#include "detectors/values/key.hpp"', None),
    ("detectors/counting/a.hpp", '#include "detectors/judging/detector.hpp"', "detectors/counting/ must not include"),
    ("detectors/judging/a.hpp", '#include "models/window.hpp"', None),
    ("detectors/judging/a.hpp", '#include "detectors/incidents/incident.hpp"', "detectors/judging/ must not include"),
    ("detectors/incidents/a.hpp", '#include "detectors/judging/detector.hpp"', None),
    ("detectors/incidents/a.hpp", '#include "detectors/engine/world.hpp"', "detectors/incidents/ must not include"),
    ("detectors/engine/a.hpp", '#include "detectors/incidents/incident.hpp"', None),
    ("detectors/engine/a.hpp", '#include "io/source.hpp"', "detectors/engine/ must not include io/source.hpp"),
    ("detectors/engine/a.hpp", "#include <caf/all.hpp>", "must not include <caf/all.hpp>"),
    ("io/file/a.cpp", '#include "detectors/values/event_batch.hpp"', None),
    ("io/file/a.cpp", "#include <simdjson.h>", None),
    ("io/file/a.cpp", "#include <sys/stat.h>", None),
    ("io/file/a.cpp", '#include "detectors/engine/world.hpp"', "io/ must not include detectors/engine/world.hpp"),
    ("io/file/a.cpp", '#include "models/window.hpp"', "io/ must not include models/window.hpp"),
    ("io/file/a.cpp", "#include <caf/all.hpp>", "io/ must not include <caf/all.hpp>"),
    ("io/file/a.cpp", '#include "actors/protocol.hpp"', "io/ must not include actors/protocol.hpp"),
    ("actors/a.cpp", "#include <caf/all.hpp>", None),
    ("actors/a.cpp", '#include "io/source.hpp"', None),
    ("actors/a.cpp", '#include "detectors/engine/world.hpp"', None),
    ("actors/a.cpp", '#include "io/file/file_source.hpp"', "actors/ must not include io/file/file_source.hpp"),
    ("actors/a.cpp", "#include <io/sqlite/store.hpp>", "actors/ must not include io/sqlite/store.hpp"),
    ("actors/a.cpp", '#include "models/window.hpp"', "actors/ must not include models/window.hpp"),
    ("actors/a.cpp", "  #  include <sqlite3.h>", "actors/ must not include <sqlite3.h>"),
    ("actors/a.cpp", '#include "tools/run.hpp"', "actors/ must not include tools/run.hpp"),
    ("actors/a.cpp", '#include "protocol.hpp"', "by their path from the root"),
    ("tools/a.cpp", '#include "io/sqlite/store.hpp"', None),
    ("tools/a.cpp", "#include <caf/all.hpp>", None),
    ("tools/a.cpp", '#include "tests/support/fake.hpp"', "tools/ must not include tests/support/fake.hpp"),
    ("elsewhere/a.cpp", "#include <vector>", "has no layer"),
]

TEXTS = [
    ("docs/a.md", f"{REMINDER} tidy this up", "needs its reason"),
    ("docs/a.md", f"{REMINDER}() tidy this up", "needs its reason"),
    ("docs/a.md", f"{REMINDER}(needs CAF 0.18) tidy this up", None),
    ("tools/a.sh", "cd /" + "work/main", "a path of one machine"),
    ("tools/a.sh", "ls '/" + "root/.cache'", "a path of one machine"),
    ("tools/a.sh", "cd /tmp/" + "wt/x", "a path of one machine"),
    ("tools/a.sh", "cd build/work/ && ls http://host/api/work/items", None),
]


class Architecture(unittest.TestCase):
    def found(self, files, readmes=True):
        """Messages for a tree of these files (name -> text)."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text + "\n")
                for parent in path.relative_to(root).parents if readmes else []:
                    (root / parent / "README.md").write_text("What lives here.\n")
            return [f"{name}:{line}: {message}" for name, line, message in architecture.violations(root)]

    def expect(self, files, message, **options):
        found = self.found(files, **options)
        if message is None:
            self.assertEqual(found, [])
        else:
            self.assertEqual(len(found), 1, found)
            self.assertIn(message, found[0])

    def test_includes(self):
        for name, text, message in INCLUDES:
            with self.subTest(file=name, text=text):
                once = "#pragma once\n" if name.endswith(".hpp") else ""
                self.expect({name: once + text}, message)

    def test_texts(self):
        for name, text, message in TEXTS:
            with self.subTest(text=text):
                self.expect({name: text}, message)

    def test_line_numbers(self):
        self.assertEqual(self.found({"io/a.cpp": "\n\n#include <caf/all.hpp>"}),
                         ["io/a.cpp:3: io/ must not include <caf/all.hpp>"])

    def test_pragma_once(self):
        self.expect({"io/a.hpp": "namespace tocsin {}"}, "#pragma once is missing")
        self.expect({"io/a.hpp": "#pragma once"}, None)

    def test_readme(self):
        self.expect({"README.md": "x", "io/file/a.cpp": ""}, "io/file:1: README.md is missing", readmes=False)
        self.expect({"README.md": "x", "tests/README.md": "x", "tests/io/a.cpp": ""}, "tests/io:1: README.md is missing",
                    readmes=False)
        self.expect({"README.md": "x", "tests/golden/case/input": ""}, None, readmes=False)

    def test_binary_data_is_no_text(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "README.md").write_text("What lives here.\n")
            (root / "data.zst").write_bytes(b"\x28\xb5\x2f\xfd /" + b"root/ \xff")
            self.assertEqual(list(architecture.violations(root)), [])


if __name__ == "__main__":
    unittest.main()

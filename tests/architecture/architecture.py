#!/usr/bin/env python3
"""Checks the rules that the compiler cannot: who may include whom, and what no tracked file may hold.

    architecture.py [ROOT]     prints each violation as file:line: message; exit code 1 if there is one

The table LAYERS is the law that docs/DESIGN.md states in words.
"""
import pathlib
import re
import subprocess
import sys

# System headers that are not standard C++ (a slash or a .h tells them); only io and tools talk to the system.
POSIX = ("sys/", "unistd.h", "fcntl.h", "poll.h", "dirent.h", "signal.h", "termios.h")
ANY = ("",)

# Layer -> (what of ours it may include, whose third-party headers it may include). A file belongs to the layer with the
# longest name that begins its path. "io/*" stands for the headers directly in io: the interfaces, without the rooms.
LAYERS = {
    "models": (["models"], ["Eigen/", "unsupported/Eigen/"]),
    "detectors/values": (["detectors/values"], ["tsl/", "xxhash.h"]),
    "detectors/counting": (["detectors/values", "detectors/counting"], ["tsl/", "xxhash.h"]),
    "detectors/judging": (
        ["models", "detectors/values", "detectors/counting", "detectors/judging"], ["tsl/", "xxhash.h"]),
    "detectors/incidents": (
        ["models", "detectors/values", "detectors/counting", "detectors/judging", "detectors/incidents"],
        ["tsl/", "xxhash.h"]),
    "detectors/engine": (["models", "detectors"], ["tsl/", "xxhash.h"]),
    "io": (
        ["detectors/values", "io"],
        ["simdjson.h", "nlohmann/", "date/", "fmt/", "sqlite3.h", "zlib.h", "zstd.h", "xxhash.h", "librdkafka/", *POSIX]),
    "actors": (["detectors", "io/*", "actors"], ["caf/", "spdlog/"]),
    "tools": (["models", "detectors", "io", "actors", "tools"], ANY),
    "bench": (["models", "detectors", "io", "actors", "bench", "tests/support"], ANY),
    "tests": (["models", "detectors", "io", "actors", "tools", "bench", "tests"], ANY),
}
TOP_FOLDERS = {name.split("/")[0] for name in LAYERS}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
UNREASONED = re.compile(r"\b(?:TO[D]O|FIX[M]E)\b(?!\([^)\s][^)]*\))")
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:work|root)/|/tmp/w[t]\b")
SOURCES = {".cpp", ".hpp"}
# The README of the folder above speaks for these: rooms of tests that mirror rooms of the code, and folders of cases.
WITHOUT_README = re.compile(r"tests/[^/]+/.|\.ci$")


def tracked_files(root):
    """Paths that git tracks or would track; without git, every file outside build/ and hidden folders."""
    try:
        listing = subprocess.run(
            ["git", "-c", f"safe.directory={root}", "-C", str(root), "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], capture_output=True, check=True).stdout.decode()
        names = [name for name in listing.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(root)) for path in root.rglob("*")]
        names = [name for name in names if not name.startswith(("build/", ".git/"))]
    return sorted(name for name in set(names) if (root / name).is_file())


def layer_of(name):
    """The longest layer whose folder holds `name`, or None."""
    fitting = [layer for layer in LAYERS if name.startswith(layer + "/")]
    return max(fitting, key=len, default=None)


def may_include(layer, header):
    """Whether a file of `layer` may include one of our own headers."""
    for allowed in LAYERS[layer][0]:
        if allowed.endswith("/*"):
            if str(pathlib.PurePosixPath(header).parent) == allowed[:-2]:
                return True
        elif header.startswith(allowed + "/"):
            return True
    return False


def include_violation(layer, quote, header):
    """What is wrong with the include, or None."""
    if header.split("/")[0] in TOP_FOLDERS:
        return None if may_include(layer, header) else f"{layer}/ must not include {header}"
    if quote == '"':
        return f'"{header}": name our own headers by their path from the root, others in <>'
    is_standard = "/" not in header and "." not in header
    if is_standard or header.startswith(tuple(LAYERS[layer][1])):
        return None
    return f"{layer}/ must not include <{header}>"


def source_violations(name, lines):
    layer = layer_of(name)
    if layer is None:
        yield 1, f"this folder has no layer in {pathlib.Path(__file__).name}"
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        violation = match and include_violation(layer, *match.groups())
        if violation:
            yield number, violation
    if name.endswith(".hpp") and not any(line.startswith("#pragma once") for line in lines):
        yield 1, "#pragma once is missing"


def text_violations(lines):
    for number, line in enumerate(lines, 1):
        if UNREASONED.search(line):
            yield number, "a reminder needs its reason in brackets behind the word, on the same line"
        if MACHINE_PATH.search(line):
            yield number, "a path of one machine"


def folder_violations(names):
    folders = {str(pathlib.PurePosixPath(name).parent) for name in names}
    for folder in sorted(folders):
        if not WITHOUT_README.match(folder) and f"{folder}/README.md".removeprefix("./") not in names:
            yield folder, 1, "README.md is missing (what lives here, what may it include, where do I start)"


def violations(root):
    """All violations below root as (file or folder, line, message)."""
    names = tracked_files(root)
    yield from folder_violations(set(names))
    for name in names:
        try:
            lines = (root / name).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # binary data
        if pathlib.PurePosixPath(name).suffix in SOURCES:
            yield from ((name, *found) for found in source_violations(name, lines))
        yield from ((name, *found) for found in text_violations(lines))


def main(arguments):
    root = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parents[2]).resolve()
    found = list(violations(root))
    for name, line, message in found:
        print(f"{name}:{line}: {message}")
    print(f"architecture: {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

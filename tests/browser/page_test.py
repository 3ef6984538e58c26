#!/usr/bin/env python3
"""The report of a replay in headless Chromium: it renders without an error, its charts are there, clicking works.

    page_test.py --tocsin F [--keep DIR]

Exit codes: 0 all checks hold, 1 not so, 77 skipped because there is no Chromium. TOCSIN_CHROMIUM names another one.
"""
import argparse
import html
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
NOON = 1462363200000  # 2016-05-04T12:00:00Z
HOSTILE = "</script><b id=\"hostile\" onclick='1'>hostile</b><!--"
CONFIG = {
    "input": {"format": "ndjson", "time": {"field": "ts", "unit": "ms"}, "allowed_lateness": "0s"},
    "monitors": [{"name": "plays", "error_when": "failed", "scope": ["customer"],
                  "levels": [[], ["cdn"], ["country"], ["cdn", "country"]], "detectors": [{"type": "sr_mixture"}]}]}
DATA = re.compile(r'(<script id="data" type="application/json">)(.*?)(</script>)', re.DOTALL)
RESULT = re.compile(r'<pre id="result">(.*?)</pre>', re.DOTALL)
CATCHER = """<script>window.pageErrors = [];
addEventListener("error", (event) => window.pageErrors.push("error: " + event.message));
addEventListener("unhandledrejection", (event) => window.pageErrors.push("rejection: " + event.reason));
for (const name of ["error", "warn"]) console[name] = (...all) => window.pageErrors.push(name + ": " + all.join(" "));
</script>"""


def find_chromium():
    named = os.environ.get("TOCSIN_CHROMIUM")
    return shutil.which(named) if named else shutil.which("chromium") or shutil.which("chromium-browser")


def write_recording(path):
    """Two hours of two views a second; 1 % fail, and 40 % of those of one CDN for twenty minutes."""
    chance = random.Random(9)
    with open(path, "w", encoding="utf-8") as out:
        for i in range(14400):
            fast = i % 2 == 0
            rate = 0.4 if fast and 10800 <= i < 13200 else 0.01
            out.write(json.dumps({"ts": NOON + i * 500, "customer": "c1", "cdn": "fast" if fast else "slow",
                                  "country": chance.choice(["DE", "FR"]), "failed": chance.random() < rate}) + "\n")


def make_page(tocsin, folder):
    """Replays the recording; the text of the page."""
    write_recording(folder / "events.ndjson")
    (folder / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    subprocess.run([tocsin, "replay", "--quiet", "--config", folder / "config.json", folder / "events.ndjson", "--alerts",
                    folder / "alerts.ndjson", "--report", folder / "report.html"], check=True)
    return (folder / "report.html").read_text(encoding="utf-8")


def enrich(page):
    """Adds to the data what this recording does not show; gives the new page and what is to be expected of it."""
    match = DATA.search(page)
    data = json.loads(match.group(2))
    incidents = data["incidents"]
    if len(incidents) < 4:
        sys.exit(f"the recording has {len(incidents)} incidents; these checks need 4")
    # Who explains whom is made here, whatever the engine grouped: a page with one child of three, and other pages.
    for one in incidents:
        one.update({"parent": None, "children": 0})
    parent, child = incidents[0], incidents[1]
    child["parent"] = parent["id"]
    parent["children"] = 3
    parent["cause"] = "cdn=" + HOSTILE
    parent["key"][-1][1] = HOSTILE
    parent["panel"]["contributors"] = [
        {"set": {"cdn": HOSTILE}, "excess": 400.5, "share": 0.93, "rate_without": 0.011, "score": 21.4},
        {"set": {"cdn": "slow", "country": None}, "excess": 4, "share": 0.02, "rate_without": 0.2, "score": 1}]
    parent["panel"]["error_types"] = [{"type": "HLS_404", "failures": 390, "expected": 2.5},
                                      {"type": None, "failures": 12, "expected": 3}]
    parent["panel"]["history"][0][4] = HOSTILE
    data["left_out"].append("something, said to a person")
    pages = 0
    for one in incidents:
        pages += one["parent"] is None
    data["counts"].update({"critical": 0, "major": 0, "warning": pages, "children": 1})
    text = json.dumps(data).replace("<", "\\u003c")
    expected = {"pages": pages, "parent": parent["id"], "child": child["id"], "hostile": HOSTILE}
    return page[:match.start(2)] + text + page[match.end(2):], expected


def with_checks(page, expected):
    script = "const EXPECTED = " + json.dumps(expected).replace("<", "\\u003c") + ";\n"
    script += (HERE / "page_checks.js").read_text(encoding="utf-8")
    return page.replace("<head>", "<head>" + CATCHER, 1).replace("</body>", f"<script>{script}</script></body>", 1)


class Browser:
    def __init__(self, program, folder):
        self.command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                        "--disable-dev-shm-usage", "--disable-extensions", f"--user-data-dir={folder}/profile",
                        "--virtual-time-budget=8000"]

    def run(self, *arguments):
        return subprocess.run([*self.command, *arguments], capture_output=True, timeout=120, check=False).stdout

    def failures(self, page, expected, folder, width=1280, anchor=""):
        """What the checks say of the page."""
        path = folder / "checked.html"
        path.write_text(with_checks(page, expected), encoding="utf-8")
        scheme = ["--blink-settings=preferredColorScheme=0"] if expected["dark"] else []
        shown = self.run(*scheme, f"--window-size={width},1400", "--dump-dom", path.as_uri() + anchor).decode()
        result = RESULT.search(shown)
        lines = html.unescape(result.group(1)).splitlines() if result else []
        return lines[:-1] if lines and lines[-1] == "done" else [*lines, "the checks did not come to their end"]

    def screenshot(self, page, folder, name, dark, width, height):
        path = folder / f"{name}.html"
        path.write_text(page, encoding="utf-8")
        scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
        self.run(*scheme, f"--window-size={width},{height}", f"--screenshot={folder / name}.png", path.as_uri())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tocsin", required=True)
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    program = find_chromium()
    if program is None:
        print("SKIPPED: no Chromium here, so nobody has looked at the page (apt-get install chromium)")
        return SKIPPED
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        page, expected = enrich(make_page(options.tocsin, folder))
        browser = Browser(program, folder)

        def judge(what, failures, must_fail=False):
            nonlocal bad
            ok = bool(failures) == must_fail
            print(f"{'ok' if ok else 'FAILED':7}{what}" + ("" if ok else "".join("\n       " + line for line in failures)))
            bad += not ok

        for what, dark, width in (("light", False, 1280), ("dark", True, 1280), ("narrow", False, 500)):  # dumping, Chromium is never narrower
            judge(what, browser.failures(page, {**expected, "dark": dark}, folder, width))
        light = {**expected, "dark": False}
        judge("linked", browser.failures(page, light, folder, anchor="#" + expected["child"]))
        # The checks themselves: a page without charts, and one with a broken script, must not pass.
        chartless = page.replace("if (one.panel.chart) incidentChart(one, place);", "if (one.panel.chart) ;")
        judge("a page without charts is noticed", browser.failures(chartless, light, folder), must_fail=True)
        judge("a broken script is noticed", browser.failures(page.replace("fill();", "fill(;", 1), light, folder),
              must_fail=True)
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            opened = page.replace("location.hash.slice(1)", json.dumps(expected["parent"]), 1)
            for name, dark, width, height in (("light", False, 1280, 2600), ("dark", True, 1280, 2600),
                                              ("narrow", False, 390, 3600)):
                browser.screenshot(opened, options.keep, name, dark, width, height)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

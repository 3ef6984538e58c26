#!/usr/bin/env python3
"""How tools/check runs its steps, counts and ends."""
import unittest

from sandbox import Sandbox

REPORT = """while (($#)); do [[ $1 == --output-junit ]] && report=$2; shift; done
mkdir -p "${report%/*}"
printf '<testsuite name="x"\\n\\ttests="9"\\n\\tfailures="FAILED"\\n\\tdisabled="1"\\n\\tskipped="2"\\n>\\n' > "$report"
exit STATUS"""


def ctest(failed, status):
    return REPORT.replace("FAILED", str(failed)).replace("STATUS", str(status))


class Check(unittest.TestCase):
    def setUp(self):
        self.box = self.enterContext(Sandbox())
        self.box.copy("tools/check")
        for script in ("tools/setup", "tools/lint"):
            (self.box.path / script).write_text("#!/usr/bin/env bash\n")
            (self.box.path / script).chmod(0o755)
        source = self.box.path / "models" / "a.cpp"
        source.parent.mkdir()
        source.write_text("int a;\n")
        for folder in ("detectors", "io", "actors", "bench", "tests/architecture"):
            (self.box.path / folder).mkdir(parents=True)
        (self.box.path / "tests" / "architecture" / "architecture.py").write_text("")
        self.box.stand_in("clang-format-14")
        self.box.stand_in("cmake")
        self.box.stand_in("ctest", ctest(failed=0, status=0))
        self.box.stand_in("ninja", "echo 'tests/fuzz/key_fuzz: CXX_EXECUTABLE_LINKER__key_fuzz_RelWithDebInfo'")
        self.fuzzer()

    def fuzzer(self, status=0):
        program = self.box.path / "build" / "fuzz" / "tests" / "fuzz" / "key_fuzz"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!/usr/bin/env bash\necho "stat::number_of_executed_units: 7"\nexit {status}\n')
        program.chmod(0o755)

    def check(self, *arguments):
        done = self.box.run("bash", "tools/check", *arguments)
        return done.returncode, done.stdout

    def expect(self, code, last_line, *arguments):
        found, output = self.check(*arguments)
        self.assertEqual((found, output.splitlines()[-1]), (code, last_line), output)
        return output

    def test_all_steps_and_all_cases_are_counted(self):
        # Six of nine cases pass in each of two builds; setup, format, architecture and one fuzzer count one each.
        output = self.expect(0, "16 passed, 0 failed, 6 skipped")
        for step in ("setup", "format", "architecture", "release", "asan", "fuzz"):
            self.assertRegex(output, rf"\n{step} +ok ")
        self.assertNotRegex(output, r"\nlint ")
        self.assertIn("key_fuzz: 7 inputs", output)

    def test_quick_builds_once(self):
        self.expect(0, "9 passed, 0 failed, 3 skipped", "--quick")
        self.assertEqual(len(self.box.calls("ctest")), 1)

    def test_a_failing_case_fails_and_stops_nothing(self):
        self.box.stand_in("ctest", ctest(failed=2, status=8))
        output = self.expect(1, "12 passed, 4 failed, 6 skipped")
        self.assertRegex(output, r"\nasan +FAILED ")
        self.assertRegex(output, r"\nfuzz +ok ")

    def test_a_failing_build_fails(self):
        self.box.stand_in("cmake", 'case "$*" in *--build*) exit 1 ;; esac')
        self.expect(1, "0 passed, 1 failed, 0 skipped", "--only", "release")
        self.assertEqual(self.box.calls("ctest"), [])

    def test_a_failing_configuration_shows_why(self):
        self.box.stand_in("cmake", 'echo "CMake Error: no such preset"; exit 1')
        output = self.expect(1, "0 passed, 1 failed, 0 skipped", "--only", "asan")
        self.assertIn("CMake Error", output)

    def test_ctest_may_fail_without_a_failing_case(self):
        self.box.stand_in("ctest", "exit 8")
        self.expect(1, "0 passed, 1 failed, 0 skipped", "--only", "release")

    def test_a_finding_of_a_fuzzer_fails(self):
        self.fuzzer(status=77)
        output = self.expect(1, "0 passed, 1 failed, 0 skipped", "--only", "fuzz")
        self.assertIn("key_fuzz: FAILED", output)

    def test_a_badly_formatted_source_fails(self):
        self.box.stand_in("clang-format-14", "exit 1")
        self.expect(1, "0 passed, 1 failed, 0 skipped", "--only", "format")

    def test_only_may_be_repeated(self):
        self.expect(0, "2 passed, 0 failed, 0 skipped", "--only", "format", "--only", "lint")

    def test_a_wrong_word_is_refused(self):
        self.assertEqual(self.check("--fast")[0], 2)
        self.assertEqual(self.check("--only", "everything")[0], 2)
        self.assertEqual(self.check("--only")[0], 2)


if __name__ == "__main__":
    unittest.main()

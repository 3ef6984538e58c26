#!/usr/bin/env python3
"""What tools/setup asks of Debian's package tools, and what it says."""
import unittest

from sandbox import ROOT, Sandbox

SETUP = ROOT / "tools" / "setup"
ALL_INSTALLED = 'for p in "${@:3}"; do echo "ii $p"; done'


def all_but(*missing):
    """A dpkg-query that knows nothing of the first missing package, and has the others removed but configured."""
    rest = "|".join(missing[1:]) or "-"
    return (f'for p in "${{@:3}}"; do case $p in {missing[0]}) ;; {rest}) echo "rc $p" ;; *) echo "ii $p" ;; esac; done\n'
            "exit 1")


class Setup(unittest.TestCase):
    def setUp(self):
        self.box = self.enterContext(Sandbox())
        self.box.stand_in("id", "echo 0")
        self.box.stand_in("apt-get")
        self.box.stand_in("dpkg-query", ALL_INSTALLED)

    def setup_script(self, *arguments):
        done = self.box.run("bash", SETUP, *arguments)
        return done.returncode, done.stdout

    def installs(self):
        return [call for call in self.box.calls("apt-get") if " install " in call]

    def test_nothing_to_do_is_one_line(self):
        code, output = self.setup_script("build")
        self.assertEqual(code, 0)
        self.assertEqual(len(output.splitlines()), 1)
        self.assertIn("nothing to do", output)
        self.assertEqual(self.box.calls("apt-get"), [])

    def test_held_packages_are_installed(self):
        self.box.stand_in("dpkg-query", ALL_INSTALLED.replace('"ii ', '"hi '))
        self.assertIn("nothing to do", self.setup_script("build")[1])

    def test_installs_exactly_what_is_missing(self):
        self.box.stand_in("dpkg-query", all_but("ccache", "cmake"))
        code, output = self.setup_script("build")
        self.assertEqual(code, 0, output)
        self.assertEqual(len(self.installs()), 1)
        self.assertTrue(self.installs()[0].endswith(" install cmake ccache"), self.installs())
        self.assertIn(" -y ", self.installs()[0])
        self.assertIn("missing for 'build': cmake ccache", output)

    def test_build_needs_less_than_check(self):
        self.box.stand_in("dpkg-query", all_but("doctest-dev"))
        self.assertIn("nothing to do", self.setup_script("build")[1])
        self.assertIn("missing for 'check': doctest-dev", self.setup_script("check")[1])
        self.assertIn("missing for 'check': doctest-dev", self.setup_script()[1])

    def test_dry_run_installs_nothing(self):
        self.box.stand_in("dpkg-query", all_but("cmake"))
        code, output = self.setup_script("-n", "build")
        self.assertEqual(code, 0)
        self.assertIn("cmake", output)
        self.assertEqual(self.box.calls("apt-get"), [])

    def test_a_foreign_repository_that_fails_stops_nothing(self):
        self.box.stand_in("dpkg-query", all_but("cmake"))
        self.box.stand_in("apt-get", 'case "$*" in *update*) exit 100 ;; esac')
        code, output = self.setup_script("build")
        self.assertEqual(code, 0)
        self.assertEqual(len(self.installs()), 1)
        self.assertIn("apt-get update reported an error", output)

    def test_a_failed_install_shows_why(self):
        self.box.stand_in("dpkg-query", all_but("cmake"))
        self.box.stand_in("apt-get", 'case "$*" in *" install "*) echo "E: disk is full" >&2; exit 100 ;; esac')
        code, output = self.setup_script("build")
        self.assertEqual(code, 1)
        self.assertIn("E: disk is full", output)
        self.assertIn("could not install: cmake", output)

    def test_uses_sudo_without_root(self):
        self.box.stand_in("id", "echo 1000")
        self.box.stand_in("sudo", '"$@"')
        self.box.stand_in("dpkg-query", all_but("cmake"))
        self.assertEqual(self.setup_script("build")[0], 0)
        self.assertEqual(len(self.box.calls("sudo")), 2)
        self.assertEqual(len(self.installs()), 1)

    def test_without_root_and_sudo_it_names_the_command(self):
        self.box.stand_in("id", "echo 1000")
        self.box.stand_in("dpkg-query", all_but("cmake"))
        code, output = self.setup_script("build")
        self.assertEqual(code, 1)
        self.assertIn("apt-get install cmake", output)
        self.assertEqual(self.installs(), [])

    def test_elsewhere_it_names_the_packages(self):
        (self.box.bin / "dpkg-query").unlink()
        code, output = self.setup_script("build")
        self.assertEqual(code, 1)
        self.assertIn("libcaf-dev", output)

    def test_a_wrong_word_is_refused(self):
        self.assertEqual(self.setup_script("everything")[0], 2)


if __name__ == "__main__":
    unittest.main()

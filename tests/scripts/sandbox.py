"""A PATH that holds only stand-ins and the few harmless commands that a script needs."""
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HARMLESS = ("bash", "env", "sed", "grep", "mktemp", "rm", "cat", "mkdir", "head", "tail", "find", "sort", "xargs", "dirname",
            "nproc", "python3")


class Sandbox:
    """Commands in `bin`, a scratch folder beside it. Every stand-in notes its call in `calls`."""

    def __init__(self):
        self.folder_ = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder_.name)
        self.bin = self.path / "bin"
        self.bin.mkdir()
        for name in HARMLESS:
            (self.bin / name).symlink_to(shutil.which(name))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder_.cleanup()

    def stand_in(self, name, body="exit 0"):
        """A command that notes its arguments and then runs `body` (bash)."""
        program = self.bin / name
        program.write_text(f'#!{self.bin}/bash\necho "{name} $*" >> "{self.path}/calls"\n{body}\n')
        program.chmod(0o755)

    def calls(self, name=""):
        noted = self.path / "calls"
        lines = noted.read_text().splitlines() if noted.exists() else []
        return [line for line in lines if line.startswith(name)]

    def run(self, *command, **environment):
        return subprocess.run([str(part) for part in command], cwd=self.path, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={"PATH": str(self.bin), "TMPDIR": str(self.path), **environment})

    def copy(self, name):
        """A file of the repository at the same place below the scratch folder."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
        return target

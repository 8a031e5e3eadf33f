"""A git repository in a folder of a test, with commits by name."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Checkout:
    """A repository on `main` without a commit.

    Attributes:
        commits: full hash of each commit by the name it was made under.
    """

    root: Path
    environ: dict[str, str]
    commits: dict[str, str] = field(default_factory=dict)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.root,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, *names: str) -> None:
        """Make an empty commit for each name on the current branch."""
        for name in names:
            self.git("commit", "-q", "--allow-empty", "-m", name)
            self.commits[name] = self.git("rev-parse", "HEAD")

    def clone(self, folder: Path, *options: str) -> "Checkout":
        """Clone it, with the same names of commits."""
        self.git("clone", "-q", *options, f"file://{self.root}", str(folder))
        return Checkout(folder, self.environ, self.commits)


def new_checkout(folder: Path) -> Checkout:
    """Make a repository whose git reads no configuration of this machine."""
    environ = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder / "home"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(folder),
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "C",
        "GIT_COMMITTER_EMAIL": "c@example.org",
    }
    root = folder / "checkout"
    root.mkdir(parents=True)
    made = Checkout(root, environ)
    made.git("init", "-q", "-b", "main")
    return made

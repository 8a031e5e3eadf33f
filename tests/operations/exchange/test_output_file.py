"""Output files on full disks, in read-only folders, behind links, and those that are no files."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_benchdb.errors import ConfigError, StoreError
from pytest_benchdb.operations.exchange import output_file
from pytest_benchdb.operations.exchange.output_file import append_file, write_file

posix = pytest.mark.skipif(os.name == "nt", reason="files of POSIX")
OLD = b"old"
LARGE = b"x" * 200_000


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_existing_file_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_bytes(OLD)
    path.chmod(0o640)

    write_file(path, [b"new ", b"text"])

    assert path.read_bytes() == b"new text"
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_failure_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_bytes(OLD)

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise StoreError("the database is damaged")

    with pytest.raises(StoreError):
        write_file(path, pieces())

    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_full_disk_leaves_the_old_file_and_says_what_to_do(full_disk: Path) -> None:
    path = full_disk / "report.md"
    path.write_bytes(OLD)

    with pytest.raises(ConfigError, match=r"report\.md cannot be written: No space left on device; free space"):
        write_file(path, [LARGE])
    with pytest.raises(OSError, match="No space left"):
        append_file(path, LARGE)

    assert path.read_bytes() == OLD
    assert list(full_disk.iterdir()) == [path]


@posix
def test_limit_on_file_sizes_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_bytes(OLD)
    program = (
        "import resource, pathlib, sys\n"
        "from pytest_benchdb.operations.exchange.output_file import write_file\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_file(pathlib.Path(sys.argv[1]), [b'x' * 5000])\n"
    )

    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)

    assert "cannot be written: File too large; raise the limit" in done.stderr
    assert path.read_bytes() == OLD


@posix
def test_link_stays_a_link_and_its_target_is_replaced_or_made(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_bytes(OLD)
    for link, target in (("link.md", "real.md"), ("dangling.md", "made.md")):
        (tmp_path / link).symlink_to(tmp_path / target)

        write_file(tmp_path / link, [b"new"])

        assert (tmp_path / link).is_symlink()
        assert (tmp_path / target).read_bytes() == b"new"


@posix
@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda path: path.mkdir(), "Is a directory; it is a folder; name a file in it"),
        (lambda path: path.symlink_to(path), "symbolic links; the link leads back to itself"),
        (lambda path: path.symlink_to(path.parent / "no" / "x"), "No such file or directory; name a file in a folder"),
    ],
    ids=["folder", "loop", "dangling link into a missing folder"],
)
def test_what_cannot_be_written_is_one_line_with_advice(
    tmp_path: Path, make: Callable[[Path], None], advice: str
) -> None:
    path = tmp_path / "out.md"
    make(path)

    with pytest.raises(ConfigError, match=advice) as raised:
        write_file(path, [b"new"])

    assert "\n" not in str(raised.value)


@posix
def test_file_in_a_missing_folder_under_a_file_or_with_a_long_name_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(OLD)
    for name, reason in (
        ("missing/out.md", "No such file"),
        ("file/out.md", "Not a directory"),
        ("x" * 300, "File name too long"),
    ):
        with pytest.raises(ConfigError, match=f"cannot be written: {reason}"):
            write_file(tmp_path / name, [b"new"])


@posix
@pytest.mark.skipif(os.name != "nt" and os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "file.md", tmp_path / "folder" / "file.md", tmp_path / "folder" / "locked.md"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(OLD)
    (tmp_path / "file.md").chmod(0o444)
    (tmp_path / "folder").chmod(0o555)

    with pytest.raises(ConfigError, match="Permission denied; name a file that you may write"):
        write_file(tmp_path / "file.md", [b"new"])
    with pytest.raises(ConfigError, match="Permission denied"):
        write_file(tmp_path / "folder" / "another.md", [b"new"])
    write_file(tmp_path / "folder" / "file.md", [b"new"])

    assert (tmp_path / "file.md").read_bytes() == OLD
    assert (tmp_path / "folder" / "file.md").read_bytes() == b"new"
    (tmp_path / "folder").chmod(0o755)


@posix
def test_named_pipe_is_written_once_it_has_a_reader(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))

    reader.start()
    write_file(pipe, [LARGE])
    reader.join()

    assert read == [LARGE]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@posix
def test_named_pipe_without_a_reader_does_not_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_file, "READER_PATIENCE_S", 0.1)
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ConfigError, match="nothing reads from this pipe"):
        write_file(tmp_path / "pipe", [b"new"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_full_device_is_one_line() -> None:
    with pytest.raises(ConfigError, match="/dev/full cannot be written: No space left on device"):
        write_file(Path("/dev/full"), [b"new"])
    write_file(Path("/dev/null"), [b"new"])


@posix
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
@pytest.mark.parametrize("append", [False, True])
def test_own_output_is_written_where_it_leads(tmp_path: Path, name: str, *, append: bool) -> None:
    program = (
        "import pathlib, sys\n"
        "from pytest_benchdb.operations.exchange.output_file import write_file\n"
        "write_file(pathlib.Path(sys.argv[1]), [b'middle '])\n"
        "print('end')\n"
    )
    path = tmp_path / "out.txt"
    path.write_bytes(b"start ")

    with path.open("ab" if append else "wb") as output:
        subprocess.run([sys.executable, "-c", program, name], stdout=output, check=True)

    assert path.read_bytes() == (b"start " if append else b"") + b"middle end\n"

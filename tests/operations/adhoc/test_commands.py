"""What users write after `benchdb run`, and which commands that means."""

from typing import Any

import pytest

from pytest_benchdb.errors import ConfigError
from pytest_benchdb.operations.adhoc.commands import Command, CommandRequest, needs_shell, read_commands


def read(*texts: str, **changes: Any) -> tuple[Command, ...]:
    return read_commands(CommandRequest(texts=texts, **changes))


@pytest.mark.parametrize(
    "text",
    [
        "grep x file",
        "grep 'a|b' file",
        'grep "a|b" file',
        r"grep a\|b file",
        "awk '{print $1}' file",
        "curl http://host/path?x=1".replace("?", "%3f"),
        "make -j4 CFLAGS=-O2",
        "git log HEAD~1",
        "echo a#b",
    ],
)
def test_text_without_syntax_of_a_shell_needs_none(text: str) -> None:
    assert not needs_shell(text)


@pytest.mark.parametrize(
    "text",
    [
        "grep x file | wc -l",
        "make && make test",
        "sleep 1; sleep 2",
        "cat <file",
        "cat >file",
        "echo $HOME",
        'echo "$HOME"',
        "echo `date`",
        "cat *.py",
        "cat file?",
        "CC=gcc make",
        "cat ~/file",
        "sleep 1 &",
        "true # comment",
        "true\nfalse",
    ],
)
def test_text_with_syntax_of_a_shell_needs_one(text: str) -> None:
    assert needs_shell(text)


def test_text_is_split_and_run_without_a_shell() -> None:
    (command,) = read("grep 'a b' file")

    assert (command.argv, command.shell) == (("grep", "a b", "file"), None)
    assert command.full_name == "grep 'a b' file"


def test_text_with_a_pipe_is_run_by_sh() -> None:
    (command,) = read("cat file | wc")

    assert (command.argv, command.shell) == (("sh", "-c", "cat file | wc"), "sh")


def test_words_are_run_as_they_are() -> None:
    (command,) = read_commands(CommandRequest(words=("grep", "a | b", "$x")))

    assert (command.argv, command.shell) == (("grep", "a | b", "$x"), None)
    assert command.name == "grep 'a | b' '$x'"


def test_shell_that_is_asked_for_runs_everything() -> None:
    plain, words = read_commands(CommandRequest(texts=("true",), words=("a b; c",), shell="sh -e"))  # noqa: S604 - not subprocess

    assert plain.argv == ("sh", "-e", "-c", "true")
    assert words.argv == ("sh", "-e", "-c", "a b; c")


def test_no_shell_takes_operators_for_words() -> None:
    (command,) = read("echo a | wc", shell="none")  # noqa: S604 - not subprocess

    assert command.argv == ("echo", "a", "|", "wc")


def test_names_are_given_in_the_order_of_the_commands() -> None:
    first, second = read("make a", "make b", names=("build",))

    assert (first.full_name, second.full_name) == ("build", "make b")


def test_parameters_are_part_of_the_benchmark() -> None:
    commands = read("gzip -{level} {file}", lists=(("level", "1,9"), ("file", "a,b")))

    assert [command.argv for command in commands] == [
        ("gzip", f"-{level}", file) for level in ("1", "9") for file in ("a", "b")
    ]
    assert commands[1].params == {"level": 1, "file": "b"}
    assert commands[1].full_name == "gzip -{level} {file}[1-b]"
    assert commands[1].shown == "gzip -1 b"


@pytest.mark.parametrize(
    ("scan", "steps", "expected"),
    [
        (("n", "1", "3"), (), ["1", "2", "3"]),
        (("n", "0", "1"), ("0.25",), ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        (("n", "1", "6"), ("2",), ["1", "3", "5"]),
        (("n", "-1", "1"), (), ["-1", "0", "1"]),
        (("n", "0.1", "0.3"), ("0.1",), ["0.1", "0.2", "0.3"]),
    ],
)
def test_scan_takes_the_numbers_from_the_smallest_to_the_largest(
    scan: tuple[str, str, str], steps: tuple[str, ...], expected: list[str]
) -> None:
    assert [command.argv[1] for command in read("prog {n}", scans=(scan,), steps=steps)] == expected


def test_value_that_looks_like_a_parameter_is_a_value() -> None:
    commands = read("echo {a} {b}", lists=(("a", "{b}"), ("b", "x")))

    assert [command.argv for command in commands] == [("echo", "{b}", "x")]


def test_comma_in_a_value_is_escaped() -> None:
    assert [command.argv[1] for command in read("echo {a}", lists=(("a", r"x\,y,z"),))] == ["x,y", "z"]


def test_parameter_of_what_runs_before_counts_too() -> None:
    commands = read("make {target}", "ls", lists=(("target", "a,b"),), hooks={"prepare": ("rm -f {target}", "")})

    assert [command.hooks.get("prepare") for command in commands] == ["rm -f a", "rm -f b", None]


def test_command_without_the_parameter_is_measured_once() -> None:
    commands = read("sort -S {size} f", "sort f", lists=(("size", "1M,2M"),))

    assert [command.shown for command in commands] == ["sort -S 1M f", "sort -S 2M f", "sort f"]


def test_secrets_are_in_no_name() -> None:
    words = ("curl", "--token", "hunter2hunter2", "http://me:secret@host")

    (by_words,) = read_commands(CommandRequest(words=words))
    (by_text,) = read("curl http://me:secret@host | wc")

    for command in (by_words, by_text):
        assert "secret" not in command.name + command.template + command.shown
        assert "hunter2" not in command.name + command.template + command.shown
    assert by_words.argv == words


@pytest.mark.parametrize(
    ("texts", "changes", "message"),
    [
        ((), {}, "say what to run: benchdb run -- make all"),
        ((" ",), {}, "a command is empty"),
        (("echo 'a",), {}, "no closing quotation"),
        ((), {"words": ()}, "there is no command after --"),
        (("a",), {"names": ("x", "y")}, "-N was given 2 times for 1 command: it names a command; no shell"),
        (("a",), {"names": (" ",)}, "-N ' ': give the name"),
        (("a", "b", "a"), {}, "2 commands are called 'a'; give each a name of its own with -N"),
        (("a", "b"), {"names": ("x", "x")}, "2 commands are called 'x'"),
        (("a",), {"lists": (("n", "1,2"),)}, "no command has {n}, so the parameter n would change nothing"),
        (("a {n}",), {"lists": (("n", "1"), ("n", "2"))}, "the parameter n is given twice"),
        (("a {n}",), {"scans": (("n", "x", "2"),)}, "-P n x 2: give numbers, as in -P threads 1 8; -L takes other"),
        (("a {n}",), {"scans": (("n", "3", "2"),)}, "-P n 3 2: give the smallest value, the largest"),
        (("a {n}",), {"scans": (("n", "1", "2"),), "steps": ("0",)}, "-P n 1 2 -D 0: give the smallest value"),
        (("a {n}",), {"scans": (("n", "1", "1e9"),)}, "these are more than 1,000 values; give a larger step"),
        (("a {n}",), {"scans": (("n", "nan", "2"),)}, "-P n nan 2: give the smallest value"),
        (("a",), {"steps": ("2",)}, "-D is the step of a scan"),
        (("a", "b", "c"), {"hooks": {"prepare": ("x", "y")}}, "--prepare was given 2 times for 3 commands"),
        (("a",), {"shell": "no-such-shell"}, "--shell no-such-shell: there is no program no-such-shell"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    texts: tuple[str, ...], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        read(*texts, **changes)

    assert message in str(raised.value)
    assert "\n" not in str(raised.value)

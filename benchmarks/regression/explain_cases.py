# ruff: noqa: E501 - the planted code stands beside its case
"""Does `benchdb explain` name the function that was made slower? Plants a change in 20 small projects and asks it.

Each case is a real git repository of two commits; the second makes one function slower. Python and C alike; the C code
is a shared library that the tests compile with gcc and call through ctypes, counted under valgrind.

    python benchmarks/regression/explain_cases.py [-k NAME] [--jobs N]

prints a line per case and the number of those in which the named function is the one that was changed.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

TEST = "from shop import work\n\ndef test_work(bench_cpu):\n    bench_cpu.pedantic(work, rounds=2, warmup_rounds=1)\n"
C_LOADER = """
import ctypes, pathlib, subprocess, tempfile
_source = pathlib.Path(__file__).with_name("kernel.c")
_library = pathlib.Path(__file__).with_name("libkernel.so")
if not _library.exists():
    subprocess.run(["gcc", "-O1", "-g", "-fno-inline", "-fPIC", "-shared", "-o", _library, _source], check=True)
_kernel = ctypes.CDLL(str(_library))
_data = ctypes.create_string_buffer(b"the quick brown fox " * 20)
def work():
    return _kernel.work(_data)
"""
C_BASE = """
#include <stdlib.h>
#include <string.h>
long weigh(const char *s, long n) {
    long total = 0;
    for (long i = 0; i < n; i++) total += s[i] * i;
    return total;
}
long scan(const char *s) {
    long total = 0;
    for (int i = 0; i < 4; i++) total += (long) strlen(s) + i;
    return total;
}
static int order(const void *a, const void *b) {
    return *(const char *) a - *(const char *) b;
}
long arrange(const char *s) {
    char copy[400];
    memcpy(copy, s, 400);
    qsort(copy, 60, 1, order);
    return copy[10];
}
long work(const char *s) {
    long total = 0;
    for (int i = 0; i < 20; i++) total += weigh(s, 100) + scan(s) + arrange(s);
    return total;
}
"""
TEXT = 'WORDS = ["w%d" % (i % 40) for i in range(200)]\n'
SHOP = (
    TEXT
    + """
import functools
import re

def clean(word):
    return word.strip().lower()

def weight(word):
    return sum(ord(c) for c in word)

def unique(words):
    seen = set()
    found = []
    for word in words:
        if word not in seen:
            seen.add(word)
            found.append(word)
    return found

def ranked(words):
    return sorted(words, key=weight)

def joined(words):
    return " ".join(words)

@functools.lru_cache(maxsize=None)
def price(word):
    return weight(word) * 2

def priced(words):
    return [price(word) for word in words]

def has_long(words):
    return any(weight(word) > 10 for word in words)

NUMBER = re.compile("[0-9]+")

def numbers(words):
    return [int(NUMBER.search(word).group()) for word in words]

def lookup(table, word):
    if word in table:
        return table[word]
    return 0

def totals(words):
    table = {}
    for word in words:
        table[word] = lookup(table, word) + 1
    return table

def checked(function):
    @functools.wraps(function)
    def inner(words):
        return function(words)
    return inner

@checked
def letters(words):
    return [word[0] for word in words]

class Basket:
    def __init__(self, items):
        self.items = list(items)

    def size(self):
        return len(self.items)

    def total(self):
        result = 0
        for item in self.items:
            result += len(item)
        return result

def report(words):
    basket = Basket(words)
    return basket.size(), basket.total()

def windows(words):
    for i in range(0, len(words), 10):
        yield words[i : i + 10]

def widest(words):
    return max(len(window) for window in windows(words))

def depth(n):
    return 0 if n <= 0 else 1 + depth(n - 4)

def work():
    words = [clean(word) for word in WORDS]
    few = unique(words)
    return (ranked(few), joined(few), priced(words), has_long(words), numbers(few), totals(words), letters(words),
            report(words), widest(words), depth(100))
"""
)


@dataclass(frozen=True)
class Case:
    """A change, and the function that it makes slower."""

    name: str
    old: str
    new: str
    function: str
    is_c: bool = False


CASES = [
    Case("longer loop", "        for item in self.items:", "        for item in self.items * 3:", "Basket.total"),
    Case("extra call in a helper", "word.strip().lower()", "word.strip().lower() if weight(word) else word", "clean"),
    Case("quadratic search", "if word not in seen:", "if not any(word == other for other in found):", "unique"),
    Case("lost cache", "@functools.lru_cache(maxsize=None)\n", "", "price"),
    Case("sorting twice", "sorted(words, key=weight)", "sorted(sorted(words, key=weight), key=weight)", "ranked"),
    Case("deep copy added", "    found = []\n", "    import copy\n    words = copy.deepcopy(list(words))\n    found = []\n", "unique"),
    Case("pattern compiled each time", "NUMBER.search(word)", "re.compile('[0-9]+' + word[:0]).search(word)", "numbers"),
    Case(
        "exceptions as control flow",
        "    if word in table:\n        return table[word]\n    return 0\n",
        "    try:\n        return int(table[word])\n    except KeyError:\n        return len([0 for _ in range(99)]) * 0\n",
        "lookup",
    ),
    Case("string concatenation", '    return " ".join(words)', '    text = ""\n    for word in words:\n        text = text + " " + word\n    return text[1:]', "joined"),
    Case("generator turned list", "any(weight(word) > 10 for word in words)", "any([weight(word) > 10 for word in words])", "has_long"),
    Case("slower behind a decorator", "[word[0] for word in words]", "[word[0] for word in [w for w in words for _ in range(3)]]", "letters"),
    Case("decorator does more", "        return function(words)\n", "        assert all(len(word) for word in words)\n        return function(words)\n", "checked.<locals>.inner"),
    Case("method called in a loop", "return basket.size(), basket.total()", "return basket.size(), max(basket.total() for _ in words[:5])", "report"),
    Case("smaller steps of a generator", "range(0, len(words), 10)", "range(0, len(words), 1)", "windows"),
    Case("deeper recursion", "depth(n - 4)", "depth(n - 1)", "depth"),
    Case("longer loop in C", "weigh(s, 100)", "weigh(s, 300)", "weigh", is_c=True),
    Case("C: more in the loop", "total += s[i] * i;", "total += s[i] * i % 7 + (s[i] ^ i) / 3;", "weigh", is_c=True),
    Case("C: strlen called more", "i < 4; i++", "i < 40; i++", "scan", is_c=True),
    Case("C: sorting twice", "    qsort(copy, 60, 1, order);\n", "    qsort(copy, 60, 1, order);\n    memcpy(copy, s, 400);\n    qsort(copy, 60, 1, order);\n", "arrange", is_c=True),
    Case("C: slower comparison", "return *(const char *) a - *(const char *) b;", "int d = 0;\n    for (int i = 0; i < 9; i++) d += *(const char *) a - *(const char *) b;\n    return d;", "order", is_c=True),
]  # fmt: skip


def main() -> int:
    """Run the cases and print the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-k", default="", help="only cases whose name has this text")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    cases = [case for case in CASES if options.k in case.name]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        answers = list(pool.map(_answer, cases))
    for case, answer in zip(cases, answers, strict=True):
        print("ok  " if answer == case.function else "MISS", f"{case.name}: {case.function}, explain says {answer}")
    right = sum(answer == case.function for case, answer in zip(cases, answers, strict=True))
    print(f"{right} of {len(cases)}")
    return 0 if right >= 0.95 * len(cases) else 1


def _answer(case: Case) -> str | None:
    """Return the function that `benchdb explain` names."""
    with tempfile.TemporaryDirectory(prefix="explain-case-") as name:
        folder = Path(name)
        source = "kernel.c" if case.is_c else "shop.py"
        text = C_BASE if case.is_c else SHOP
        if text.count(case.old) != 1:
            raise SystemExit(f"{case.name}: its text is {text.count(case.old)} times in {source}")
        (folder / "test_shop.py").write_text(TEST, encoding="utf-8")
        (folder / ".gitignore").write_text("*.so\n__pycache__/\nresults/\n", encoding="utf-8")
        if case.is_c:
            (folder / "shop.py").write_text(C_LOADER, encoding="utf-8")
        _git(folder, "init", "-q")
        for content in (text, text.replace(case.old, case.new)):
            (folder / source).write_text(content, encoding="utf-8")
            _git(folder, "add", ".")
            _git(folder, "commit", "-q", "-m", "a commit")
        words = ["explain", "HEAD~1", "HEAD", "-k", "work", "-f", "json", "--db", "results", "--pythonpath", "."]
        done = subprocess.run(
            [sys.executable, "-m", "pytest_benchdb", *words, "--", "pytest", "-q", "-p", "no:cacheprovider", "."],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{case.name}: {done.stderr}")
        (benchmark,) = json.loads(done.stdout)["benchmarks"]
    changes = (benchmark["python"], benchmark["native"])
    return next((change["culprit"]["name"] for change in changes if change and change["culprit"]), None)


def _git(folder: Path, *words: str) -> None:
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *words], cwd=folder, env={**os.environ, **who}, check=True)


if __name__ == "__main__":
    sys.exit(main())

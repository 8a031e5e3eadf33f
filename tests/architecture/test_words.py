"""Plain English: words that made this code read like a translation do not come back.

The list is short on purpose. It has what a reader stops at, not what one could say better.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for pattern in (
        "*.md",
        "*.yml",
        "benchmarks/**/*.py",
        "changelog.d/*.md",
        "docs/**/*.md",
        "examples/**/*.*",
        "src/**/*.py",
        "src/**/*.sql",
        "src/**/*.js",
        "src/**/*.html",
    )
    for path in ROOT.glob(pattern)
    if path.is_file() and not {"_build", "__pycache__", ".pytest_cache"}.intersection(path.parts)
)
WORDS = {
    r"\b(un|_)?told\b": "reported, given, known",
    r"\btells? whether\b": "return whether",
    r"\bdoes not tell\b": "does not report",
    r"(?<!there )\b(is|are|was|were) no (?!(longer|better|worse|more|less)\b)": "is not a",
    r"\bfor want of\b": "because there is no",
    r"(?<!none )(?<!all )(?<!each )\bof which\b": "whose, in which",
    r"\bwhoever\b": "the process, the user",
    r"\blikewise\b": "as above, too",
    r"\bnobody\b": "no one; or say what is missing",
    r"\bwants? eyes\b": "needs review",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bstands? for\b": "means, is",
    r"\b(hold|holds|held|holding) (it |them )?against\b": "compare with",
    r"\bsays? of\b": "report about",
    r"\bat hand\b": "available",
}
# Exact texts that stay, each with the reason.
EXCEPTIONS = {
    "instead of `untold`": "the changelog names the key that was renamed",
}
CLASS_NAMES = re.compile(r"^ *class (\w*(?:Wish|How|Found|Played))\b", re.MULTILINE)


def test_texts_are_in_plain_english() -> None:
    words = {re.compile(pattern, re.IGNORECASE): better for pattern, better in WORDS.items()}

    offenders = [
        f"{path.relative_to(ROOT).as_posix()}:{number}: {match[0]!r}; write: {better}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for word, better in words.items()
        if (match := word.search(line)) and not any(exception in line for exception in EXCEPTIONS)
    ]

    assert offenders == []


def test_classes_are_named_by_nouns_of_the_field() -> None:
    offenders = [
        f"{path.relative_to(ROOT).as_posix()}: {name}"
        for path in FILES
        if path.suffix == ".py"
        for name in CLASS_NAMES.findall(path.read_text(encoding="utf-8"))
    ]

    assert offenders == []

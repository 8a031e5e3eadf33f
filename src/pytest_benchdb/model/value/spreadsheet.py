"""Texts that a spreadsheet would run as a formula, and how they are written so that it does not.

An apostrophe in front makes a spreadsheet take a cell as text, as OWASP advises against CSV injection. A text that
begins with an apostrophe gets a second one, so that removing one leading apostrophe restores every text.
"""

_FULLWIDTH = "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
_DANGEROUS = tuple("=+-@\t\r\n'" + _FULLWIDTH)
_APOSTROPHE = "'"


def guarded(text: str) -> str:
    """Return a text with an apostrophe in front if a spreadsheet would take it for a formula.

    >>> guarded("=cmd()"), guarded("test_sort")
    ("'=cmd()", 'test_sort')
    """
    return _APOSTROPHE + text if text.startswith(_DANGEROUS) else text


def unguarded(text: str) -> str:
    """Return the text that `guarded` was given.

    >>> unguarded(guarded("'=cmd()"))
    "'=cmd()"
    """
    return text.removeprefix(_APOSTROPHE)


def csv_text(text: str) -> str:
    """Return a text as a quoted cell of a CSV file that a spreadsheet does not run."""
    # Readers before Python 3.11 and most spreadsheets stop at a NUL.
    return '"' + guarded(text.replace("\0", "\\0")).replace('"', '""') + '"'

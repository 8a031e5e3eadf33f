"""The names of an older benchmark database, so that scripts written for it record here with one changed import.

``from pytest_benchdb.compat import TestResultsDBHandler``
"""

from pytest_benchdb.compat.handler import TestResultsDBHandler

__all__ = ["TestResultsDBHandler"]

"""``python -m pytest_benchdb`` is the command ``benchdb``."""

from pytest_benchdb.cli.main import main

if __name__ == "__main__":
    main()

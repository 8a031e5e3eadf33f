"""The journal that a session writes while tests run, and the fold that turns it into a session file.

Writing the journal never imports DuckDB; `store.fold_process` and `store.fold_child` run the fold in a child process.
"""

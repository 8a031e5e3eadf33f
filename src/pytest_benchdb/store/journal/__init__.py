"""The journal that a session writes while tests run, and the fold that makes a session file of it.

Nothing of the journal imports DuckDB; the processes around the fold are `store.fold_process` and `store.fold_child`.
"""

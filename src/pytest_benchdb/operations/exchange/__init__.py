"""Results that enter and leave a store: opening any source, importing files of other tools, exporting to them.

Which sessions of a source are meant is decided in `select`.
"""

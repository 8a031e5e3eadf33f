"""Care of a store and of what people add to it: merging, recovering, checking, and annotations.

Nothing here judges results; results enter and leave a store in `exchange`.
"""

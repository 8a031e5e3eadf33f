"""SPEC, the way users name sessions: its grammar, the context it needs, and the sessions it means."""

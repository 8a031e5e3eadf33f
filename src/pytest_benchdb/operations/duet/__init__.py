"""operations/duet."""

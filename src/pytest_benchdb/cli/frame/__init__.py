"""cli/frame."""

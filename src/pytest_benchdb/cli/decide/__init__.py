"""The commands that judge: compare, duet and regress, and what they write for CI."""

"""Commands that judge: compare, duet and regress, and their output for CI."""

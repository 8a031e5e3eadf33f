"""What happens after the last test: the gate, the files that were requested, and the summary in the terminal."""

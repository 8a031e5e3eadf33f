"""The compatibility matrix: the words for its states and changes, and the answer that commands show."""

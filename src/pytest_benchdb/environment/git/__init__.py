"""Git: the commit of a session, how commits descend from each other, and worktrees of other commits."""

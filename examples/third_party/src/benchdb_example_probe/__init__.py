"""A backend, a meter and an environment probe for pytest-benchdb, for an accelerator that is a toy."""

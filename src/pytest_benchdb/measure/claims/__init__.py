"""What the documentation claims of a device, each as a check on the real one: `benchdb doctor --device`."""

"""plugin/recording."""

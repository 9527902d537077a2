"""Where a store comes from: configuration files, the environment, URLs and installed backends."""

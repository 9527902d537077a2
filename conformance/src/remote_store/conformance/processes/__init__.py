"""Process-level tools: forks, other interpreters, exits, time limits."""

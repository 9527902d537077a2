"""What belongs to a whole process: forks, other interpreters, exits, time limits."""

"""The rules of the contract in Python, the deviations from them, and the versions that meet."""

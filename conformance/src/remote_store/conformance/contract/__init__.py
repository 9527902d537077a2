"""The rules of the contract, the known deviations, and the installed versions."""

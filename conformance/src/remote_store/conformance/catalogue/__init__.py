"""The rules of the contract as data, a file per area."""

"""A model of the contract, and a search for a sequence of calls on which a backend differs from it."""

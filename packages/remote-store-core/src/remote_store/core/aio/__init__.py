"""The async side of the contract; its public names are exported by `remote_store.core`."""

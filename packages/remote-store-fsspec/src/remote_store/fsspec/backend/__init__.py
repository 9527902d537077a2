"""Any filesystem of fsspec as a backend."""

"""The texts of the rules' pages, one file per area."""

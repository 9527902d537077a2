"""The stores of filesystems: where they come from, and how filesystems share them."""

"""What the product is held against: each does less, or the same in the usual way."""

"""Both services as one application on one port."""

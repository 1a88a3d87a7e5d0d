"""The store's shapes, oldest first."""

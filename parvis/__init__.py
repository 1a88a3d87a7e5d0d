"""The kernel: what all rooms agree on. It imports no room."""

"""Questions the monitor asks the network by itself."""

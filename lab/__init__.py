"""The twin: a whole town on one Linux machine, in network namespaces, for the demo, the tests and incident drills."""

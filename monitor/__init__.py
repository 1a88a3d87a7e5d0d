"""The conscience: what answers, what does not, since when, and who would be called."""

"""The ears: poll every device of the town by SNMP, decode what it says, show the last samples with their age."""

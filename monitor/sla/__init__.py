"""What an operator owes: outages with their five instants, a contract's hours, GTR, IMS, availability, penalties."""

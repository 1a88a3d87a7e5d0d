"""What the law makes a town keep about its network, sealed as it is written, opened by two, erased on time."""

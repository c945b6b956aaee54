"""How fast the ledger records, verifies and comes back after its writer was killed: in a file and on a server."""

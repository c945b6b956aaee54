"""The gateway: the one way to a venue (`gateway`), its steps, its journal, its breaker, protection, recovery,
reconciliation."""

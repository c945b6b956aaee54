"""A local server that speaks Coinbase Advanced Trade: orders meet recorded prices, and faults strike on command.

The matching has no I/O and no clock (`matching`); the server around it checks tokens, answers REST and streams (`server`).
"""

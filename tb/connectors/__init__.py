"""The outside world: venues, and where alerts and metrics go. Each module speaks through the ports of the runtime."""

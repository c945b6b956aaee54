"""Numbers about a session for Prometheus, and whether it is alive, from a server on this machine alone.

`serve_metrics` starts the server; what it returns is the port `tb.runtime.ports.measures.Measures`.
"""

from __future__ import annotations

from tb.connectors.metrics.counting import Counting
from tb.connectors.metrics.serving import Serving, serve_metrics

__all__ = ["Counting", "Serving", "serve_metrics"]

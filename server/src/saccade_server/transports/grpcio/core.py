"""The layer beneath grpcio's two servers; nothing else here may import it.

It is not public. What we use of it, a server, a completion queue and six operations, is what its
synchronous server stands on, and has been the same for years.
"""

from typing import Any

from grpc._cython import cygrpc as _cygrpc  # type: ignore[attr-defined]

core: Any = _cygrpc
"""It has no types."""

"""The sockets under the sans-IO SIP engine: the only place in `bridge.sip` that does input and output.

`Endpoint` opens the listeners and gives every message to the engine; `Pump` drives the engine and its one timer;
datagrams, streams, name look-ups and routes are each a file.
"""

from bridge.sip.endpoint.endpoint import Endpoint
from bridge.sip.endpoint.listening import EndpointError

__all__ = ["Endpoint", "EndpointError"]

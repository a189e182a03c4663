"""Streams: what happens on a connection after it stopped being HTTP.

`kubectl exec` asks for an *upgrade*: after the answer `101 Switching Protocols` both sides send frames of several
numbered channels over the one connection (0 stdin, 1 stdout, 2 stderr, 3 the final status, 4 the terminal's size).
Newer clients speak WebSocket, older ones SPDY/3.1, and `port-forward` speaks SPDY to this day, if need be within
WebSocket. Three programs touch such a stream: the client (`minik8s exec`, or kubectl), the agent (which runs the
command, or connects to the port), and between them the API server, which looks at the handshake and from then on only
carries bytes.

Read `session.py` for the channels, `websocket.py` and `spdy.py` for the frames, `portforward.py` for connections in a
connection, `pump.py` for the carrying.
"""

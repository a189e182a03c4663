"""Streams: what happens on a connection after it stopped being HTTP.

`kubectl exec` asks for an *upgrade*: after the answer `101 Switching Protocols` both sides send frames of several
numbered channels over the one connection (0 stdin, 1 stdout, 2 stderr, 3 the final status, 4 the terminal's size).
Three programs touch such a stream: the client (`minik8s exec`), the agent (which runs the command), and between
them the API server, which looks at the handshake and from then on only carries bytes.

Read `websocket.py` for the frames and channels, `pump.py` for the carrying.
"""

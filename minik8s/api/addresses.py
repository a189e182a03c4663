"""How addresses of both families stand in text beside a port. Pure."""


def host_port(address: str, port: int | str) -> str:
    """`10.244.1.5:80`, and `[fd00:244:0:1::5]:80`: IPv6 stands in brackets (RFC 3986, 3.2.2)."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

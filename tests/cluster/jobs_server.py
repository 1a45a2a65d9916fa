"""A Jobs server that answers as it is told to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class JobsServer:
    """Knows a token (None: it is open), a version of Ray, and redirects where it is told to."""

    def __init__(self, token="right", ray="2.60.0", python="3.11.7"):
        self.token, self.ray, self.python = token, ray, python
        self.redirect = None
        self.head = "127.0.0.1"
        self.asked = []

    def answer(self, handler):
        sent = handler.headers.get("Authorization")
        self.asked.append((handler.path, sent))
        if self.redirect is not None:
            return 302, {}
        if self.token is not None and sent is None:
            return 401, {}
        if self.token is not None and sent != f"Bearer {self.token}":
            return 403, {}
        if handler.path == "/api/version":
            return 200, {"ray_version": self.ray}
        if handler.path == "/api/v0/cluster_metadata":
            return 200, {"data": {"pythonVersion": self.python}}
        if handler.path.startswith("/api/v0/nodes"):
            nodes = [
                {"node_ip": self.head, "is_head_node": True},
                {"node_ip": "10.0.0.9", "is_head_node": False},
            ]
            return 200, {"data": {"result": {"result": nodes}}}
        return 404, {}


@contextmanager
def serving(server):
    """Give the address at which the server answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, values = server.answer(self)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", server.redirect)
            self.end_headers()
            self.wfile.write(json.dumps(values).encode())

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        http.server_close()

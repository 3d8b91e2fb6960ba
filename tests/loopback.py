"""A web server on this machine that can misbehave, for the tests of downloads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Server:
    """One file on a web server, and how the server behaves.

    Parameters
    ----------
    data
        The file.
    etag
        The server's name for this version of it, "" for none.
    has_ranges
        Whether it answers requests for a part.
    cuts
        Bytes after which it closes the connection, one for each request to
        come; answers are complete when the list is empty.
    status
        The status of every answer, if not 200 or 206.
    requests
        The Range header of each request so far, "" where there was none.
    """

    data: bytes
    etag: str = ""
    has_ranges: bool = True
    has_length: bool = True
    cuts: list[int] = field(default_factory=list)
    status: int = 0
    requests: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve(data: bytes, **behaviour: object) -> Iterator[Server]:
    """Serve a file on a free port of 127.0.0.1 while the block runs."""
    server = Server(data, **behaviour)  # type: ignore[arg-type]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, server)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server.url = f"http://127.0.0.1:{listener.server_address[1]}/file.tar.gz"
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


def answer(handler: BaseHTTPRequestHandler, server: Server) -> None:
    """Answer one request the way the server behaves."""
    wanted = handler.headers.get("Range", "")
    server.requests.append(wanted)
    if server.status:
        handler.send_error(server.status)
        return
    start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
    condition = handler.headers.get("If-Range", server.etag)
    if not server.has_ranges or condition != server.etag:
        start = 0
    if start and start >= len(server.data):
        handler.send_error(416)
        return
    body = server.data[start:]
    handler.send_response(206 if start else 200)
    if start:
        last = len(server.data) - 1
        handler.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
    if server.etag:
        handler.send_header("ETag", server.etag)
    if server.has_length:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)

"""A server on loopback that answers what roboflow 1.7 asks Roboflow's, in the words of the real one."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "Sm7xQ2mNpR4tVw8yBcD1"
WORKSPACE, PROJECT = "kitchen", "fridge"

Answer = tuple[int, Any]


@dataclass
class Received:
    """A picture that was uploaded, and the annotation that came for it."""

    name: str
    split: str
    batch: str
    content: bytes
    annotation: dict[str, Any] | None = None
    asked: dict[str, str] = field(default_factory=dict)


@dataclass
class Roboflow:
    """What the server has and does; a test sets it up.

    Attributes:
        generating, exporting: how many times to say that a version or an export is not ready yet.
        sent: how many bytes of the archive to send of those announced; None: all.
        instead: what to answer to a path instead of the usual, the longest end of the path that fits counting;
            with status 0 the connection is closed without an answer.
        slow_s: how long to wait before each answer.
        there: pictures that the project has, content -> whether they are labelled.
    """

    url: str = ""
    owner: str = WORKSPACE
    versions: tuple[int, ...] = (1, 2, 10)
    archive: bytes = b""
    generating: int = 0
    exporting: int = 0
    sent: int | None = None
    slow_s: float = 0.0
    link: str | None = None
    instead: dict[str, Answer] = field(default_factory=dict)
    there: dict[bytes, bool] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes, content_type: str) -> Answer:
        self.asked.append(f"{method} {path}")
        for end in sorted(self.instead, key=len, reverse=True):
            if path.endswith(end):
                return self.instead[end]
        if query.get("api_key") != KEY and not path.startswith("/archives/"):
            said = {"message": "This API key does not exist (or has been revoked).", "type": "OAuthException"}
            return 401, {"error": said}
        parts = [unquote(part) for part in path.strip("/").split("/") if part]
        if method == "POST":
            return self._post(parts, query, body, content_type)
        return self._get(parts, query)

    def _get(self, parts: list[str], query: dict[str, str]) -> Answer:
        match parts:
            case ["archives", _]:
                return 200, self.archive
            case [workspace, project, *rest] if (workspace, project) == (WORKSPACE, PROJECT):
                match rest:
                    case []:
                        return 200, self.project()
                    case [number] if int(number) in self.versions:
                        self.generating -= 1
                        busy = self.generating >= 0
                        return 200, {"version": {"generating": busy, "progress": 0.25, "images": 2}}
                    case [_, "yolov8" | "coco"]:
                        self.exporting -= 1
                        if self.exporting >= 0:
                            return 202, {"ready": False, "progress": 0.5}
                        link = self.link or f"{self.url}/archives/4.zip?key={KEY}"
                        return 200, {"export": {"format": "yolov8", "link": link}}
        path = "/".join(parts)
        message = f"Unsupported request. `GET /{path}` does not exist or cannot be loaded due to missing permissions."
        return 404, {"error": {"message": message, "type": "GraphMethodException"}}

    def _post(self, parts: list[str], query: dict[str, str], body: bytes, content_type: str) -> Answer:
        match parts:
            case []:
                return 200, {"welcome": "Welcome to the Roboflow API.", "workspace": self.owner}
            case ["dataset", project, "upload"] if project == PROJECT:
                picture = _picture(body, content_type, query)
                self.received.append(picture)
                said = {"duplicate": True} if picture.content in self.there else {"success": True}
                return 200, {**said, "id": f"id{len(self.received)}"}
            case ["dataset", project, "annotate", image_id] if project == PROJECT:
                picture = self.received[int(image_id.removeprefix("id")) - 1]
                if self.there.get(picture.content) and query.get("overwrite") != "true":
                    return 409, {"error": {"message": "Image was already annotated.", "type": "InvalidImageException"}}
                picture.annotation, picture.asked = json.loads(json.loads(body)["annotationFile"]), query
                return 200, {"success": True}
        return 404, {"error": {"message": "no such path"}}

    def project(self) -> dict[str, Any]:
        """What it says of its one project."""
        versions = [
            {"id": f"{WORKSPACE}/{PROJECT}/{number}", "name": "v", "images": 2, "exports": []}
            for number in self.versions
        ]
        project = {
            "id": f"{WORKSPACE}/{PROJECT}", "name": "Fridge", "type": "object-detection", "annotation": "food",
            "classes": {"egg": 2}, "colors": {}, "created": 1.7e9, "updated": 1.7e9, "images": 2, "unannotated": 0,
            "public": False, "splits": {"train": 2},
        }  # fmt: skip
        return {"workspace": {"name": "Kitchen", "url": WORKSPACE}, "project": project, "versions": versions}


def _picture(body: bytes, content_type: str, query: dict[str, str]) -> Received:
    form = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, policy=policy.HTTP)
    fields = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
    said = {name: part.get_payload(decode=True) for name, part in fields.items()}
    return Received(said["name"].decode(), said["split"].decode(), query.get("batch", ""), said["file"])


def serve(state: Roboflow) -> ThreadingHTTPServer:
    """Starts the server in a thread and writes its address into `state.url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply("GET")

        def do_POST(self) -> None:
            self._reply("POST")

        def _reply(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            address = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(address.query).items()}
            status, said = state.answer(method, address.path, query, body, self.headers.get("content-type", ""))
            time.sleep(state.slow_s)
            if status == 0:
                self.close_connection = True
                return
            payload = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            cut = state.sent if address.path.startswith("/archives/") else None
            self.wfile.write(payload if cut is None else payload[:cut])

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server

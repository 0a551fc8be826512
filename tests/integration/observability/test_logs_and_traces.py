"""One id finds every log line of a job, one trace every step: over gateway and worker."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, running_stack, until

pytestmark = pytest.mark.integration
REQUEST = "a-request-of-the-tests"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""A traceparent, as a client that traces sends it."""


class Collector:
    """Takes spans by OTLP over HTTP, as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Any]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(gzip.decompress(data) if self.headers["Content-Encoding"] == "gzip" else data)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def take(self, data: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(data).resource_spans:
            (name,) = [
                one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
            ]
            self.spans += [(name, span) for scope in resource.scope_spans for span in scope.spans]

    @contextmanager
    def running(self) -> Iterator[str]:
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{self.server.server_port}"
        self.server.shutdown()
        thread.join()
        self.server.server_close()

    def of(self, trace_id: str) -> list[tuple[str, Any]]:
        return [(name, span) for name, span in self.spans if span.trace_id.hex() == trace_id]


def test_a_job_is_one_trace_and_one_request_id(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=24))
    collector = Collector()
    with collector.running() as address:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "CDVD_SEGMENT_FRAMES": "12",
            "CDVD_LOG_FORMAT": "json",
        }
        with running_stack(tmp_path, settings) as service:
            with clip.open("rb") as file:
                answer = service.http.post(
                    "/jobs",
                    data={"model": QUICK},
                    files={"video": ("clip.mp4", file)},
                    headers={
                        "X-Request-ID": REQUEST,
                        "traceparent": CALLER,
                        "Authorization": "Bearer cdvd_secret",
                    },
                )
            assert answer.headers["X-Request-ID"] == REQUEST
            service.until_status(answer.json()["id"], "succeeded")
            other = service.http.get("/jobs", headers={"X-Request-ID": "not\tsane"})
            assert len(other.headers["X-Request-ID"]) == 32
            trace_id = CALLER.split("-")[1]
            until(lambda: "finish" in {span.name for _, span in collector.of(trace_id)}, "the last span")
        log = "".join(path.read_text() for path in (tmp_path / "data").rglob("*.log"))

    spans = collector.of(trace_id)
    names = {span.span_id: (process, span.name) for process, span in spans}
    below = sorted(
        {
            (names.get(span.parent_span_id, ("client", ""))[1], name[1])
            for _, span in spans
            if (name := names[span.span_id])
        }
    )
    assert below == [
        ("", "POST"),
        ("POST", "accept"),
        ("POST", "finish"),
        ("POST", "plan"),
        ("POST", "probe"),
        ("POST", "receive"),
        ("POST", "segment"),
        ("segment", "encode"),
        ("segment", "engine"),
    ]
    assert [name for _, name in names.values()].count("segment") == 2
    assert {process for process, name in names.values() if name == "engine"} == {"cdvd-worker"}
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    (access,) = [line for line in lines if line.get("route") == "/jobs" and line.get("method") == "POST"]
    assert access["request"] == REQUEST
    assert access["status"] == "202"
    assert int(access["bytes_in"]) > clip.stat().st_size
    done = {
        line["step"]
        for line in lines
        if line.get("request") == REQUEST and line["message"].startswith("Done in ")
    }
    assert done == {"plan", "segment:0", "segment:1", "finish"}
    assert "cdvd_secret" not in log

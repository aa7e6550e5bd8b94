# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An automation controller as far as a rulebook meets it: job templates, their start, and how a job goes on.

A model made from AWX's API: of what a start is told, a template keeps the variables that its survey asks for, and
others only where it asks for variables on launch."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

ORGANIZATION, TOKEN = "Default", "controller-token"


class Controller:
    """It, on a loopback port. `jobs` are the variables of each job that was started, with the name of its template."""

    def __init__(self, templates: Sequence[Mapping[str, Any]]) -> None:
        self.templates = list(templates)
        self.jobs: list[tuple[str, dict[str, Any]]] = []
        self._polls: dict[int, int] = {}
        # How many jobs ran at the same time at the most.
        self.most_at_once = 0
        model = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                self.reply(*model.asked(self.path, self.headers.get("Authorization")))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.reply(*model.told(self.path, self.headers.get("Authorization"), body))

            def reply(self, code: int, answer: Mapping[str, Any]) -> None:
                text = json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Controller:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def asked(self, path: str, authorization: str | None) -> tuple[int, Mapping[str, Any]]:
        if authorization != f"Bearer {TOKEN}":
            return 401, {"detail": "Authentication credentials were not provided."}
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        if parts.path == "/api/v2/config/":
            return 200, {"version": "24.6.1"}
        if parts.path == "/api/v2/unified_job_templates/":
            return 200, _page([self._row(one) for one in self.templates if [one["name"]] == query["name"]])
        if parts.path == "/api/v2/jobs/":
            return 200, _page([self._job(int(number)) for number in query["id__in"][0].split(",")])
        return 404, {"detail": "Not found."}

    def told(self, path: str, authorization: str | None, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        if authorization != f"Bearer {TOKEN}":
            return 401, {"detail": "Authentication credentials were not provided."}
        number = int(path.split("/")[4])
        template = self.templates[number]
        survey = [one["variable"] for one in template.get("survey_spec", {}).get("spec", [])]
        given = body.get("extra_vars", {})
        kept = given if template["ask_variables_on_launch"] else {name: given[name] for name in given if name in survey}
        self.jobs.append((template["name"], dict(kept)))
        self._polls[len(self.jobs)] = 0
        self.most_at_once = max(self.most_at_once, sum(polls < 2 for polls in self._polls.values()))
        return 201, {"id": len(self.jobs), "url": f"/api/v2/jobs/{len(self.jobs)}/"}

    def _row(self, template: Mapping[str, Any]) -> dict[str, Any]:
        asks = ("ask_limit_on_launch", "ask_labels_on_launch", "ask_inventory_on_launch", "ask_variables_on_launch")
        number = self.templates.index(template)
        return {
            **{name: template.get(name, False) for name in asks},
            "id": number,
            "type": "job_template",
            "name": template["name"],
            "summary_fields": {"organization": {"name": ORGANIZATION}},
            "related": {"launch": f"/api/v2/job_templates/{number}/launch/"},
        }

    def _job(self, number: int) -> dict[str, Any]:
        """A job that runs when it is looked at first, and has come to its end after that."""
        self._polls[number] += 1
        status = "running" if self._polls[number] < 2 else "successful"
        return {"id": number, "status": status, "created": "2026-11-28T05:00:00Z", "artifacts": {}}


def _page(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"count": len(rows), "next": None, "results": list(rows)}

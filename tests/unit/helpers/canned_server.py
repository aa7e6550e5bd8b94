"""A SOAP server on the loopback that gives prepared answers: real objects of pyVmomi, in real XML, over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pyVmomi import SoapAdapter, vim, vmodl

from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.answers import take_answers_only
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Server, Session

VERSION = "vim.version.v8_0_2_0"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)
_Collector = vmodl.query.PropertyCollector


def xml_of(value: Any, name: str) -> str:
    """Returns an object of pyVmomi as the XML that a server would send."""
    info = SoapAdapter.Object(name=name, type=object, version=VERSION, flags=0)
    return SoapAdapter.SerializeToStr(value, info, VERSION, {**SoapAdapter.SOAP_NSMAP, "urn:vim25": ""})


def object_content(reference: Any, values: dict[str, Any], missing: dict[str, Any] | None = None) -> Any:
    """Returns what a server says of one object."""
    return _Collector.ObjectContent(
        obj=reference,
        propSet=[
            vmodl.DynamicProperty(name=path, val=_typed(reference, path, value)) for path, value in values.items()
        ],
        missingSet=[_Collector.MissingProperty(path=path, fault=fault) for path, fault in (missing or {}).items()],
    )


def _typed(reference: Any, path: str, value: Any) -> Any:
    """Returns a list as the array type that the API gives the property; anything else as it is."""
    if not isinstance(value, list):
        return value
    kind = type(reference)
    for name in path.split("."):
        kind = kind._GetPropertyInfo(name).type
    return kind(value)


def page(objects: Sequence[Any], token: str | None = None, method: str = "RetrievePropertiesEx") -> str:
    """Returns the reply that holds some objects, and the token of the next page."""
    result = _Collector.RetrieveResult(token=token, objects=list(objects))
    return _ENVELOPE.format(f'<{method}Response xmlns="urn:vim25">{xml_of(result, "returnval")}</{method}Response>')


def returned(method: str, value: Any) -> str:
    """Returns the reply of a method that returns this; None for one that returns nothing."""
    inner = xml_of(value, "returnval") if value is not None else ""
    return _ENVELOPE.format(f'<{method}Response xmlns="urn:vim25">{inner}</{method}Response>')


def soap_fault(kind: str, inner: str = "", message: str = "") -> str:
    """Returns the reply that refuses a request; `kind` may be one that no library knows."""
    return _ENVELOPE.format(
        f"<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{message}</faultstring><detail>"
        f'<{kind}Fault xmlns="urn:vim25" xsi:type="{kind}">{inner}</{kind}Fault></detail></soapenv:Fault>'
    )


def session_with(port: int) -> Session:
    """Returns a session with a server on the loopback, as it stands after a login."""
    # A negative port is pyVmomi's way to say plain HTTP.
    stub = SoapAdapter.SoapStubAdapter(host="127.0.0.1", port=-port, version=VERSION, httpConnectionTimeout=5)
    take_answers_only(stub)
    content = vim.ServiceInstanceContent(
        rootFolder=vim.Folder("group-d1", stub),
        about=vim.AboutInfo(
            name="a vCenter", fullName="a vCenter", vendor="nobody", version="8.0.2", build="1", osType="linux",
            productLineId="vpx", apiType="VirtualCenter", apiVersion="8.0.2.0",
        ),
        propertyCollector=_Collector("propertyCollector", stub),
        viewManager=vim.view.ViewManager("ViewManager", stub),
    )  # fmt: skip
    return Session(Server("127.0.0.1", "user", "secret", port), stub, content, "key")


class CannedServer:
    """Gives its answers in their order and keeps the requests that it got. None closes the connection instead.

    With a status it is the load balancer before a server that is not ready: it says so in HTML whatever it is asked.
    """

    def __init__(self, answers: Sequence[str | None], status: int | None = None) -> None:
        self.requests: list[str] = []
        waiting = list(answers)
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                requests.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                if status is not None:
                    self.send_error(status)
                    return
                answer = waiting.pop(0)
                if answer is None:
                    self.close_connection = True
                    return
                body = answer.encode()
                self.send_response(500 if "<soapenv:Fault>" in answer else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def wait_for_request(self, number: int) -> str:
        """Returns the request of this number once it has come."""
        end = time.monotonic() + 5
        while len(self.requests) < number:
            assert time.monotonic() < end, f"request {number} never came"
            time.sleep(0.005)
        return self.requests[number - 1]

    def session(self) -> Session:
        """Returns a session with this server, as it stands after a login."""
        return session_with(self.port)

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def answering(*answers: str | None, status: int | None = None) -> Iterator[CannedServer]:
    """Gives a server with these answers."""
    server = CannedServer(answers, status)
    try:
        yield server
    finally:
        server.close()

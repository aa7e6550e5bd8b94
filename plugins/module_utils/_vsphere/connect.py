# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A session with a vCenter or an ESXi host: log in, send requests, log out. Every failure is one clear sentence.

The certificate is checked unless the user says otherwise, a password is sent once and never shows up in a text, and a
request that writes is never sent twice.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from math import inf
from pathlib import Path
from typing import Any, TypeVar
from xml.parsers.expat import ExpatError

from ansible_collections.winbackup.storage.plugins.module_utils._core.address import check_host, check_port
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    LoginRefused,
    OutcomeUnknown,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.memory import most_memory_from_now
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock
from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of
from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_reply import RunIsOver, bounded
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.answers import (
    NotTheAnswer,
    check_headers,
    request_headers,
    take_answers_only,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.faults import error_of, fault_of_exception

_T = TypeVar("_T")

# Any server since 5.0 understands it; after the first answer the newest that both sides know is spoken.
_FIRST_VERSION = "vim.version.version7"
# What pyVmomi raises where an answer is not what it can read.
_UNREADABLE_ANSWER = (ExpatError, KeyError, AttributeError, TypeError, ValueError)
_DROPPED = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
# How pyVmomi says that a status was neither 200 nor 500.
_HTTP_STATUS = re.compile(r"(\d{3}) ?(.*)")
# So long the server has to answer the request that ends a session of a run that is over.
_FAREWELL_SECONDS = 5.0
# How OpenSSL finds a certificate in a directory (X509_LOOKUP_hash_dir).
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_HOSTNAME_MISMATCH, _ADDRESS_MISMATCH = 62, 64


@dataclass(frozen=True)
class Server:
    """Where a session goes and as whom, from the connection options of a module."""

    hostname: str
    username: str
    password: str = field(repr=False)
    port: int = 443
    validate_certs: bool = True
    ca_path: str | None = None
    proxy_host: str | None = None
    proxy_port: int | None = None
    connection_timeout: int = 60

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Server:
        """Returns the server that the options name; raises ConfigurationError where one of the three is missing."""
        missing = [name for name in ("hostname", "username", "password") if not options.get(name)]
        if missing:
            raise ConfigurationError(
                f"No {', no '.join(missing)} of a vCenter or ESXi host was given.",
                hint="Set hostname, username and password in the task, in module_defaults of the group "
                "winbackup.storage.vsphere, or as VMWARE_HOST, VMWARE_USER and VMWARE_PASSWORD in the environment.",
            )
        server = cls(**{name: options[name] for name in cls.__dataclass_fields__ if options.get(name) is not None})
        for name in ("port", "proxy_port"):
            check_port(name, getattr(server, name))
        check_host("hostname", server.hostname)
        if server.connection_timeout < 1:
            raise ConfigurationError(f"connection_timeout must be at least 1, not {server.connection_timeout}.")
        return server

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.hostname}:{self.port}"


class _RunEnd:
    """The moment, on the monotonic clock, at which the run that a session is for ends."""

    def __init__(self, until: float) -> None:
        self._until = until

    def seconds_left(self) -> float:
        """Returns the seconds until then; less than zero after it."""
        return self._until - clock()

    def allow_farewell(self) -> None:
        """Gives the last request some seconds, also where the run is over."""
        self._until = max(self._until, clock() + _FAREWELL_SECONDS)


class Session:
    """An open session. `content` is the server's ServiceContent, `key` the session's own id there."""

    def __init__(self, server: Server, stub: Any, content: Any, key: str, end: _RunEnd | None = None) -> None:
        self.server = server
        self.stub = stub
        self.content = content
        self.key = key
        self._end = end or _RunEnd(inf)
        self.most_memory = most_memory_from_now()

    @classmethod
    def open(cls, server: Server, until: float = inf) -> Session:
        """Connects and logs in, once; raises ConnectionFailed or ConfigurationError with what to do about it.

        Nothing is waited for any more once the monotonic clock says `until`, but for the end of the session.
        """
        library.require()
        stub = library.SoapStubAdapter(
            host=server.hostname,
            port=server.port,
            version=_FIRST_VERSION,
            sslContext=_tls_context(server),
            httpProxyHost=server.proxy_host,
            httpProxyPort=server.proxy_port,
            httpConnectionTimeout=server.connection_timeout,
        )
        # Before 9.0 pyVmomi lost the port on its way to a proxy, and did not connect at all.
        if server.proxy_host and not hasattr(stub, "httpProxyHost"):
            raise ConfigurationError(
                "The installed pyVmomi cannot go through a proxy.",
                hint="Install pyvmomi 9.0 or later, or take proxy_host away.",
            )
        end = _RunEnd(until)
        stub.scheme = bounded(stub.scheme, end.seconds_left)
        take_answers_only(stub)
        try:
            return cls(server, stub, *_logged_in(server, stub, end), end)
        except BaseException:
            stub.DropConnections()
            raise

    def close(self) -> None:
        """Logs out, as far as the server can still be reached."""
        _log_out(self.stub, self.content, self._end)

    def managed(self, kind: Any, object_id: str) -> Any:
        """Returns a managed object by its id, on which methods can be called."""
        return kind(object_id, self.stub)

    def read(self, doing: str, request: Callable[[], _T]) -> _T:
        """Returns what a request that changes nothing answers. It is sent again once where an idle connection was
        dropped. Raises StepRefused or ConnectionFailed."""
        try:
            try:
                return request()
            except (HTTPException, *_DROPPED):
                self.stub.DropConnections()
                return request()
        except library.vmodl.MethodFault as error:
            raise error_of(fault_of_exception(error), doing) from error
        except (OSError, HTTPException) as error:
            raise unreachable(self.server, error) from error
        except _UNREADABLE_ANSWER as error:
            raise ConnectionFailed(f"{doing} failed: {self.server.name} gave an answer that cannot be read.") from error

    def write(self, doing: str, request: Callable[[], _T]) -> _T:
        """Returns what a request that changes something answers; it is sent once.

        Raises ConnectionFailed where it was not sent, OutcomeUnknown where its answer never came, StepRefused.
        """
        try:
            # A connection made now is not the request's: what fails here was never sent.
            connection = self.stub.GetConnection()
            if connection.sock is None:  # pyVmomi before 9.0 leaves the connecting to the request.
                connection.connect()
            self.stub.ReturnConnection(connection)
        except (OSError, HTTPException) as error:
            raise unreachable(self.server, error) from error
        try:
            return request()
        except library.vmodl.MethodFault as error:
            raise error_of(fault_of_exception(error), doing) from error
        except (OSError, HTTPException, *_UNREADABLE_ANSWER) as error:
            raise OutcomeUnknown(
                f"{doing} was sent to {self.server.name} and its answer never came: it may have been done.",
                hint="Run again: the state is read first, and decides.",
            ) from error

    def ask(self, target: Any, method: str, *arguments: Any) -> Exchange:
        """Sends a reading request that pyVmomi has put into XML; `method` is its Python name ("RetrievePropertiesEx").

        Raises ConnectionFailed.
        """
        info = type(target)._GetMethodInfo(method)
        return Exchange(self, self.stub.SerializeRequest(target, info, arguments), info.wsdlName)


class Exchange:
    """A reading request that was sent, and whose reply may be taken later: the server works on it meanwhile."""

    def __init__(self, session: Session, body: bytes, method: str) -> None:
        self._session = session
        self._body = body
        self.method = method
        self._connection: Any = None
        try:
            self._send()
        except (HTTPException, *_DROPPED):
            # An idle connection that the server had closed; it is opened anew when the reply is taken.
            self.abandon()
        except BaseException as error:
            self.abandon()
            if isinstance(error, OSError):
                raise unreachable(session.server, error) from error
            raise

    @contextmanager
    def reply(self) -> Iterator[HTTPResponse]:
        """Gives the reply as a stream, with HTTP status 200 or 500; raises ConnectionFailed."""
        try:
            response = self._response()
            if response.status not in (200, 500):
                raise wrong_status(self._session.server, response.status, response.reason)
            check_headers(response)
            yield response
            response.read()
            self._session.stub.ReturnConnection(self._connection)
            self._connection = None
        except (OSError, HTTPException) as error:
            raise unreachable(self._session.server, error) from error
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Gives the reply up, where it has not been taken."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _response(self) -> HTTPResponse:
        if self._connection is not None:
            try:
                return self._connection.getresponse()  # type: ignore[no-any-return]
            except (HTTPException, *_DROPPED):
                self.abandon()
                self._session.stub.DropConnections()
        self._send()
        return self._connection.getresponse()  # type: ignore[no-any-return]

    def _send(self) -> None:
        stub = self._session.stub
        self._connection = stub.GetConnection()
        self._connection.request("POST", stub.path, self._body, request_headers(stub))


def _logged_in(server: Server, stub: Any, end: _RunEnd) -> tuple[Any, str]:
    """Returns the content of the server and the key of the new session."""
    vim, vmodl = library.vim, library.vmodl
    content = None
    try:
        content = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
        stub.ComputeVersionInfo(_newest_common_version(content.about.apiVersion))
        login = content.sessionManager.Login(server.username, server.password, "en_US")
        return content, login.key
    except vim.fault.InvalidLogin:
        raise LoginRefused(
            f"{server.name} does not accept the user name and password of {server.username}.",
            hint="Check username and password; they were sent once only, so that no account is locked.",
        ) from None
    except vim.fault.NoPermission:
        raise LoginRefused(
            f"{server.name} knows {server.username} and does not let this user in.",
            hint="Give the user a role on the server, at least Read-only.",
        ) from None
    except vmodl.MethodFault as error:
        fault = fault_of_exception(error)
        raise ConnectionFailed(
            f"{server.name} refused the login: {fault.name}: {fault.message}",
            hint="See that it is a vCenter or an ESXi host of version 5.0 or later, and that it takes logins.",
        ) from None
    except BaseException as error:
        # The login may stand on the server although its answer could not be read.
        if content is not None:
            _log_out(stub, content, end)
        if isinstance(error, (OSError, HTTPException, UnicodeError)):
            raise unreachable(server, error) from error
        if isinstance(error, _UNREADABLE_ANSWER):
            raise _not_vsphere(server) from error
        raise


def _log_out(stub: Any, content: Any, end: _RunEnd) -> None:
    """Ends the session, as far as the server can still be reached, and closes all connections."""
    end.allow_farewell()
    try:
        content.sessionManager.Logout()
    except (library.vmodl.MethodFault, OSError, HTTPException, *_UNREADABLE_ANSWER):
        pass
    finally:
        stub.DropConnections()


def _tls_context(server: Server) -> ssl.SSLContext:
    if not server.validate_certs:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    # Nothing given is the authorities of the system; as a path it would be the working directory.
    if not server.ca_path:
        return ssl.create_default_context()
    path = Path(server.ca_path)
    try:
        if path.is_dir():
            if not any(_HASHED_NAME.fullmatch(entry.name) for entry in path.iterdir()):
                raise ConfigurationError(
                    f"ca_path ({path}) is a directory without a certificate under the hash of its subject.",
                    hint=f"Run: openssl rehash {path}. Or give a file with the certificate of the authority.",
                )
            return ssl.create_default_context(capath=str(path))
        return ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"ca_path ({path}) cannot be used: {getattr(error, 'strerror', None) or error}.",
            hint="Give a file with the certificate of the authority in PEM form, or a directory of such files under "
            "their hashes.",
        ) from error


def _newest_common_version(server_version: str) -> str:
    """Returns pyVmomi's newest version that is not newer than the server's ("8.0.2.0")."""
    limit = _numbers(server_version)
    for version in library.service_versions("vim25"):
        numbers = _numbers(library.version_ids.get(version, ""))
        if numbers and numbers <= limit:
            return str(version)
    return _FIRST_VERSION


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [count_of(part) for part in version.split(".")]
    return tuple(number for number in numbers if number is not None) if None not in numbers else ()


def _not_vsphere(server: Server) -> ConnectionFailed:
    return ConnectionFailed(
        f"{server.name} answers, but not as a vCenter or an ESXi host.", hint="Check hostname and port."
    )


def unreachable(server: Server, error: Exception) -> StorageError:
    """Returns the error for a connection that could not be made or broke off: what happened, and what to do."""
    name = server.name
    via = f" through the proxy {server.proxy_host}:{server.proxy_port}" if server.proxy_host else ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(server, error)
    if isinstance(error, ssl.SSLError):
        return ConnectionFailed(f"{name} does not speak TLS{via} ({error.reason}).", hint="Check hostname and port.")
    # A name with an empty or too long part is a UnicodeError, since it cannot even be put into the form of a question.
    if isinstance(error, (socket.gaierror, UnicodeError)):
        looked_up = server.proxy_host or server.hostname
        option = "proxy_host" if server.proxy_host else "hostname"
        return ConnectionFailed(f"The name {looked_up} cannot be resolved.", hint=f"Check the option {option}.")
    if isinstance(error, RunIsOver):
        return ConnectionFailed(
            f"{name} had not answered{via} when the time for this task (timeout) was up.",
            hint="Raise timeout, or see why the server takes so long.",
        )
    if isinstance(error, TimeoutError):
        return ConnectionFailed(
            f"{name} did not answer{via} within {server.connection_timeout} s.",
            hint="Check hostname, port and firewalls, or raise connection_timeout.",
        )
    if isinstance(error, ConnectionRefusedError):
        return ConnectionFailed(
            f"{name} refuses connections{via}.", hint="Check hostname and port, and that the server is up."
        )
    if isinstance(error, NotTheAnswer):
        return ConnectionFailed(
            f"{name} answered{via} with {error}; that is no answer to what was asked.",
            hint="Check that hostname and port are those of a vCenter or an ESXi host, and what answers in its place: "
            "a proxy, load balancer or login page before it, or the server while it starts. Then run again.",
        )
    status = _HTTP_STATUS.fullmatch(str(error)) if isinstance(error, HTTPException) else None
    if status is not None:
        return wrong_status(server, int(status[1]), status[2])
    if isinstance(error, (HTTPException, *_DROPPED)):
        return ConnectionFailed(
            f"The connection to {name} broke off{via} ({type(error).__name__}).",
            hint="Check that hostname and port are those of a vCenter or an ESXi host, then run again.",
        )
    reason = getattr(error, "strerror", None) or str(error)
    return ConnectionFailed(f"{name} cannot be reached{via}: {reason}.", hint="Check hostname, port and the network.")


def wrong_status(server: Server, status: int, reason: str | None) -> ConnectionFailed:
    """Returns the error for an answer that is no SOAP, as a proxy, a load balancer or a server that starts gives."""
    said = f"{status} {reason}".strip() if reason else str(status)
    if status >= 500:
        hint = (
            "The vCenter's services, or the proxy or load balancer before it, are not ready: see that the service "
            "vpxd runs and that the load balancer has a healthy server, then run again."
        )
    else:
        hint = "Check that hostname and port are those of a vCenter or an ESXi host, and what lies between."
    return ConnectionFailed(f"{server.name} answered with HTTP status {said}.", hint=hint)


def _untrusted(server: Server, error: ssl.SSLCertVerificationError) -> ConnectionFailed:
    if error.verify_code in (_HOSTNAME_MISMATCH, _ADDRESS_MISMATCH):
        return ConnectionFailed(
            f"The certificate of {server.name} is not for that name.",
            hint="Set hostname to a name that the certificate is for, or validate_certs to false to go without proof.",
        )
    return ConnectionFailed(
        f"The certificate of {server.name} is not trusted: {error.verify_message}.",
        hint="Set ca_path (VMWARE_CA_PATH) to the certificate of the authority that signed it, or validate_certs to "
        "false to go without proof.",
    )

"""Each way in which a connection fails is one sentence that says what to do, without the password."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ansible
import pytest
from pyVmomi import SoapAdapter, vim

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    OutcomeUnknown,
    RefusalKind,
    StepRefused,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import answers
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Server, Session, unreachable
from ansible_collections.winbackup.storage.tests.unit.helpers.canned_server import (
    answering,
    returned,
    soap_fault,
)

_PASSWORD = "hunter2-and-more"


def server(port: int, **more: object) -> Server:
    """Returns a server on the loopback."""
    options = {"hostname": "127.0.0.1", "username": "user", "password": _PASSWORD, "port": port, **more}
    return Server.of({"connection_timeout": 1, "validate_certs": False, **options})


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """Listens, and gives every connection this answer; None: none at all."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                held.append(connection)
                if answer is not None:
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        for connection in held:
            connection.close()


@contextmanager
def refusing_port() -> Iterator[int]:
    """Yields a port that refuses connections, and that nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


def refusal(port: int, **more: object) -> str:
    """Returns the sentence that opening a session ends in."""
    with pytest.raises(ConnectionFailed) as raised:
        Session.open(server(port, **more))
    assert _PASSWORD not in str(raised.value)
    return str(raised.value)


def test_what_was_not_given_is_named_with_all_places_to_give_it() -> None:
    with pytest.raises(ConfigurationError) as raised:
        Server.of({"hostname": None, "username": "user", "password": None})
    assert "No hostname, no password" in str(raised.value)
    assert "module_defaults" in str(raised.value)
    assert "VMWARE_HOST" in str(raised.value)


def test_the_password_is_in_no_text_about_a_server() -> None:
    assert _PASSWORD not in repr(server(443))


def test_a_closed_port() -> None:
    with refusing_port() as port:
        assert (
            refusal(port)
            == f"127.0.0.1:{port} refuses connections. Check hostname and port, and that the server is up."
        )


def test_a_server_that_never_answers() -> None:
    with listening(None) as port:
        sentence = refusal(port)
    assert sentence == (
        f"127.0.0.1:{port} did not answer within 1 s. Check hostname, port and firewalls, or raise connection_timeout."
    )


def test_a_server_that_speaks_something_else() -> None:
    with listening(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        assert "does not speak TLS" in refusal(port)


def test_a_name_that_is_no_name() -> None:
    assert "The name a..b cannot be resolved. Check the option hostname." in refusal(443, hostname="a..b")


def test_a_proxy_that_is_not_there_is_named() -> None:
    with refusing_port() as port:
        if hasattr(SoapAdapter.SoapStubAdapter(host="127.0.0.1", httpProxyHost="127.0.0.1"), "httpProxyHost"):
            assert f"through the proxy 127.0.0.1:{port}" in refusal(443, proxy_host="127.0.0.1", proxy_port=port)
        else:
            with pytest.raises(ConfigurationError, match=r"Install pyvmomi 9\.0 or later"):
                Session.open(server(443, proxy_host="127.0.0.1", proxy_port=port))


def test_an_unknown_name_blames_the_option_that_named_it() -> None:
    error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert str(unreachable(server(443, hostname="vcenter.example"), error)).startswith("The name vcenter.example can")
    behind_proxy = server(443, proxy_host="proxy.example", proxy_port=3128)
    assert "Check the option proxy_host." in str(unreachable(behind_proxy, error))


def test_a_certificate_that_is_not_trusted_names_ca_path() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 19, "self-signed certificate in certificate chain"
    sentence = str(unreachable(server(443), error))
    assert "is not trusted: self-signed certificate in certificate chain." in sentence
    assert "ca_path" in sentence
    assert "validate_certs" in sentence


def test_a_certificate_for_another_name_asks_for_that_name() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 62, "Hostname mismatch"
    sentence = str(unreachable(server(443), error))
    assert "The certificate of 127.0.0.1:443 is not for that name." in sentence
    assert "Set hostname to a name that the certificate is for" in sentence


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_path_that_cannot_be_used(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"ca_path .* cannot be used"):
        Session.open(server(443, validate_certs=True, ca_path=str(path)))


def test_a_directory_without_hashes_is_told_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_text("a certificate")
    with pytest.raises(ConfigurationError, match="openssl rehash"):
        Session.open(server(443, validate_certs=True, ca_path=str(tmp_path)))


def test_an_empty_ca_path_trusts_nothing_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0123abcd.0").write_text("a certificate of whoever may write here")
    monkeypatch.chdir(tmp_path)
    with refusing_port() as port:
        assert "refuses connections" in refusal(port, validate_certs=True, ca_path="")
    assert not Server.of({"hostname": "h", "username": "u", "password": "p", "ca_path": ""}).ca_path


def test_a_missing_library_names_the_interpreter() -> None:
    # An interpreter that finds Ansible and the collection, and not what else is installed.
    paths = [entry for entry in sys.path if "site-packages" not in entry]
    program = f"""
import sys, types
sys.path[:0] = {paths!r}
ansible = types.ModuleType("ansible")
ansible.__path__ = [{str(Path(ansible.__file__).parent)!r}]
sys.modules["ansible"] = ansible
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
try:
    library.require()
except ConfigurationError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True)
    assert f"The Python interpreter {sys.executable} lacks the library pyvmomi" in done.stdout
    assert f"{sys.executable} -m pip install pyvmomi" in done.stdout


def test_a_write_whose_answer_never_came_may_have_been_done() -> None:
    with answering(None) as canned:
        session = canned.session()
        machine = session.managed(vim.VirtualMachine, "vm-1")
        with pytest.raises(OutcomeUnknown, match="it may have been done"):
            session.write("Shutting down", machine.ShutdownGuest)
    assert len(canned.requests) == 1


def test_a_write_that_could_not_be_sent_was_not_done() -> None:
    with answering() as canned:
        session = canned.session()
    machine = session.managed(vim.VirtualMachine, "vm-1")
    with pytest.raises(ConnectionFailed, match="refuses connections"):
        session.write("Shutting down", machine.ShutdownGuest)


def test_a_refusal_that_pyvmomi_cannot_read_leaves_the_outcome_open() -> None:
    with answering(soap_fault("FaultOfTheFuture")) as canned:
        session = canned.session()
        machine = session.managed(vim.VirtualMachine, "vm-1")
        with pytest.raises(OutcomeUnknown):
            session.write("Shutting down", machine.ShutdownGuest)


def test_a_missing_privilege_is_named() -> None:
    inner = '<object type="VirtualMachine">vm-1</object><privilegeId>VirtualMachine.Interact.PowerOff</privilegeId>'
    with answering(soap_fault("NoPermission", inner, "Permission was denied.")) as canned:
        session = canned.session()
        machine = session.managed(vim.VirtualMachine, "vm-1")
        with pytest.raises(StepRefused) as raised:
            session.write("Shutting down", machine.ShutdownGuest)
    assert raised.value.kind is RefusalKind.NO_PRIVILEGE
    assert "Give the user the privilege VirtualMachine.Interact.PowerOff" in str(raised.value)


def test_a_restricted_licence_points_to_the_shell() -> None:
    text = "Current license or ESXi version prohibits execution of the requested operation."
    with answering(soap_fault("RestrictedVersion", "", text)) as canned:
        session = canned.session()
        machine = session.managed(vim.VirtualMachine, "vm-1")
        with pytest.raises(StepRefused) as raised:
            session.write("Shutting down", machine.ShutdownGuest)
    assert raised.value.fault == "RestrictedVersion"
    assert text in str(raised.value)
    assert "over SSH" in str(raised.value)


def test_a_load_balancer_without_a_server_behind_it_is_named() -> None:
    with answering(status=503) as canned:
        session = canned.session()
        machine = session.managed(vim.VirtualMachine, "vm-1")
        with pytest.raises(ConnectionFailed) as raised:
            session.read("Reading", machine.ShutdownGuest)
    assert "answered with HTTP status 503 Service Unavailable." in str(raised.value)
    assert "load balancer" in str(raised.value)


_XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Maintenance</title></head><body/></html>'
_NONE_TO_A_WRITE = {
    "a page": _XHTML,
    "an empty answer": "",
    "half an answer": returned("ShutdownGuest", None)[:-40],
    "the response of another method": returned("DestroyView", None),
}


@pytest.mark.parametrize("answer", _NONE_TO_A_WRITE)
def test_a_write_whose_answer_is_none_may_have_been_done(answer: str) -> None:
    with answering(_NONE_TO_A_WRITE[answer]) as canned:
        session = canned.session()
        machine = session.managed(vim.VirtualMachine, "vm-1")
        with pytest.raises(OutcomeUnknown, match="it may have been done"):
            session.write("Shutting down", machine.ShutdownGuest)
    assert len(canned.requests) == 1


def test_a_page_in_place_of_an_answer_is_asked_past_once_and_quoted() -> None:
    with answering(_XHTML, _XHTML) as canned:
        session = canned.session()
        instance = session.managed(vim.ServiceInstance, "ServiceInstance")
        with pytest.raises(ConnectionFailed, match="a page with the title 'Maintenance'"):
            session.read("Reading the clock", instance.CurrentTime)
    assert len(canned.requests) == 2


def test_an_answer_larger_than_any_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LARGEST_ANSWER_BYTES", 1000)
    large = _XHTML + " " * 2000
    with answering(large, large) as canned:
        session = canned.session()
        instance = session.managed(vim.ServiceInstance, "ServiceInstance")
        with pytest.raises(ConnectionFailed, match="more than 1000 bytes"):
            session.read("Reading the clock", instance.CurrentTime)


@pytest.mark.parametrize("time", ["", "soon", "2026-13-45T99:99:99Z", "9999999999-01-01T00:00:00Z"])
def test_a_time_that_is_none_is_one_sentence(time: str) -> None:
    body = f"<CurrentTimeResponse xmlns='urn:vim25'><returnval>{time}</returnval></CurrentTimeResponse>"
    answer = returned("x", None).replace('<xResponse xmlns="urn:vim25"></xResponse>', body)
    with answering(answer, answer) as canned:
        session = canned.session()
        instance = session.managed(vim.ServiceInstance, "ServiceInstance")
        with pytest.raises(ConnectionFailed, match=r"cannot be read|is no answer"):
            session.read("Reading the clock", instance.CurrentTime)


def test_a_result_that_must_be_there_and_is_not_is_no_answer() -> None:
    nothing = returned("CreateContainerView", None)
    with answering(nothing, nothing) as canned:
        session = canned.session()
        create = session.content.viewManager.CreateContainerView
        with pytest.raises(ConnectionFailed, match="an empty CreateContainerViewResponse"):
            session.read("Making a view", lambda: create(session.content.rootFolder, [], True))

"""The bulk read: pages, refused paths, broken answers; and what becomes of values that nobody knows."""

from __future__ import annotations

import datetime

import pytest
from pyVmomi import vim

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed, StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import reply_parts
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import (
    object_spec,
    read_properties,
    reference,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.canned_server import (
    answering,
    object_content,
    page,
    returned,
    soap_fault,
)

_VM = vim.VirtualMachine("vm-1")
_START = [object_spec(_VM)]


_BOTH = [_START[0], object_spec(vim.VirtualMachine("vm-2"))]


def test_pages_are_read_to_the_last() -> None:
    first = page([object_content(_VM, {"name": "one"})], token="next")
    second = page([object_content(vim.VirtualMachine("vm-2"), {"name": "two"})], method="ContinueRetrievePropertiesEx")
    with answering(first, second) as server:
        found = [
            (read.type, read.id, read.text("name"))
            for read in read_properties(server.session(), "Reading", _BOTH, {"VirtualMachine": ["name"]})
        ]
    assert found == [("VirtualMachine", "vm-1", "one"), ("VirtualMachine", "vm-2", "two")]
    assert ">next</token>" in server.requests[1]
    assert len(server.requests) == 2


def test_further_pages_are_given_up_where_nobody_wants_them() -> None:
    first = page([object_content(_VM, {"name": "one"})], token="next")
    unread = page([object_content(_VM, {})])
    with answering(first, unread, unread) as server:
        reads = read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]})
        next(reads)
        reads.close()
    assert any("<CancelRetrievePropertiesEx" in request and ">next<" in request for request in server.requests)


def test_the_next_page_is_asked_for_before_this_one_is_read_to_its_end() -> None:
    first = page([object_content(_VM, {"name": "one"})], token="next")
    second = page([object_content(_VM, {"name": "two"})], method="ContinueRetrievePropertiesEx")
    with answering(first, second) as server:
        reads = read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]})
        next(reads)
        asked = server.wait_for_request(2)
        assert [read.text("name") for read in reads] == ["two"]
    assert "<ContinueRetrievePropertiesEx" in asked


def test_a_path_that_the_server_does_not_know_is_left_out() -> None:
    refusal = soap_fault("InvalidProperty", "<name>config.keyId</name>")
    answer = page([object_content(_VM, {"name": "one"})])
    paths = {"VirtualMachine": ["name", "config.keyId"]}
    with answering(refusal, answer) as server:
        found = [read.text("name") for read in read_properties(server.session(), "Reading", _START, paths)]
    assert found == ["one"]
    assert "config.keyId" in server.requests[0]
    assert "config.keyId" not in server.requests[1]


def test_a_refused_path_that_was_never_asked_for_is_an_error_and_no_loop() -> None:
    with answering(soap_fault("InvalidProperty", "<name>other</name>")) as server, pytest.raises(StepRefused) as raised:
        list(read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}))
    assert raised.value.fault == "InvalidProperty"


def test_a_fault_of_unknown_type_is_named() -> None:
    refusal = soap_fault("FaultOfTheFuture", message="it cannot be")
    with answering(refusal) as server, pytest.raises(StepRefused) as raised:
        list(read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}))
    assert raised.value.fault == "FaultOfTheFuture"
    assert str(raised.value) == "Reading was refused: FaultOfTheFuture: it cannot be."


def test_an_ended_session_is_said_to_have_ended() -> None:
    refusal = soap_fault("NotAuthenticated", "<privilegeId>System.View</privilegeId>")
    with answering(refusal) as server, pytest.raises(ConnectionFailed, match="the session has ended"):
        list(read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}))


def test_values_that_could_not_be_read_are_named() -> None:
    fault = vim.fault.NoPermission(object=_VM, privilegeId="System.Read")
    answer = page([object_content(_VM, {"name": "one"}, {"config.hardware.device": fault})])
    with answering(answer) as server:
        for read in read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}):
            assert read.refused["config.hardware.device"].name == "NoPermission"
            assert read.refused["config.hardware.device"].privileges == ("System.Read",)


def test_a_property_without_a_value_counts_as_unset() -> None:
    answer = page([object_content(_VM, {"name": "one"})]).replace(
        "</propSet>", "</propSet><propSet><name>snapshot</name></propSet>"
    )
    with answering(answer) as server:
        for read in read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}):
            assert set(read.values) == {"name"}


def test_a_dropped_idle_connection_is_opened_again() -> None:
    answer = page([object_content(_VM, {"name": "one"})])
    with answering(answer, None, answer) as server:
        session = server.session()
        for _round in range(2):
            reads = read_properties(session, "Reading", _START, {"VirtualMachine": ["name"]})
            assert [read.text("name") for read in reads] == ["one"]
    assert len(server.requests) == 3


def test_an_answer_that_breaks_off_is_a_lost_connection() -> None:
    whole = page([object_content(_VM, {"name": "one"})])
    with answering(whole[: len(whole) // 2]) as server, pytest.raises(ConnectionFailed, match="no XML, or that broke"):
        list(read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}))


def test_a_page_that_was_given_before_ends_the_reading_in_an_error() -> None:
    again = page([object_content(_VM, {"name": "one"})], token="same", method="ContinueRetrievePropertiesEx")
    first = page([object_content(_VM, {"name": "one"})], token="same")
    with answering(first, again) as server, pytest.raises(ConnectionFailed, match="given before"):
        list(read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}))


def test_a_character_that_is_no_xml_costs_its_property_and_names_it() -> None:
    answer = page(
        [
            object_content(_VM, {"name": "spoilXt", "config.version": "vmx-19"}),
            object_content(vim.VirtualMachine("vm-2"), {"name": "whole"}),
        ]
    ).replace("spoilXt", "spoil\x02t")
    with answering(answer) as server:
        found = {
            read.id: (read.text("name"), read.text("config.version"), read.spoilt)
            for read in read_properties(
                server.session(), "Reading", _BOTH, {"VirtualMachine": ["name", "config.version"]}
            )
        }
    assert found == {
        "vm-1": ("spoil\ufffdt", "vmx-19", ("name",)),
        "vm-2": ("whole", None, ()),
    }


def test_an_answer_that_is_no_xml_says_where() -> None:
    with answering("<a><b></a>") as server, pytest.raises(ConnectionFailed, match="mismatched tag: line 1, column 8"):
        list(read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_error_of_a_load_balancer_says_what_to_look_at(status: int) -> None:
    with answering(status=status) as server, pytest.raises(ConnectionFailed) as raised:
        list(read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}))
    assert f"answered with HTTP status {status}" in raised.value.message
    assert "load balancer" in (raised.value.hint or "")


_PAGE = """<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"
 "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd"><html xmlns="http://www.w3.org/1999/xhtml"><head>
<title>Sorry &amp; back
 soon</title></head><body><p>Maintenance</p></body></html>"""
_EMPTY = returned("x", None).partition("<xResp")[0] + "</soapenv:Body></soapenv:Envelope>"
_NOT_ANSWERS = {
    "a page": (_PAGE, "a page with the title 'Sorry & back soon'"),
    "a page that is no XML": ("<html><title>Log in</title><br></html>", "a page with the title 'Log in'"),
    "the response of another method": (
        returned("CurrentTime", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)),
        "'CurrentTimeResponse' to the request",
    ),
    "the response of no method": (returned("x", None).replace("<xResponse", "<y").replace("</xR", "</y"), ""),
    "an envelope with nothing in it": (
        _EMPTY,
        "nothing to the request",
    ),
    "the response in another namespace": (
        page([object_content(_VM, {"name": "a"})]).replace("urn:vim25", "urn:other"),
        "RetrievePropertiesExResponse",
    ),
    "well-formed XML": ("<objects/>", "no SOAP"),
    "another object": (page([object_content(vim.VirtualMachine("vm-2"), {"name": "two"})]), "'VirtualMachine vm-2'"),
    "another property": (page([object_content(_VM, {"config.version": "vmx-19"})]), "the property 'config.version'"),
    "a name that no object can have": (page([object_content(_VM, {"name": "x" * 2000})]), "a name of 2000 characters"),
    "an object of another kind": (page([object_content(vim.Datastore("ds-1"), {"name": "a"})]), "'Datastore ds-1'"),
}


@pytest.mark.parametrize("answer", _NOT_ANSWERS)
def test_an_answer_that_is_none_is_a_lost_connection_and_never_nothing(answer: str) -> None:
    text, named = _NOT_ANSWERS[answer]
    with answering(text) as server, pytest.raises(ConnectionFailed) as raised:
        list(read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}))
    assert named in raised.value.message


def test_the_response_to_the_reading_before_ends_the_pages() -> None:
    first = page([object_content(_VM, {"name": "one"})], token="next")
    with answering(first, page([object_content(_VM, {"name": "one"})])) as server, pytest.raises(ConnectionFailed):
        list(read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}))


def test_pages_without_end_end() -> None:
    first = page([object_content(_VM, {"name": "one"})], token="first")
    more = page([object_content(_VM, {"name": "one"})], token="more", method="ContinueRetrievePropertiesEx")
    with answering(first, more, more) as server:
        reads = read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]}, longest_seconds=0)
        with pytest.raises(ConnectionFailed, match="page after page, without an end"):
            list(reads)


def test_one_value_without_an_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_parts, "_LARGEST_PART_BYTES", 100_000)
    answer = page([object_content(_VM, {"name": "x" * 300_000})])
    with answering(answer) as server:
        reads = read_properties(server.session(), "Reading", _START, {"VirtualMachine": ["name"]})
        with pytest.raises(ConnectionFailed, match="one value of more than 100000 bytes"):
            list(reads)


def test_references_are_made_from_ids() -> None:
    assert reference("HostSystem", "host-9")._GetMoId() == "host-9"

"""Who may use a LUN, of those that could not be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Host, Inventory
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.unread import Unread
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import lun, lun_with, machine


@pytest.mark.parametrize(
    ("local", "host", "users"),
    [
        (True, "host-1", ("/DC/vm/unread",)),
        (True, None, ("/DC/vm/unread",)),
        (True, "host-2", ()),
        (False, "host-2", ("/DC/vm/unread",)),
        (None, "host-2", ("/DC/vm/unread",)),
    ],
)
def test_a_local_lun_is_used_by_vms_of_its_host_or_of_one_that_is_not_known(
    local: bool | None, host: str | None, users: tuple[str, ...]
) -> None:
    one = lun_with(lun(1), host="host-1", local=local)
    unread = replace(machine("unread", []), path="/DC/vm/unread", host=host, disks=(), disks_known=False)
    hosts = {name: Host(name, name, "8.0.3", "connected", luns=()) for name in ("host-1", "host-2")}
    site = Inventory("vc", False, hosts, {}, {unread.id: unread})
    assert Unread.of(site).users_of(one) == users

# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The edge on the vSphere API, as far as it reads all that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Reader, nothing_meanwhile
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Datastore, FileFacts, Inventory
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import Questions, Survey
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.collect import read_inventory
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Server, Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.folders import search_mappings
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.survey import survey


class VsphereReader(Reader):
    """A vCenter or a stand-alone ESXi host over its API. See `Reader` for what each method returns and raises."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def now(self) -> float:
        """Returns the server's clock."""
        instance = self.session.managed(library.vim.ServiceInstance, "ServiceInstance")
        time = self.session.read("Reading the server's clock", instance.CurrentTime)
        return float(time.timestamp())

    def inventory(
        self,
        *,
        with_lun_paths: bool = False,
        with_offers: bool = False,
        until: float = inf,
        meanwhile: Callable[[], None] = nothing_meanwhile,
    ) -> Inventory:
        """Returns everything that the user may see."""
        return read_inventory(
            self.session, with_lun_paths=with_lun_paths, with_offers=with_offers, until=until, meanwhile=meanwhile
        )

    def survey(self, questions: Questions) -> Survey:
        """Returns what a plan needs besides the inventory."""
        return survey(self.session, questions)

    def mapping_files(self, datastore: Datastore, until: float = inf) -> Sequence[FileFacts]:
        """Returns every mapping file on a datastore; raises StepRefused where it cannot be searched, or not in time."""
        return search_mappings(self.session, datastore, until)


@contextmanager
def open_reader(options: Mapping[str, Any], until: float = inf) -> Iterator[VsphereReader]:
    """Gives the edge for the connection options of a module, and logs out at the end. Nothing is waited for any more
    once the monotonic clock says `until`."""
    reader = VsphereReader(Session.open(Server.of(options), until))
    try:
        yield reader
    finally:
        reader.session.close()

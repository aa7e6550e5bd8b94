"""Datastores as esxcli lists them: names with blanks, without any, that look like the columns beside them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.descriptor import descriptor
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.volumes import (
    Extent,
    Filesystem,
    extents,
    filesystems,
)

UUID = "5f2a0000-00000000-0000-000000000001"
FILESYSTEMS = f"""Mount Point                                        Volume Name  UUID                                 Mounted  Type      Size     Free
-------------------------------------------------  -----------  -----------------------------------  -------  ------  ------  -------
/vmfs/volumes/{UUID}  san 01 [x]   {UUID}  true     VMFS-6    4096     1024
/vmfs/volumes/{UUID}               {UUID}  false    vfat      4096        0
                                                   gone         {UUID}  false    VMFS-5       0        0
"""  # noqa: E501
EXTENTS = f"""Volume Name  VMFS UUID                            Extent Number  Device Name  Partition
-----------  -----------------------------------  -------------  -----------  ---------
san 01 [x]   {UUID}              0  naa.1                1
"""


def test_volumes_that_are_mounted() -> None:
    mount = f"/vmfs/volumes/{UUID}"
    assert filesystems(FILESYSTEMS) == (
        Filesystem(mount, "san 01 [x]", UUID, True, "VMFS-6", 1024),
        Filesystem(mount, "", UUID, False, "vfat", 0),
    )
    assert extents(EXTENTS) == (Extent("san 01 [x]", UUID, "naa.1"),)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1))
def test_a_volume_of_any_name(name: str) -> None:
    (one,) = filesystems(f"/vmfs/volumes/{UUID}  {name} true  {UUID}  true  VMFS-6  4096  1024\n")
    assert one.name == f"{name} true"
    (extent,) = extents(f"{name} 1  {UUID}  0  naa.1  1\n")
    assert (extent.volume, extent.device) == (f"{name} 1", "naa.1")


@given(st.text())
def test_no_output_whatever_is_a_traceback(text: str) -> None:
    assert filesystems(text) == ()
    assert extents(text) in (None, ())


def test_what_is_no_list_of_extents_does_not_say_that_there_are_none() -> None:
    assert extents("") == ()
    assert extents(EXTENTS.rpartition("san")[0]) == ()
    for more in ("Connect to localhost failed: Connection failure.\n", "(vim.fault.HostConfigFault) {\n"):
        assert extents(more) is None
        assert extents(EXTENTS + more) is None


def test_an_extent_whose_name_has_quotes() -> None:
    text = '# Disk DescriptorFile\ncreateType="vmfsRawDeviceMap"\nRW 8 VMFSRDM "it\'s "x"-rdm.vmdk"\n'
    found = descriptor(text)
    assert found is not None
    assert found.extents == ('it\'s "x"-rdm.vmdk',)

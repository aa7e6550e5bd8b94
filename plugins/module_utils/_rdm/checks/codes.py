# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The codes of what is found about mappings and LUNs; docs/docsite/rst/codes.rst says of each what it means. Pure."""

from __future__ import annotations

from enum import StrEnum


class BlockerCode(StrEnum):
    """What stands against a conversion, or against deleting a kept mapping, in the order in which it is listed."""

    VM_POWERED_ON = "vm_powered_on"
    VM_SUSPENDED = "vm_suspended"
    HAS_SNAPSHOTS = "has_snapshots"
    IS_DELTA = "is_delta"
    NEEDS_CONSOLIDATION = "needs_consolidation"
    LINKED_CLONE = "linked_clone"
    VM_IS_TEMPLATE = "vm_is_template"
    NOT_A_MAPPING = "not_a_mapping"
    MODE_DISAGREES = "mode_disagrees"
    BUS_SHARING = "bus_sharing"
    MULTI_WRITER = "multi_writer"
    PERENNIALLY_RESERVED = "perennially_reserved"
    LUN_USED_BY_OTHER_VM = "lun_used_by_other_vm"
    OTHER_HOSTS_UNKNOWN = "other_hosts_unknown"
    OTHER_VMS_UNREAD = "other_vms_unread"
    LUN_MISSING = "lun_missing"
    LUN_NOT_OK = "lun_not_ok"
    LUN_AMBIGUOUS = "lun_ambiguous"
    SIZE_MISMATCH = "size_mismatch"
    LUN_IS_BOOT_DEVICE = "lun_is_boot_device"
    LUN_CARRIES_VMFS = "lun_carries_vmfs"
    LUN_USED_BY_VSAN = "lun_used_by_vsan"
    LUN_IS_DUMP_OR_SCRATCH = "lun_is_dump_or_scratch"
    TOO_BIG = "too_big"
    DATASTORE_UNSUITABLE = "datastore_unsuitable"
    DATASTORE_FULL = "datastore_full"
    NATIVE_4K = "native_4k"
    TARGET_FILE_EXISTS = "target_file_exists"
    CONTROLLER_UNSUPPORTED = "controller_unsupported"
    UNIT_UNUSABLE = "unit_unusable"
    ENCRYPTED = "encrypted"
    FAULT_TOLERANCE = "fault_tolerance"
    TASK_RUNNING = "task_running"
    METHOD_DISABLED = "method_disabled"
    VM_INACCESSIBLE = "vm_inaccessible"
    REPLICATED = "replicated"
    HOST_UNAVAILABLE = "host_unavailable"
    MANAGED_BY_VCENTER = "managed_by_vcenter"
    NO_PRIVILEGE = "no_privilege"
    LICENSE_READ_ONLY = "license_read_only"
    RECORD_OF_OTHER_VM = "record_of_other_vm"
    RUN_IN_PROGRESS = "run_in_progress"
    RECORD_UNREADABLE = "record_unreadable"
    CBT_ENABLED = "cbt_enabled"
    OLD_MAPPING_NOT_DELETED = "old_mapping_not_deleted"
    OLD_MAPPING_UNREADABLE = "old_mapping_unreadable"
    OLD_MAPPING_IN_USE = "old_mapping_in_use"
    OLD_MAPPING_CHANGED = "old_mapping_changed"


class FindingCode(StrEnum):
    """What is worth knowing, and stops nothing."""

    CONVERSION_OPEN = "conversion_open"
    GUEST_PASS_THROUGH_UNSEEN = "guest_pass_through_unseen"
    HOST_UNAVAILABLE = "host_unavailable"
    LUN_DEGRADED = "lun_degraded"
    LUN_MAPPED_TWICE = "lun_mapped_twice"
    LUN_NOT_OK = "lun_not_ok"
    LUN_NOT_ON_EVERY_HOST = "lun_not_on_every_host"
    LUN_NUMBER_DIFFERS = "lun_number_differs"
    LUN_PATH_DEAD = "lun_path_dead"
    LUN_SHARED = "lun_shared"
    LUN_SIZE_DIFFERS = "lun_size_differs"
    NOTE_OF_OTHER_VM = "note_of_other_vm"
    NOW_IN_SNAPSHOTS = "now_in_snapshots"
    OLD_MAPPING_DELETED = "old_mapping_deleted"
    OLD_MAPPING_KEPT = "old_mapping_kept"
    PHYSICAL_COMPATIBILITY = "physical_compatibility"
    RECORD_UNREADABLE = "record_unreadable"
    SERIAL_NOT_UNIQUE = "serial_not_unique"
    UNREADABLE = "unreadable"
    VM_INACCESSIBLE = "vm_inaccessible"
    VML_DIFFERS = "vml_differs"

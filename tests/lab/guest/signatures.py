# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of Windows itself that exist in the lab, with their parameters: one table for the lab's binding and for
the linter of scripts."""

from __future__ import annotations

from typing import Any

from powershell import Command, UnknownConstruct, signature


def _not_modelled(name: str) -> Any:
    def refuse(_: Any) -> None:
        raise UnknownConstruct(f"what {name} does: the lab does not model it")

    return refuse


# What reads the event logs, the volumes and the registry.
WINDOWS_COMMANDS = {
    "Get-WinEvent": Command(
        "Get-WinEvent",
        {
            "HashQuery": signature("!FilterHashtable:Hashtable@0 MaxEvents:Int64 Oldest?"),
            "ListLog": signature("!ListLog:String[]@0"),
        },
        _not_modelled("Get-WinEvent"),
        complete=False,
        type_name="Microsoft.PowerShell.Commands.GetWinEventCommand",
    ),
    "Get-CimInstance": Command(
        "Get-CimInstance",
        {"ClassName": signature("!ClassName/Class:String@0 Namespace:String Property:String[] Filter:String")},
        _not_modelled("Get-CimInstance"),
        complete=False,
        type_name="Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand",
    ),
    "Get-ItemProperty": Command(
        "Get-ItemProperty",
        {"Path": signature("!Path:String[]@0"), "LiteralPath": signature("!LiteralPath:String[]")},
        _not_modelled("Get-ItemProperty"),
        default_set="Path",
        complete=False,
        type_name="Microsoft.PowerShell.Commands.GetItemPropertyCommand",
    ),
    "Invoke-CimMethod": Command(
        "Invoke-CimMethod",
        {"ClassName": signature("!ClassName/Class:String@0 !MethodName/Name:String@2 Arguments:Hashtable@1")},
        _not_modelled("Invoke-CimMethod"),
        complete=False,
        type_name="Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand",
    ),
    # Of the feature Windows Server Backup; clients do not have it.
    "Get-WBSummary": Command("Get-WBSummary", {"Default": signature("")}, _not_modelled("Get-WBSummary")),
    "Get-StorageSetting": Command(
        "Get-StorageSetting",
        {"Query": signature("")},
        _not_modelled("Get-StorageSetting"),
        complete=False,
    ),
    # Keys and values of the registry.
    "Get-Item": Command(
        "Get-Item",
        {"LiteralPath": signature("!LiteralPath:String[]")},
        _not_modelled("Get-Item"),
        complete=False,
        type_name="Microsoft.PowerShell.Commands.GetItemCommand",
    ),
    "New-Item": Command(
        "New-Item",
        {"PathSet": signature("!Path:String[]@0")},
        _not_modelled("New-Item"),
        supports_should_process=True,
        complete=False,
        type_name="Microsoft.PowerShell.Commands.NewItemCommand",
    ),
    "Set-ItemProperty": Command(
        "Set-ItemProperty",
        {"Value": signature("!LiteralPath:String[] !Name:String@1 !Value@2")},
        _not_modelled("Set-ItemProperty"),
        supports_should_process=True,
        complete=False,
        type_name="Microsoft.PowerShell.Commands.SetItemPropertyCommand",
    ),
    "Remove-Item": Command(
        "Remove-Item",
        {"LiteralPath": signature("!LiteralPath:String[]")},
        _not_modelled("Remove-Item"),
        supports_should_process=True,
        complete=False,
        type_name="Microsoft.PowerShell.Commands.RemoveItemCommand",
    ),
    # A disk is brought online, and its attributes are set, in different parameter sets.
    "Set-Disk": Command(
        "Set-Disk",
        {
            "ByNumberAttributes": signature("!Number:Int64@0 IsReadOnly:Boolean Signature:Int64 Guid:String"),
            "ByNumber": signature("!Number:Int64@0 IsOffline:Boolean"),
            "ByPathAttributes": signature("!Path:String IsReadOnly:Boolean Signature:Int64 Guid:String"),
            "ByPath": signature("!Path:String IsOffline:Boolean"),
        },
        _not_modelled("Set-Disk"),
        default_set="ByNumberAttributes",
        complete=False,
    ),
    "Update-HostStorageCache": Command(
        "Update-HostStorageCache",
        {"Update": signature("")},
        _not_modelled("Update-HostStorageCache"),
        complete=False,
    ),
    "Remove-CimInstance": Command(
        "Remove-CimInstance",
        {"CimInstance": signature("!InputObject/CimInstance@0<")},
        _not_modelled("Remove-CimInstance"),
        supports_should_process=True,
        complete=False,
        type_name="Microsoft.Management.Infrastructure.CimCmdlets.RemoveCimInstanceCommand",
    ),
}

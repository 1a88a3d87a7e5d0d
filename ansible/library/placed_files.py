#!/usr/bin/python
"""Puts many files in place in one round: Ansible's own copy asks the machine twice for each of them.

A file is written beside its place, read by its own program (*validate*), made durable, then renamed over the old one.
"""

import base64
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_text

DOCUMENTATION = r"""
module: placed_files
short_description: Put many files in place in one round
description: Creates folders, writes files, removes what else is in folders that hold only these, and what is to go.
options:
  folders:
    description: Folders that are to be there, in groups of the same owner, group and mode.
    type: list
    elements: dict
  sets:
    description: Files of the same owner, group and mode; files is path to content.
    type: list
    elements: dict
  only:
    description: Folders in which no other files stay.
    type: list
    elements: path
  absent:
    description: Patterns of files and folders that go, with all that is in them.
    type: list
    elements: path
  marked:
    description: Of those only files that hold these words go; empty - all.
    type: str
  keep:
    description: Paths that stay nevertheless.
    type: list
    elements: path
"""

OWNERS: dict[str, Any] = {"owner": {"type": "str", "default": "root"}, "group": {"type": "str", "default": "root"}}
FOLDERS = {
    **OWNERS,
    "paths": {"type": "list", "elements": "path", "required": True},
    "mode": {"type": "str", "default": "0755"},
}
SET = {
    **OWNERS,
    "files": {"type": "dict", "required": True},
    "mode": {"type": "str", "default": "0644"},
    "validate": {"type": "str", "default": ""},
    "base64": {"type": "bool", "default": False},
}


class Placing:
    """One run: what was changed, and how."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self.changed: list[str] = []
        self.differences: list[dict[str, str]] = []

    def folder(self, path: str, one: dict[str, Any]) -> None:
        """Make sure of a folder."""
        missing = not Path(path).is_dir()
        if missing and not self._module.check_mode:
            Path(path).mkdir(mode=0o700, parents=True)
        self._attributes(path, one, changed=missing)

    def file(self, path: str, content: bytes, one: dict[str, Any]) -> None:
        """Make sure of a file."""
        before = read(path)
        differs = before != content
        if differs:
            self.differences.append(difference(path, before, content))
            if not self._module.check_mode or one["validate"]:
                self._write(path, content, one)
        self._attributes(path, one, changed=differs)

    def remove_others(self, folders: list[str], known: set[str]) -> None:
        """Remove the files below *folders* that are not *known*."""
        for folder in folders:
            for at, _, names in os.walk(folder):
                for path in sorted(Path(at, name) for name in names):
                    if str(path) not in known:
                        self.changed.append(str(path))
                        if not self._module.check_mode:
                            path.unlink()

    def remove(self, pattern: str, kept: set[str], marked: str) -> None:
        """Remove what *pattern* names, folders with all that is in them, but what is *kept*, or not *marked*."""
        for path in sorted(Path("/").glob(pattern.lstrip("/"))):
            if str(path) in kept or not (not marked or (path.is_file() and marked.encode() in path.read_bytes())):
                continue
            self.changed.append(str(path))
            if self._module.check_mode:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _write(self, path: str, content: bytes, one: dict[str, Any]) -> None:
        target = Path(path)
        if self._module.check_mode and not target.parent.is_dir():
            return  # it would be made
        draft = target.with_name(f".{target.name}.parvis-new")
        draft.unlink(missing_ok=True)
        try:
            with open(draft, "xb", opener=private) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._validate(path, str(draft), one["validate"])
            if not self._module.check_mode:
                self._module.set_fs_attributes_if_different(self._wanted(str(draft), one), changed=False)
                draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def _validate(self, path: str, draft: str, command: str) -> None:
        if not command:
            return
        words = [word.replace("%s", draft) for word in shlex.split(command)]
        if self._module.check_mode and self._module.get_bin_path(words[0]) is None:
            return  # the package that brings it would be installed
        code, out, err = self._module.run_command(words)
        if code:
            said = (err or out).replace(draft, path).strip()
            self._module.fail_json(msg=f"{path} is refused by {words[0]}: {said}", path=path, rc=code)

    def _attributes(self, path: str, one: dict[str, Any], *, changed: bool) -> None:
        if Path(path).exists():
            changed = self._module.set_fs_attributes_if_different(self._wanted(path, one), changed)
        if changed:
            self.changed.append(path)

    def _wanted(self, path: str, one: dict[str, Any]) -> dict[str, Any]:
        own = {"path": path, "owner": one["owner"], "group": one["group"], "mode": one["mode"]}
        return {**own, "selevel": None, "secontext": [None, None, None], "attributes": None}


def private(path: str, flags: int) -> int:
    """An opener: nobody else reads what is not yet in place."""
    return os.open(path, flags, 0o600)


def read(path: str) -> bytes | None:
    """What is in the file; None when it is not there."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return None


def difference(path: str, before: bytes | None, after: bytes) -> dict[str, str]:
    """What --diff shows."""
    old, new = (to_text(one or b"", errors="surrogate_or_replace") for one in (before, after))
    return {"before": old, "after": new, "before_header": path, "after_header": path}


def main() -> None:
    """What Ansible runs."""
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "dict", "options": FOLDERS, "default": []},
            "sets": {"type": "list", "elements": "dict", "options": SET, "default": [], "no_log": False},
            "only": {"type": "list", "elements": "path", "default": []},
            "absent": {"type": "list", "elements": "path", "default": []},
            "marked": {"type": "str", "default": ""},
            "keep": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    placing = Placing(module)
    known = set(module.params["keep"])
    try:
        for one in module.params["folders"]:
            for path in one["paths"]:
                placing.folder(path, one)
        for one in module.params["sets"]:
            for path, text in one["files"].items():
                known.add(path)
                placing.file(path, base64.b64decode(text) if one["base64"] else text.encode(), one)
        placing.remove_others(module.params["only"], known)
        for pattern in module.params["absent"]:
            placing.remove(pattern, known, module.params["marked"])
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}", paths=placing.changed)
    module.exit_json(changed=bool(placing.changed), paths=placing.changed, diff=placing.differences)


if __name__ == "__main__":
    main()

"""Real Debian machines for the playbooks: an image of the release, booted by systemd in a namespace of the twin's."""

import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BASE = "systemd,systemd-sysv,dbus,python3,python3-apt,openssh-server,sudo,iproute2,ca-certificates,procps"
OFFERED = (
    "kea-dhcp4-server dnsmasq-base nftables libnftables1 age unattended-upgrades chrony openssl prometheus "
    "prometheus-alertmanager systemd-journal-remote stunnel4 postgresql nginx lego"
)
"""What the roles may install; the machines have no internet, so apt finds the packages in its cache."""
INSTALLER = "installer"
"""The account Debian's installer made: it may use sudo."""
CAPABILITIES = "CAP_NET_ADMIN,CAP_NET_RAW,CAP_NET_BIND_SERVICE"
BIN = Path(sys.executable).parent
BOOT_SECONDS, STOP_SECONDS = 240.0, 180.0
DISK = "4g"
"""What a machine can write beside its image; it is memory, so that it can be filled."""


def run(
    *argv: str | Path, check: bool = True, seconds: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        list(map(str, argv)), capture_output=True, text=True, timeout=seconds, check=False, env=os.environ | environment
    )
    assert not check or done.returncode == 0, (
        f"{' '.join(map(str, argv))}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    )
    return done


def until(is_so: Callable[[], object], what: str, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)
    return True


def image(release: str, folder: Path, public_key: str) -> Path:
    """A folder with Debian *release* as its installer leaves it; the mirror is the one this machine uses."""
    root = folder / release
    download = f'chroot "$1" apt-get --yes --no-install-recommends --download-only install {OFFERED}'
    options = ("--variant=minbase", "--skip=cleanup/apt", "--skip=output/dev", f"--include={BASE}")
    kept = '--aptopt=APT::Keep-Downloaded-Packages "true"'
    sources = _sources(release, folder)
    run("mmdebstrap", *options, kept, f"--customize-hook={download}", release, root, *sources, seconds=1800)
    (root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
    run("chroot", root, "ssh-keygen", "-A")
    run("chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", INSTALLER)
    (root / "etc/sudoers.d/installer").write_text(f"{INSTALLER} ALL=(ALL) NOPASSWD: ALL\n")
    keys = root / "home" / INSTALLER / ".ssh"
    keys.mkdir(mode=0o700)
    (keys / "authorized_keys").write_text(public_key)
    run("chroot", root, "chown", "-R", f"{INSTALLER}:", f"/home/{INSTALLER}/.ssh")
    (root / "etc/hostname").write_text("debian\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 debian\n")  # or sudo asks a name server each time
    return root


def _sources(release: str, folder: Path) -> list[Path]:
    """This machine's own apt sources as files, for *release* where it runs another one."""
    own = platform.freedesktop_os_release()["VERSION_CODENAME"]
    lists = Path("/etc/apt/sources.list.d")
    made = []
    for file in [*lists.glob("*.sources"), *lists.glob("*.list"), Path("/etc/apt/sources.list")]:
        text = file.read_text() if file.exists() else ""
        if own in text and "debian" in text:
            made.append(folder / f"{release}-{file.name}")
            made[-1].write_text(
                "".join(line for line in text.replace(own, release).splitlines(True) if line[:1] != "#")
            )
    return made


@dataclass
class Machine:
    """One booted machine: *image* below, what it writes above, in *folder*."""

    name: str
    namespace: str
    address: str
    image: Path
    folder: Path
    key: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    mounted: bool = field(default=False, init=False)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def boot(self) -> None:
        if not self.mounted:
            self.folder.mkdir(parents=True)
            run("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", f"parvis-{self.name}", self.folder)
            for name in ("root", "upper", "work"):
                (self.folder / name).mkdir()
            layers = f"lowerdir={self.image},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
            run("mount", "-t", "overlay", "overlay", "-o", layers, self.root)
            self.mounted = True
        with (self.folder / "console.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    "systemd-nspawn", "--quiet", "-D", str(self.root), f"--capability={CAPABILITIES}",
                    "--boot", "--register=no", "--keep-unit", f"--network-namespace-path=/run/netns/{self.namespace}",
                    "--resolv-conf=off", "--console=pipe", f"--machine={self.name}",
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"},
            )  # fmt: skip
        until(lambda: self.ssh("true", check=False).returncode == 0, f"{self.name}: no SSH", BOOT_SECONDS)

    def ssh(self, *words: str, check: bool = True, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run *words* on the machine, as its administrator does."""
        options = (
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "ConnectTimeout=5",
            "-o",
            "LogLevel=ERROR",
        )
        enter = (
            "ip",
            "netns",
            "exec",
            self.namespace,
            "ssh",
            "-i",
            str(self.key),
            *options,
            f"{INSTALLER}@{self.address}",
        )
        return run(*enter, "sudo", shlex.join(words), check=check, seconds=seconds)

    def free(self) -> int:
        """How many bytes its disk has left."""
        return shutil.disk_usage(self.folder).free

    def another(self, name: str) -> "Machine":
        """A machine of the same name and address on an empty disk, in the place of this one, which must be gone."""
        return Machine(self.name, self.namespace, self.address, self.image, self.folder.with_name(name), self.key)

    def stop(self) -> None:
        """An orderly shutdown."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(STOP_SECONDS)
            self.process = None

    def cut_power(self) -> None:
        """Nothing runs or is written any more: the machine's first process goes, and with it all of its processes."""
        if self.process is not None:
            # systemd-nspawn's own end would leave them running.
            for first in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
                os.kill(int(first), signal.SIGKILL)
            self.process.wait(STOP_SECONDS)
            self.process = None

    def remove(self) -> None:
        self.cut_power()
        if self.mounted:
            for place in (self.root, self.folder):
                until(lambda: run("umount", place, check=False).returncode == 0, f"{place} is busy")  # noqa: B023
            self.mounted = False


def playbook(
    namespace: str, folder: Path, book: str, variables: Path, key: Path, *words: str, town: Path, seconds: float = 900
) -> subprocess.CompletedProcess[str]:
    """Run a playbook from the machine room, as staff do."""
    ansible = folder / "ansible"
    settings = {
        "PARVIS_TOWN": str(town),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ansible / "ansible.cfg"),
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_PRIVATE_KEY_FILE": str(key),
        "ANSIBLE_REMOTE_USER": INSTALLER,
        "ANSIBLE_LOCAL_TEMP": str(key.parent / "ansible-local"),
        "ANSIBLE_LOG_PATH": str(key.parent / "ansible.log"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(key.parent / "cp"),
    }
    argv: Sequence[str | Path] = (
        "ip",
        "netns",
        "exec",
        namespace,
        BIN / "ansible-playbook",
        ansible / book,
        "-e",
        f"@{variables}",
        *words,
    )
    return run(*argv, check=False, seconds=seconds, **settings)

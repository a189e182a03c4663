"""Boot a virtual machine with Debian's kernel and run the tests of this folder in it: `make test-vm`.

The machine is small: the kernel, an initramfs with busybox, and this host's own files, shared to be read (9p) with a
layer in memory to write on. So it has the same Python and the same .venv, nothing is installed in it, and it needs no
network: it has none. KVM where that works, else qemu's own emulation (TCG), several times slower.

What comes back is written down beside this file: `RESULT.md`.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
TREE = HERE.parents[1]
CACHE = HERE / ".cache"
OUT = CACHE / "out"
PROGRAMS = {"qemu-system-x86_64": "qemu-system-x86", "depmod": "kmod", "busybox": "busybox"}
MODULES = ("virtio_pci", "9p", "9pnet_virtio", "overlay")  # what the initramfs needs; the rest is loaded from the share
MEMORY_MIB = 1024
KVM_S = 12  # a host may offer KVM that does not work; one that does is up in three
LIMIT_S = 900


def say(*words: object) -> None:
    print("test-vm:", *words, flush=True)


def run(*argv: object, cwd: Path | None = None) -> str:
    done = subprocess.run([str(one) for one in argv], capture_output=True, text=True, cwd=cwd)
    if done.returncode:
        sys.exit(f"test-vm: {' '.join(map(str, argv))} failed: {done.stderr or done.stdout}")
    return done.stdout


# --- What it needs ----------------------------------------------------------------------------------------------------


def install() -> None:
    absent = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if not absent:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        sys.exit(f"test-vm: missing: apt install {' '.join(absent)}")
    say("installing", *absent)
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run("apt-get", "-q", "update")
    run("apt-get", "-q", "-y", "install", "--no-install-recommends", *absent)


def newest() -> str:
    """The package of Debian's newest kernel. The lists are fetched where they are missing."""
    for again in (False, True):
        if again and shutil.which("apt-get"):
            run("apt-get", "-q", "update")
        asked = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True)
        found = [word for word in asked.stdout.split() if word.startswith("linux-image-")]
        if len(found) > 1:  # the first is the one that was asked for
            return found[1]
    sys.exit("test-vm: there is no package linux-image-amd64: this needs Debian, on x86-64")


def kernel() -> Path:
    """A folder with Debian's newest kernel and its modules, unpacked once."""
    package = newest()
    folder = CACHE / package
    if not folder.exists():
        say("fetching", package)
        part = CACHE / "part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        run("apt-get", "download", package, cwd=part)
        run("dpkg-deb", "-x", next(part.glob("*.deb")), part / "root")
        run("depmod", "-b", part / "root", package.removeprefix("linux-image-"))
        (part / "root").rename(folder)
    return folder


def initramfs(root: Path) -> Path:
    """busybox, the modules that reach the share, and `init`."""
    version = root.name.removeprefix("linux-image-")
    folder = CACHE / "initramfs"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("bin", "modules", "proc", "dev", "host", "kernel", "memory", "root"):
        (folder / name).mkdir(parents=True)
    busybox = Path(shutil.which("busybox") or "")
    shutil.copy(busybox, folder / "bin" / "busybox")
    linked = subprocess.run(["ldd", busybox], capture_output=True, text=True).stdout.split()
    for library in (Path(word) for word in linked if word.startswith("/")):
        (folder / library.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, folder / library.relative_to("/"))
    order: dict[str, None] = {}
    for module in MODULES:
        for line in run("modprobe", "-d", root, "-S", version, "--show-depends", module).splitlines():
            if line.startswith("insmod "):
                file = Path(line.split()[1])
                shutil.copy(file, folder / "modules" / file.name)
                order[file.name] = None
    (folder / "modules" / "order").write_text("".join(f"{name}\n" for name in order))
    shutil.copy(HERE / "init", folder / "init")
    (folder / "init").chmod(0o755)
    run("sh", "-c", "find . | busybox cpio -o -H newc | gzip -1 > ../initramfs.gz", cwd=folder)
    return CACHE / "initramfs.gz"


# --- The machine ------------------------------------------------------------------------------------------------------


def boot(root: Path, ramdisk: Path, words: list[str]) -> tuple[str, float]:
    """Until it is off: how it was run, and the seconds."""
    for accelerator in [*(["kvm"] if os.access("/dev/kvm", os.W_OK) else []), "tcg,thread=multi"]:
        shutil.rmtree(OUT, ignore_errors=True)
        OUT.mkdir(parents=True)
        began = time.monotonic()
        process = subprocess.Popen(command(root, ramdisk, accelerator, words), stdin=subprocess.DEVNULL)
        try:
            process.wait(KVM_S if accelerator == "kvm" else LIMIT_S)
        except subprocess.TimeoutExpired:
            if (OUT / "started").exists():
                process.wait(LIMIT_S)
        finally:
            process.kill()
            process.wait()
        if (OUT / "started").exists():
            return accelerator.partition(",")[0], time.monotonic() - began
        say(f"no machine came up with {accelerator}")
    sys.exit("test-vm: the machine did not start")


def command(root: Path, ramdisk: Path, accelerator: str, words: list[str]) -> list[str]:
    """qemu's command line: no network, no disk, three shared folders, its console on our output."""
    options = f"console=ttyS0 quiet panic=-1 mitigations=off GUEST={HERE}/guest.sh TREE={TREE}"
    told = [*([] if sys.stdout.isatty() else ["--color=no"]), *words]
    options += f' "PYTEST={" ".join(told)}"' if told else ""
    shares = [("root", "/", ",readonly=on,multidevs=remap"), ("kernel", root, ",readonly=on"), ("out", OUT, "")]
    argv = ["qemu-system-x86_64", "-accel", accelerator, "-cpu", "max,-arch-capabilities", "-smp", "2"]
    argv += ["-m", str(MEMORY_MIB), "-nic", "none", "-display", "none", "-monitor", "none", "-serial", "stdio"]
    argv += ["-no-reboot", "-kernel", str(next((root / "boot").glob("vmlinuz-*"))), "-initrd", str(ramdisk)]
    argv += ["-append", options]
    for tag, path, more in shares:
        argv += ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none{more}"]
    return argv


# --- The result -------------------------------------------------------------------------------------------------------


def result(root: Path, accelerator: str, seconds: float) -> str:
    """RESULT.md, from what the run wrote."""
    cases = list(ElementTree.parse(OUT / "junit.xml").iter("testcase"))
    lines = [f"| {outcome(case)} | {case.get('name')} | {float(case.get('time', 0)):.1f} |" for case in cases]
    figures = OUT / "figures.json"
    facts = json.loads(figures.read_text()) if figures.exists() else {}
    passed = sum(outcome(case) == "pass" for case in cases)
    return "\n".join(
        [
            "# The last run of `make test-vm`",
            "",
            "Written by the run itself (`run.py`).",
            "",
            f"- {time.strftime('%Y-%m-%d', time.gmtime())}: {passed} of {len(cases)} passed",
            f"- {seconds:.0f} s from power on to off",
            f"- kernel: Debian's {root.name}; qemu {qemu_version()} with {accelerator}, 2 processors",
            f"- Python {sys.version.split()[0]}, {run('nft', '--version').strip()}",
            *(f"- {name}: {value}" for name, value in facts.items()),
            "",
            "| | test | seconds |",
            "|---|---|---|",
            *lines,
            "",
        ]
    )


def outcome(case: ElementTree.Element) -> str:
    kinds = {child.tag for child in case}
    return "FAIL" if kinds & {"failure", "error"} else "skip" if "skipped" in kinds else "pass"


def qemu_version() -> str:
    return run("qemu-system-x86_64", "--version").split()[3]


def main() -> None:
    words = sys.argv[1:]
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    install()
    root = kernel()
    accelerator, seconds = boot(root, initramfs(root), words)
    code = OUT / "code"
    if not code.exists():
        sys.exit("test-vm: the machine ended before its tests did")
    if not words:  # a part of the tests is no result
        (HERE / "RESULT.md").write_text(result(root, accelerator, seconds))
    sys.exit(int(code.read_text()))


if __name__ == "__main__":
    main()

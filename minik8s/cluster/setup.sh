#!/bin/sh
# Make this machine ready: the Debian packages that are missing, then .venv with the minik8s command.
#
# Installs only what is not there yet, starts no service, and does nothing (in a fraction of a second) when all is there.
# A program is asked for by its name, not by its package: another vendor's Docker or a newer etcd serves as well.
# `setup.sh tests` also brings what only the tests want: Kubernetes' own clients, and its published schemas.

set -eu
cd "$(dirname "$0")/../.."

FOR=${1:-use} # or tests
ETCD_MINIMUM=3.4.22 # as in minik8s/params.py
PYTHON=/usr/bin/python3
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# --- Debian packages -----------------------------------------------------------------------------------------------

have() { command -v "$1" >/dev/null 2>&1; }

have_libnftables() {
    for file in /usr/lib/*/libnftables.so.1 /usr/lib*/libnftables.so.1; do
        [ -e "$file" ] && return 0
    done
    return 1
}

missing() {
    have dockerd || echo docker.io
    have nft && have_libnftables || echo nftables
    have etcd || echo etcd-server
    have haproxy || echo haproxy
    have conntrack || echo conntrack
    have ip || echo iproute2
    have busybox || echo busybox
    have curl || echo curl
    [ -e .venv/bin/python ] || "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
}

POLICY=/usr/sbin/policy-rc.d # asked by Debian's packages before they start a service; 101 means: do not
SAVED=$POLICY.before-minik8s

forbid_services() {
    trap allow_services EXIT
    trap 'exit 1' INT TERM HUP
    [ -e "$POLICY" ] && [ ! -e "$SAVED" ] && ! grep -q 'minik8s' "$POLICY" && mv "$POLICY" "$SAVED"
    printf '#!/bin/sh\n# minik8s: while its packages are installed\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
}

allow_services() {
    if [ -e "$SAVED" ]; then mv -f "$SAVED" "$POLICY"; else rm -f "$POLICY"; fi
}

apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >>"$LOG" 2>&1
}

# What we installed shall not start at the next boot either: minik8s starts its own etcd and its own Docker.
keep_down() {
    [ -d /run/systemd/system ] || return 0
    for unit in "$@"; do
        systemctl disable --now "$unit" >/dev/null 2>&1 || true
    done
}

install_packages() {
    wanted=$(missing)
    [ -n "$wanted" ] || return 0
    wanted=$(echo $wanted) # on one line
    have apt-get || die "please install what gives you: $wanted (Debian's names; this machine has no apt-get)"
    [ "$(id -u)" = 0 ] || die "these packages are missing: $wanted. Run this as root: sudo make setup"
    say "installing $wanted"
    LOG=$(mktemp)
    forbid_services
    apt update || say "apt-get update failed; trying with the lists there are"
    for package in $wanted; do
        apt install --no-install-recommends "$package" && continue
        [ "$package" = etcd-server ] && continue # PyPI has one too, see below
        tail -n 20 "$LOG" >&2
        die "apt-get install $package failed; its last words are above"
    done
    rm -f "$LOG"
    allow_services
    trap - EXIT INT TERM HUP
    case " $wanted " in *" etcd-server "*) keep_down etcd.service ;; esac
    case " $wanted " in *" docker.io "*) keep_down docker.service docker.socket containerd.service ;; esac
    case " $wanted " in *" haproxy "*) keep_down haproxy.service ;; esac
}

# --- Virtual environment -------------------------------------------------------------------------------------------

etcd_serves() {
    have etcd || return 1
    version=$(etcd --version | sed -n 's/^etcd Version: //p')
    [ "$(printf '%s\n' "$ETCD_MINIMUM" "$version" | sort -V | head -n 1)" = "$ETCD_MINIMUM" ]
}

# What the environment depends on; when none of it changed, neither has the environment to.
stamp() {
    { pwd; "$PYTHON" --version; cat pyproject.toml minik8s/cluster/setup.sh; } | sha256sum | cut -d ' ' -f 1
}

make_venv() {
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "$PYTHON is $("$PYTHON" --version); minik8s needs Python 3.11 or newer (Debian 12, Ubuntu 24.04)"
    # Its scripts hold their own path: one that was moved or copied is made anew, and so is one of another Python.
    if ! head -n 1 .venv/bin/pip 2>/dev/null | grep -qF "#!$PWD/.venv/bin/python" || ! .venv/bin/python -c '' 2>/dev/null
    then
        rm -rf .venv
        "$PYTHON" -m venv .venv
    fi
    extras=dev
    etcd_serves || extras=$extras,etcd
    [ "$FOR" = use ] || extras=$extras,$FOR
    say "installing the Python packages into .venv"
    .venv/bin/python -m pip install -qq --use-pep517 --disable-pip-version-check --root-user-action=ignore \
        -e ".[$extras]"
}

install_packages
[ -x "$PYTHON" ] || die "there is no $PYTHON; please install python3"
now=$(stamp)
# What is there for the tests serves for use as well.
case "$(cat .venv/minik8s-stamp 2>/dev/null)" in
    "$now $FOR" | "$now tests") [ ! -x .venv/bin/minik8s ] || exit 0 ;;
esac
make_venv
echo "$now $FOR" >.venv/minik8s-stamp
say "done"

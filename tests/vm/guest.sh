#!/bin/sh
# The machine's second step: what a system would have mounted, then the tests, then off.

PATH=$TREE/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1 MINIK8S_TEST_SLOWNESS=6
export PATH HOME PYTHONDONTWRITEBYTECODE MINIK8S_TEST_SLOWNESS
mount -t proc proc /proc
mount -t sysfs sys /sys
for place in /tmp /run /dev/shm; do mkdir -p $place; mount -t tmpfs memory $place; done
ip link set lo up
modprobe br_netfilter
touch /mnt/out/started
cd "$TREE" && python -m pytest -p no:cacheprovider --junitxml=/mnt/out/junit.xml tests/vm $PYTEST
echo $? >/mnt/out/code
sync
echo o >/proc/sysrq-trigger # off
read -r _

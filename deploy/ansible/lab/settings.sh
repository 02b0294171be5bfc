# Settings of the lab. Every script of this folder reads them.
checkout=$(cd "${BASH_SOURCE[0]%/*}/../../.." && pwd)
target=$(cd "$checkout" && realpath -m "${CARGO_TARGET_DIR:-target}")
LAB=${LAB:-$target/lab}                 # everything that the lab keeps
SUITE=${SUITE:-trixie}                  # Debian of the VMs: trixie (13) or bookworm (12)
SUITES=$LAB/suites                      # what VMs are made from: SUITE/base and SUITE/mirror
NET=pipeline-lab                        # network namespace of the controller, which holds the bridge
PREFIX=10.77.0                          # exists only inside the lab's namespaces; the controller is .1

# name:last part of its address. `spare` is what a test adds to the consumers.
VMS=${VMS:-producer:11 kafka:21 consumer1:31 consumer2:32 consumer3:33 spare:34 dashboard:41 telemetry:51}

# What an image of Debian in the cloud has, as far as Ansible and the roles care.
BASE_PACKAGES=systemd,systemd-sysv,systemd-resolved,dbus,libpam-systemd,python3,python3-apt,openssh-server,sudo,ca-certificates,iproute2

VMS_DIR=$LAB/vms
KEY=$LAB/ssh/id_ed25519
CONNECTIONS=$LAB/ssh/open                # of Ansible, which keeps them for a minute
KAFKA_ARCHIVE=$LAB/kafka.tar
JAEGER_ARCHIVE=$LAB/jaeger.tar
CONTROLLER=$target/deploy/venv          # Ansible and its tools

die() { echo "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "the lab makes namespaces and mounts: run it as root"
vm_names() { local vm; for vm in $VMS; do echo "${vm%%:*}"; done; }
vm_address() {
  local vm
  for vm in $VMS; do [ "${vm%%:*}" = "$1" ] && { echo "$PREFIX.${vm##*:}"; return; }; done
  die "no VM \`$1\` (expected $(vm_names | paste -sd' '))"
}
# Containers need Compose 2, which Debian 12 does not have.
vm_suite() { if [[ $1 == kafka || $1 == telemetry ]]; then echo trixie; else echo "$SUITE"; fi; }
# What the roles install on a suite, which the lab's mirror serves.
role_packages() {
  echo chrony nftables unattended-upgrades prometheus prometheus-node-exporter
  [ "$1" != trixie ] || echo docker.io docker-cli docker-compose
}
vm_runs() { [ -s "$VMS_DIR/$1/pid" ] && kill -0 "$(<"$VMS_DIR/$1/pid")" 2>/dev/null; }

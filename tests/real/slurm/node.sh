# shellcheck shell=bash disable=SC2154 # scratch is the caller's
#
# A private Slurm of one node on loopback, sourced by the tests that need one. The caller sets
#   scratch     a folder of its own
#   slurm_cpus  CPUs that the node says it has, when these are not the machine's
# start_slurm sets and exports SLURM_CONF; stop_slurm ends what it started, by pid. Needs Debian's slurm-wlm and munge, installed
# when they are missing and this is root (or sudo asks nothing). Nothing of a Slurm that is installed here is touched.

slurm_pids=()

slurm_packages() {
  local as_root=()
  if command -v slurmctld >/dev/null || [ -x /usr/sbin/slurmctld ]; then
    command -v munged >/dev/null || [ -x /usr/sbin/munged ] && return 0
  fi
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  # The packages would start services of their own.
  { "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends \
      slurmctld slurmd slurm-client munge >/dev/null; } >&2 ||
    { echo 'error[slurm-missing]: Slurm could not be installed
hint: as root: apt-get install slurm-wlm munge' >&2; return 4; }
}

slurm_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

start_slurm() {
  local home=$scratch/slurm user try
  PATH=$PATH:/usr/sbin:/sbin
  slurm_packages || return
  user=$(id -un)
  mkdir -p "$home"/{state,spool,munge,log}
  chmod 755 "$scratch" "$home"
  chmod 700 "$home/munge"
  head -c 1024 /dev/urandom >"$home/munge/key"
  chmod 600 "$home/munge/key"
  munged --foreground --key-file="$home/munge/key" --socket="$home/munge.socket" --pid-file="$home/munge/pid" \
    --log-file="$home/munge/log" --seed-file="$home/munge/seed" --num-threads=2 --force >"$home/log/munged" 2>&1 &
  slurm_pids+=("$!")
  cat >"$home/slurm.conf" <<CONF
ClusterName=sota
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$(slurm_port)
SlurmdPort=$(slurm_port)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$home/munge.socket
CredType=cred/munge
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/spool
SlurmctldPidFile=$home/slurmctld.pid
SlurmdPidFile=$home/slurmd.pid
SlurmctldLogFile=$home/log/slurmctld
SlurmdLogFile=$home/log/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
SchedulerParameters=sched_min_interval=0
KillWait=5
SlurmdParameters=config_overrides
InactiveLimit=0
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=${slurm_cpus:-$(nproc)} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=60 State=UP
CONF
  export SLURM_CONF=$home/slurm.conf
  slurmctld -D -c >"$home/log/ctld.out" 2>&1 &
  slurm_pids+=("$!")
  slurmd -D >"$home/log/slurmd.out" 2>&1 &
  slurm_pids+=("$!")
  for try in $(seq 200); do
    [ "$(sinfo -h -o %t 2>/dev/null)" != idle ] || return 0
    sleep 0.1
  done
  echo "error[slurm-not-ready]: the node is $(sinfo -h -o %t 2>&1) after $((try / 10)) s" >&2
  tail -n 20 "$home"/log/* >&2
  return 4
}

stop_slurm() {
  local at
  for ((at = ${#slurm_pids[@]} - 1; at >= 0; at--)); do
    kill "${slurm_pids[at]}" 2>/dev/null || continue
    wait "${slurm_pids[at]}" 2>/dev/null || true
  done
  slurm_pids=()
}

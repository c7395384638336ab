# Sourced by packaging/quickstart and packaging/test: what a machine needs, and Maven.
# shellcheck shell=bash

readonly MIN_JAVA=17

say() {
  printf '==> %s\n' "$*"
}

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "this needs root and there is no sudo; as root, run: $*"
  fi
}

# --- what is there -----------------------------------------------------------------------------

# Prints the feature release of the JDK in directory $1, or nothing when there is none.
jdk_release() {
  local version
  [[ -n $1 && -x $1/bin/java && -x $1/bin/javac ]] || return 0
  version=$("$1/bin/javac" -version 2>&1) || return 0
  [[ $version =~ ^javac\ ([0-9]+) ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}

# Prints the directory of a JDK that is new enough: the user's choice, the default one, any other.
find_jdk() {
  local home release
  for home in "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")" \
    /usr/lib/jvm/*; do
    release=$(jdk_release "$home")
    if ((${release:-0} >= MIN_JAVA)); then
      printf '%s\n' "$home"
      return
    fi
  done
  return 1
}

has_jdk() {
  find_jdk >/dev/null
}

has_command() {
  command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 || -x /sbin/$1 ]]
}

has_fusermount() {
  has_command fusermount || has_command fusermount3
}

has_library() {
  local cache
  cache=$({ ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null)
  [[ $cache == *"$1"* ]]
}

# With its standard library, of which python3-minimal has only a part.
has_python3() {
  has_command python3 && python3 -c 'import argparse, ctypes, json, statistics' 2>/dev/null
}

# --- what its package is called ----------------------------------------------------------------

# Prints the name of an installable package that matches the pattern; the lowest version if many.
package_matching() {
  local name
  while read -r name; do
    if [[ $(LC_ALL=C apt-cache policy "$name") == *'Candidate: '[0-9]* ]]; then
      printf '%s\n' "$name"
      return
    fi
  done < <(apt-cache search --names-only "$1" | cut -d' ' -f1 | sort -V)
  return 1
}

jdk_package() {
  local release
  while read -r release; do
    if ((release >= MIN_JAVA)); then
      package_matching "^openjdk-$release-jdk-headless\$" && return
    fi
  done < <(apt-cache search --names-only '^openjdk-[0-9]+-jdk-headless$' | grep -oE '[0-9]+' | sort -nu)
  return 1
}

package_of() {
  case $1 in
    jdk) jdk_package ;;
    libfuse2) package_matching '^libfuse2(t64)?$' ;;
    *) package_matching "^$1\$" ;;
  esac
}

# --- installing it -----------------------------------------------------------------------------

# install_missing TEST:ARGUMENT:PACKAGE…: installs each package whose test fails; a test is one of
# the has_… functions. An empty list of missing packages costs nothing: apt is not asked.
install_missing() {
  local need check argument package wanted=() packages=()
  for need in "$@"; do
    IFS=: read -r check argument package <<<"$need"
    "has_$check" ${argument:+"$argument"} || [[ " ${wanted[*]} " == *" $package "* ]] || wanted+=("$package")
  done
  if ((${#wanted[@]} == 0)); then
    say 'Everything needed is installed'
    return
  fi
  command -v apt-get >/dev/null \
    || fail "missing: ${wanted[*]}; this is no Debian or Ubuntu, so please install them yourself"
  say "Missing: ${wanted[*]}; asking apt"
  quietly as_root apt-get -q -o Acquire::Retries=3 update
  for need in "${wanted[@]}"; do
    package=$(package_of "$need") || fail "apt knows no package for $need (JDK: $MIN_JAVA or later)"
    packages+=("$package")
  done
  say "Installing ${packages[*]}"
  quietly as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o Acquire::Retries=3 install --no-install-recommends "${packages[@]}"
}

# Runs a command and shows what it said only if it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    fail "failed: $*"
  fi
  rm -f "$log"
}

readonly NEEDED_TO_MOUNT=(
  jdk::jdk
  command:mvn:maven
  fusermount::fuse3
  library:libfuse.so.2:libfuse2
)

# Makes the FUSE device appear where that takes no more than loading the module.
load_fuse() {
  if [[ ! -e /dev/fuse ]]; then
    say 'Loading the FUSE module'
    as_root modprobe fuse || fail '/dev/fuse is missing and the kernel module cannot be loaded; in a container, start it with --device /dev/fuse --cap-add SYS_ADMIN'
  fi
}

# --- Maven -------------------------------------------------------------------------------------

# Runs Maven on the whole project. Arguments in the variable MAVEN_ARGS count too, which Maven itself
# knows only from 3.9 on.
run_maven() {
  local jdk release more=()
  jdk=$(find_jdk) || fail "no JDK $MIN_JAVA or later found"
  release=$(jdk_release "$jdk")
  read -ra more <<<"${MAVEN_ARGS:-}"
  # Newer JVMs warn about a call in Maven's own libraries; older ones do not know the flag.
  ((release < 23)) || export MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow ${MAVEN_OPTS:-}"
  env -u MAVEN_ARGS JAVA_HOME="$jdk" mvn -B -ntp "${more[@]}" "$@"
}

# Shows what of a failed build matters, given its log.
show_failure() {
  {
    printf '\n'
    awk '/^\[(ERROR|WARNING)\] (Failures|Errors): *$/ {show = 1} /Tests run:/ {show = 0} show' "$1" | head -n 100 || :
    grep -E '^\[ERROR\]|^\[WARNING\] /' "$1" \
      | grep -E '\.java:|COMPILATION|Failed to execute|Rule|Could not|not resolve|violation|JVM' | awk '!seen[$0]++' | head -n 40 || :
    printf '\nThe full log: %s\n' "$1"
  } >&2
}

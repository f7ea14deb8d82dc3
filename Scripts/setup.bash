# What the scripts beside this file have in common. Sourced by them, not run.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Tells what comes next.
say() { printf '\n==> %s\n' "$*"; }

# Says why it can't go on, and ends.
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Runs a command after showing it.
run() {
  printf '+ %s\n' "$*"
  "$@" </dev/null
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    command -v sudo >/dev/null || fail "this needs root, and there is no sudo: $*"
    sudo "$@"
  fi
}

is_installed() {
  local state
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) || return 1
  [ "$state" = installed ]
}

# Installs those of the named Debian packages that are missing.
need_packages() {
  command -v dpkg-query >/dev/null || {
    echo "No Debian or Ubuntu: please see to it that these are there: $*"
    return 0
  }
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  if [ "${#missing[@]}" -eq 0 ]; then
    echo "Already there: $*"
    return 0
  fi
  echo "Installing ${missing[*]}"
  run as_root apt-get update -qq
  run as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# Sees to what every build needs: a Swift toolchain, and the C libraries' headers.
need_build_tools() {
  command -v swift >/dev/null || fail "no swift found; this needs Swift 6.2 or newer, from https://www.swift.org/install"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  [ "$(printf '6.2\n%s\n' "${version:-0}" | sort -V | head -n 1)" = 6.2 ] \
    || fail "this is Swift ${version:-of an unknown version}; 6.2 or newer is needed"
  echo "Swift $version"
  local packages=(
    zlib1g-dev libzstd-dev libisal-dev libdeflate-dev libpcre2-dev libyaml-dev pkg-config libc6-dev
  )
  # A toolchain that was installed by its instructions brings this one, in one of several versions.
  compgen -G '/usr/lib/gcc/*/*/libstdc++.a' >/dev/null || packages+=(g++)
  need_packages "${packages[@]}"
}

# Where `build_release` leaves the executable.
binary=.build/release/spillway

# Builds the executable as it is shipped.
build_release() {
  local archive options=()
  # What Swift's runtime needs of C++ is linked in as well, where its archive is there: looking its symbols up took half
  # of the instructions of `spillway --version`, and a fifth of the time.
  archive=$(compgen -G "/usr/lib/gcc/$(uname -m)-*/*/libstdc++.a" | sort -V | tail -n 1) || archive=
  if [ -n "$archive" ]; then
    # A directory without the shared library, as the linker prefers that one.
    mkdir -p .build/archives
    ln -sf "$archive" .build/archives/
    options=(-Xlinker "-L$PWD/.build/archives")
  fi
  run swift build -c release --product spillway --static-swift-stdlib "${options[@]}" || fail "the build failed"
}

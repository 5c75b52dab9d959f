#!/usr/bin/env bash
# Installs every tool with its man pages and its completions for bash, zsh and fish. Needs cargo, and nothing else.
#
#   install.sh [--root DIR] [--git URL]
#
#   --root DIR   where to [default: cargo's own: $CARGO_INSTALL_ROOT, else $CARGO_HOME, else ~/.cargo]
#   --git URL    from this repository instead of the checkout that the script lies in
#
# Which tools there are is asked of cargo, so a new one needs no line here. man finds the pages of every DIR/bin that is
# on PATH; the shells find the completions where DIR is /usr/local or ~/.local, elsewhere when told to look there.
set -euo pipefail

package=sota-loop
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() { # die CODE EXIT MESSAGE HINT
  printf 'error[%s]: %s\nhint: %s\n' "$1" "$3" "$4" >&2
  exit "$2"
}
usage() { sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p;}' "${BASH_SOURCE[0]}"; }

root=${CARGO_INSTALL_ROOT:-${CARGO_HOME:-${HOME:-}/.cargo}}
git=
while [ $# -gt 0 ]; do
  case $1 in
    --root | --git)
      [ -n "${2:-}" ] || die usage 2 "$1 has no value" "see install.sh --help"
      [ "$1" = --root ] && root=$2 || git=$2
      shift 2
      ;;
    -h | --help)
      usage
      exit
      ;;
    *) die usage 2 "no argument $1" "see install.sh --help" ;;
  esac
done

command -v cargo >/dev/null || die cargo-missing 4 "cargo is not on PATH" "install Rust: https://rustup.rs"
mkdir -p "$root" || die root-not-writable 4 "cannot make the folder $root" "choose another one with --root DIR"
root=$(cd "$root" && pwd)

# --- the binaries ----------------------------------------------------------------------------------------------------

if [ -n "$git" ]; then
  source=(--git "$git" "$package")
else
  # The toolchain that the checkout asks for is found from inside it.
  cd "$here/.."
  source=(--path "crates/$package")
fi
cargo install --locked --features bins --root "$root" "${source[@]}" ||
  die install-failed 4 "cargo could not install $package" "what it says stands above; run the same command again then"

# Below the line of the package stand its binaries, indented.
tools=()
while read -r tool; do
  tools+=("$tool")
done < <(cargo install --list --root "$root" |
  awk -v package="$package" '/^[^ ]/ { ours = ($1 == package); next } ours { print $1 }')
[ ${#tools[@]} -gt 0 ] || die install-failed 4 "cargo lists no binary of $package in $root" "look at cargo install --list"

# --- what people read and type ---------------------------------------------------------------------------------------

man=$root/share/man/man1
bash=$root/share/bash-completion/completions
zsh=$root/share/zsh/site-functions
fish=$root/share/fish/vendor_completions.d
mkdir -p "$man" "$bash" "$zsh" "$fish"
pages=0
for tool in "${tools[@]}"; do
  run=$root/bin/$tool
  written=$("$run" --man-dir "$man" | wc -l)
  pages=$((pages + written))
  "$run" --completions bash >"$bash/$tool"
  "$run" --completions zsh >"$zsh/_$tool"
  "$run" --completions fish >"$fish/$tool.fish"
done

echo
echo "installed in $root:"
for tool in "${tools[@]}"; do
  printf '  %-40s %s\n' "bin/$tool" "$("$root/bin/$tool" --version)"
done
printf '  %-40s %s\n' "${man#"$root"/}" "$pages man pages" \
  "${bash#"$root"/}" "${#tools[@]} completions" \
  "${zsh#"$root"/}" "${#tools[@]} completions" \
  "${fish#"$root"/}" "${#tools[@]} completions"
case :$PATH: in
  *":$root/bin:"*) ;;
  *)
    echo
    echo "not on PATH yet; this line of your shell's profile puts them there:"
    printf "  export PATH=%q:\"\$PATH\"\n" "$root/bin"
    ;;
esac

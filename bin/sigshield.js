#!/bin/sh
':' /*
# Two languages in one file. A shell reads down to exec, and notes down what this process was started with, as Node forgets
# it when it starts: lib/command/inherited.ts. By itself wherever it can: there may be no other program than node.
# Where /proc is of another pid namespace $$ is somebody else's.
if [ -r /proc/self/status ] && read -r _shield_pid _shield_rest < /proc/self/stat && [ "$_shield_pid" = "$$" ]; then
  _shield_signals() {
    while read -r _shield_name _shield_value _shield_rest; do
      case $_shield_name in
        SigIgn:) _shield_ignored=$_shield_value ;;
        SigBlk:) _shield_blocked=$_shield_value ;;
      esac
    done < /proc/self/status
  }
  # By another process: where it is this one, reading takes the place of standard input.
  _shield_flags() {
    for _shield_fd in 0 1 2; do
      [ -r "/proc/$$/fdinfo/$_shield_fd" ] || continue
      while read -r _shield_name _shield_value _shield_rest; do
        [ "$_shield_name" != flags: ] || echo "$_shield_fd=$_shield_value"
      done < "/proc/$$/fdinfo/$_shield_fd"
    done
  }
  # A shell ignores or blocks some for itself, not in what it starts; which of both tells what was given: inherited.ts.
  _shield_ignored= _shield_blocked=
  _shield_signals
  _shield_noted=$(
    echo "own=$_shield_ignored"
    _shield_signals
    echo "ignored=$_shield_ignored blocked=$_shield_blocked"
    # ksh has not made a process for this.
    read -r _shield_pid _shield_rest < /proc/self/stat
    if [ "$_shield_pid" = "$$" ]; then { _shield_flags >&9 | :; } 9>&1; else _shield_flags; fi
  )
  _shield_limit=
  while read -r _shield_name _shield_value _shield_files _shield_soft _shield_rest; do
    case "$_shield_name $_shield_value $_shield_files" in
      'Max open files') _shield_limit=$_shield_soft ;;
    esac
  done < /proc/self/limits
  _shield_descriptors=
  for _shield_fd in /proc/self/fd/[0-9]*; do
    if [ -e "$_shield_fd" ] && ! [ "$_shield_fd" -ef "$0" ]; then
      _shield_descriptors=$_shield_descriptors,${_shield_fd##/proc/self/fd/}
    fi
  done
  # No shell holds a NUL. Where the two bytes in place of NUL and newline stand in it already, it is left as the shell hands it on.
  _shield_text=$(
    PATH=${PATH:+$PATH:}/usr/bin:/bin
    if tr '\000\n' '\036\037' < "/proc/$$/environ"; then
      [ -z "$(tr -cd '\036\037' < "/proc/$$/environ")" ] && echo .
    else
      unset NODE_OPTIONS NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE NODE_UNIQUE_ID NODE_V8_COVERAGE
      node -e 'const { readFileSync, writeFileSync } = require("node:fs")
        const text = readFileSync(`/proc/${process.argv[1]}/environ`, "latin1")
        const noted = text.replaceAll("\0", "\x1e").replaceAll("\n", "\x1f")
        if (!/[\x1e\x1f]/.test(text)) writeFileSync(1, `${noted}.`, "latin1")' "$$"
    fi 2>/dev/null
  )
  # In bytes.
  _shield_length=$(LC_ALL=C && echo "${#_shield_text}")
  case $_shield_text in
    *.)
      if [ "$_shield_length" -lt 100000 ]; then
        export SIGSHIELD_ENVIRONMENT="$_shield_text"
        unset NODE_OPTIONS NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE NODE_UNIQUE_ID NODE_V8_COVERAGE
      fi
      ;;
  esac
  export SIGSHIELD_STARTED_WITH="$_shield_noted limit=$_shield_limit descriptors=$_shield_descriptors shell=${ZSH_VERSION:+zsh}"
fi
exec node -- "$0" "$@"
*/
import { main } from '../dist/command/main.js'

await main(process.argv.slice(2))

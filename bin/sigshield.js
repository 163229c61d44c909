#!/bin/sh
':' /*
# Two languages in one file. A shell reads down to exec, and notes down what this process was started with, as Node forgets
# it when it starts: lib/command/inherited.ts. A shell has signals of its own, but hands on those that it was given: cat tells.
# Where /proc is of another pid namespace $$ is somebody else's.
if [ -r /proc/self/status ] && read -r _shield_pid _shield_rest < /proc/self/stat && [ "$_shield_pid" = "$$" ]; then
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
  _shield_text=$(
    cat /proc/self/status "/proc/$$/fdinfo/0" "/proc/$$/fdinfo/1" "/proc/$$/fdinfo/2" 2>/dev/null
    # Where these two stand in it already, it is left as the shell hands it on.
    printf '\036' && tr '\000\n' '\036\037' < "/proc/$$/environ" && [ -z "$(tr -cd '\036\037' < "/proc/$$/environ")" ] && echo .
  )
  # In bytes.
  _shield_length=$(LC_ALL=C && echo "${#_shield_text}")
  _shield_blocked=${_shield_text#*SigBlk:}
  _shield_ignored=${_shield_text#*SigIgn:}
  case $_shield_text in
    *.)
      if [ "$_shield_length" -lt 100000 ]; then
        export SIGSHIELD_ENVIRONMENT="$_shield_text"
        unset NODE_OPTIONS NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE NODE_UNIQUE_ID NODE_V8_COVERAGE
      fi
      ;;
  esac
  export SIGSHIELD_STARTED_WITH="${_shield_ignored%%S*} ${_shield_blocked%%S*} $_shield_limit $_shield_descriptors"
fi
exec node -- "$0" "$@"
*/
import { main } from '../dist/command/main.js'

await main(process.argv.slice(2))

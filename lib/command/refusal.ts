/** A command that does not start: what is said, and the exit status, by the rules of shells. */
import { getSystemErrorMap } from 'node:util'
import { complain } from './output.js'

const NOT_EXECUTABLE = 126
const NOT_FOUND = 127
/** The command was not even tried. */
const OWN_FAILURE = 125

/** Says it; returns the exit status. `step` is the system call that was refused. */
export function refuse(name: 'run' | 'exec', file: string, error: NodeJS.ErrnoException & { step?: string }): number {
  const { errno = 0, code, step } = error
  const reason = getSystemErrorMap().get(errno)?.[1] ?? error.message
  if (step !== 'execve') {
    complain(`sigshield ${name}: ${step === undefined ? '' : `${step}: `}${reason}${advice(step)}`)
    return OWN_FAILURE
  }
  const isNotFound = code === 'ENOENT'
  complain(`sigshield ${name}: ${file}: ${isNotFound && !file.includes('/') ? 'command not found' : reason}`)
  return isNotFound ? NOT_FOUND : NOT_EXECUTABLE
}

function advice(step: string | undefined): string {
  if (step === 'guard') return ' (--no-enforce does without the guard)'
  return step === 'seccomp' ? ' (--no-enforce does without the filter)' : ''
}

/** A command that does not start: what is said, and the exit status, by the rules of shells. */
import { getSystemErrorMap } from 'node:util'
import { complain } from './output.js'

const NOT_EXECUTABLE = 126
const NOT_FOUND = 127
/** The command was not even tried. */
const OWN_FAILURE = 125

export interface Refusal {
  readonly status: number
  readonly text: string
}

/** `error.step` is the system call that was refused. */
export function refusal(file: string, error: NodeJS.ErrnoException & { step?: string }): Refusal {
  const { errno = 0, code, step } = error
  const reason = getSystemErrorMap().get(errno)?.[1] ?? error.message
  if (step !== 'execve') {
    return { status: OWN_FAILURE, text: `${step === undefined ? '' : `${step}: `}${reason}${advice(step)}` }
  }
  const isNotFound = code === 'ENOENT'
  const text = `${file}: ${isNotFound && !file.includes('/') ? 'command not found' : reason}`
  return { status: isNotFound ? NOT_FOUND : NOT_EXECUTABLE, text }
}

/** Says it; returns the exit status. */
export function refuse(name: 'run' | 'exec', file: string, error: NodeJS.ErrnoException): number {
  const { status, text } = refusal(file, error)
  complain(`sigshield ${name}: ${text}`)
  return status
}

function advice(step: string | undefined): string {
  if (step === 'guard') return ' (--no-enforce does without the guard)'
  return step === 'seccomp' ? ' (--no-enforce does without the filter)' : ''
}

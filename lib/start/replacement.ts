/** A program in place of this one, in the same process. */
import { constants } from 'node:os'
import { foretoldGuard } from '../guard/start.js'
import { native } from '../native/load.js'
import { NO_DESCRIPTOR, Wire } from '../native/wire.js'
import { systemError } from '../node/errors.js'
import { withoutGuard } from './enforced-start.js'
import { optionFields, type Protection } from './protection.js'

/**
 * Executes `file` by the rules of execvp(3), with this process's environment and directory. It keeps the descriptors that are
 * listed, and all others are closed. To be called on the main thread, when nothing has been started. Returns only when it has failed,
 * and then this process is good for nothing but to say so.
 */
export function replaceProgram(
  { numbers, groups, guard }: Protection,
  file: string,
  args: readonly string[],
  descriptors: readonly number[],
): NodeJS.ErrnoException & { readonly step: string } {
  // Nobody would be left to see that it is not in force.
  if (guard?.required) return Object.assign(systemError(-constants.errno.ENOTSUP, 'execve'), { step: 'guard' })
  const request = {
    options: numbers,
    file,
    arguments: [file, ...args],
    environment: native().canReadEnvironment
      ? null
      : Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
    environmentChanges: [],
    directory: '',
    exitSource: NO_DESCRIPTOR,
    exitTarget: NO_DESCRIPTOR,
    descriptors: [...descriptors],
    newSession: false,
    uid: null,
    gid: null,
    groups,
  }
  // Nobody waits for its answer, so what is foretold must do.
  const changes = guard && foretoldGuard(request, guard)
  const { errno, step } = new Wire(optionFields).replace(
    changes ? { ...request, environmentChanges: changes } : withoutGuard(request),
  )
  return Object.assign(systemError(errno, 'execve'), { step })
}

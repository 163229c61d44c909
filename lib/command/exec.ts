/** `sigshield exec`: this process becomes the program. */
import { native } from '../native/load.js'
import { systemError } from '../node/errors.js'
import { protectionFrom } from '../start/protection.js'
import { replaceProgram } from '../start/replacement.js'
import { takeInherited } from './inherited.js'
import { print } from './output.js'
import { asUsageError, parse } from './parse.js'
import { unenforced, withInherited } from './protection.js'
import { refuse } from './refusal.js'
import { UsageError, usage } from './usage.js'

export function exec(args: string[]): void {
  const { values, operands } = parse('exec', args)
  const { help, ...options } = values
  if (help) {
    print(usage('exec'))
    return
  }
  const [file, ...rest] = operands
  if (file === undefined) throw new UsageError('a command is missing', 'exec')
  const inherited = takeInherited()
  const protection = protect()
  // Importing node:util makes Node 22 and later look at standard error, and by that make it nonblocking.
  for (const fd of [0, 1, 2]) if (!inherited.nonblocking.includes(fd)) native().setBlocking(fd)
  // Nobody executes a file without a name (execve(2)).
  const error =
    file === ''
      ? Object.assign(systemError(-2, 'execve'), { step: 'execve' })
      : replaceProgram(protection, file, rest, inherited.descriptors)
  process.exitCode = refuse('exec', file, error)

  function protect() {
    try {
      const { ignore, block, inheritedOnly } = withInherited(options, inherited)
      return unenforced(protectionFrom({ ...options, ignore, block }, 'auto'), inheritedOnly)
    } catch (error) {
      throw asUsageError(error, 'exec')
    }
  }
}

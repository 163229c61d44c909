/** Which program runs this JavaScript. Others have Node's modules, but neither its internals nor what its addons are built on. */
import { unavailable } from './errors.js'

const names = { bun: 'Bun', deno: 'Deno' } as const
const NODE = 'Node'

/** Looked up once: each start asks. */
let runtime: string | undefined

/** Name and version of one that is not Node. They call themselves a version of Node too. */
export function otherRuntime(): string | undefined {
  for (const [key, name] of Object.entries(names)) {
    const version = process.versions[key]
    if (version !== undefined) return `${name} ${version}`
  }
  return undefined
}

/**
 * To be called before anything that leans on Node's internals, or is native: Bun and Deno may not throw there, but die.
 * @throws Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 */
export function requireNode(): void {
  runtime ??= otherRuntime() ?? NODE
  if (runtime === NODE) return
  throw unavailable(
    `This part of sigshield is a native addon for Node.js only, and this is ${runtime}: run what starts the children with node ` +
      '(the children may be of Bun or Deno, and have exitEvent() of sigshield/child)',
  )
}

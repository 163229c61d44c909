/** The options of Node's synchronous functions, checked by these themselves: they look at `input` last, before they start anything. */
import { types } from 'node:util'
import { unavailable } from '../node/errors.js'
import { Accepted, isAccepted, isObject, isRefused, nodes, type Options, refused } from './node-options.js'

export type SyncFunction = 'spawnSync' | 'execFileSync'

type Call = (...call: unknown[]) => unknown

/** Neither text nor bytes: to say so, Node asks for its name. */
const input = new Proxy(
  {},
  {
    get() {
      throw new Accepted()
    },
  },
)

/** Under the permission model Node writes into the environment that it is given: into another here. */
function poisoned(options: Options): Options {
  const { env } = options
  return { ...options, ...(process.permission && isObject(env) && { env: Object.create(env) }), input }
}

let proved = false

/** As for spawn: a value that is checked after `input` would go unseen, and were that not checked at all, a program started twice. */
function proveOrderOfChecks(): void {
  if (proved) return
  // Even unchecked it could start nothing: there is no such program.
  const ask = (options: Options) => () => nodes.spawnSync('/dev/null/sigshield', [], poisoned(options) as object)
  const others: Options[] = [{ maxBuffer: -1 }, { killSignal: 'never a signal' }, { stdio: 'ipc' }]
  if (
    isRefused(ask({})) ||
    !isAccepted(ask({})) ||
    ![...refused, ...others].every((options) => isRefused(ask(options)))
  ) {
    throw unavailable(
      `sigshield can't have the options of spawnSync checked by Node ${process.versions.node}: it is made for Node 20, 22, 24 ` +
        'and 26. Use one of these, or a newer sigshield.',
    )
  }
  proved = true
}

/** A call of either function: its arguments and options, as the caller gave them. */
export interface SyncCall {
  readonly args: readonly unknown[]
  readonly options: Options
}

/** @throws what the function of Node throws for this call. */
export function checkSyncCall(name: SyncFunction, file: unknown, second: unknown, third: unknown): SyncCall {
  proveOrderOfChecks()
  const node = nodes[name] as Call
  // A callback, which Node takes and never calls.
  const isCallback = name === 'execFileSync' && typeof second === 'function'
  const isSecond = isObject(second)
  const given = isCallback ? undefined : isSecond ? second : third
  const isAbsent = given === undefined || (given === null && name === 'execFileSync')
  // Can only be refused.
  if (!isAbsent && !isObject(given)) node(file, second, third)
  const options = (given ?? {}) as Options
  const rest = isSecond ? [poisoned(options), third] : [isCallback ? undefined : second, poisoned(options)]
  isAccepted(() => node(file, ...rest))
  const isInput = !options.input || typeof options.input === 'string' || types.isArrayBufferView(options.input)
  if (!isInput) node(file, ...(isSecond ? [options, third] : [second, options]))
  return { args: Array.isArray(second) ? second : [], options: { ...options } }
}

/** The environment that a child is given, by Node's rules. */
import { types } from 'node:util'
import { isMainThread } from '../node/thread.js'
import { letNodeCheck, nodes, type Options, poison } from './node-options.js'

const atImport = process.env
let isLive: boolean | undefined

/** Whether it is JavaScript's live view of the C environment: a worker has none, and a program may have put another in its place. */
export function isLiveEnvironment(env: NodeJS.ProcessEnv): boolean {
  if (env !== atImport) return false
  isLive ??= isMainThread() && !types.isProxy(env) && refusesAccessors(env)
  return isLive
}

/** Only the live view does; an ordinary object takes them. */
function refusesAccessors(env: NodeJS.ProcessEnv): boolean {
  try {
    Object.defineProperty(env, 'SIGSHIELD_PROBE', { get: () => undefined, configurable: true })
    Reflect.deleteProperty(env, 'SIGSHIELD_PROBE')
    return false
  } catch (error) {
    // A frozen one refuses them too, but its error is not Node's own.
    return (error as NodeJS.ErrnoException).code !== undefined
  }
}

/** Under the permission model Node adds its flags to the NODE_OPTIONS of children: in the very object that it is given. */
export function environmentOf(file: string, args: readonly unknown[], options: Options): NodeJS.ProcessEnv {
  const given = options.env as NodeJS.ProcessEnv | undefined
  const env = given || process.env
  if (!process.permission) return env
  // Node counts inherited keys of an environment that it is given.
  const copy: NodeJS.ProcessEnv = given ? Object.create(given) : { ...env }
  letNodeCheck(() => nodes.spawn(file, args as string[], { ...options, env: copy, ...poison }))
  return copy
}

/** Node's rules: inherited keys count, undefined values don't, and coverage reaches children with an environment of their own. */
export function environmentPairs(env: NodeJS.ProcessEnv, given: unknown): string[] {
  const pairs: string[] = []
  for (const key in env) {
    const value = env[key]
    if (value === undefined) continue
    const pair = `${key}=${value}`
    if (pair.includes('\0')) letNodeCheck(() => nodes.spawn('/', { env, ...poison }))
    pairs.push(pair)
  }
  const coverage = process.env.NODE_V8_COVERAGE
  if (coverage && given && !Object.hasOwn(given, 'NODE_V8_COVERAGE')) pairs.push(`NODE_V8_COVERAGE=${coverage}`)
  return pairs
}

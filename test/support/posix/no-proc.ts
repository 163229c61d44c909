/** TEST_WITHOUT_PROC: what a test itself reads of /proc fails here as on a Mac. What it starts is not seen. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const names = [
  'accessSync',
  'createReadStream',
  'existsSync',
  'lstatSync',
  'open',
  'openSync',
  'readFile',
  'readFileSync',
  'readdir',
  'readdirSync',
  'readlink',
  'readlinkSync',
  'realpathSync',
  'stat',
  'statSync',
  'writeFileSync',
] as const

const functions = fs as unknown as Record<string, (...args: unknown[]) => unknown>
for (const name of names) {
  const original = functions[name] as (...args: unknown[]) => unknown
  const replaced = (...args: unknown[]) => {
    if (/^\/proc(\/|$)/.test(String(args[0]))) throw new Error(`${name} ${args[0]}: a Mac has no /proc`)
    return original.apply(fs, args)
  }
  functions[name] = Object.assign(replaced, original)
}
syncBuiltinESMExports()

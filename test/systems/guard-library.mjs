/** The guard for another system than this one, beside the addon that is made for it. */
import { dirname, join } from 'node:path'
import { root, run } from './machine.mjs'

/** Compiles with `compiler`, a C compiler and its own arguments, as binding.gyp does. */
export function buildGuard(/** @type {string[]} */ [compiler = '', ...args], /** @type {string} */ addon, env = {}) {
  const flags = [
    '-std=c17',
    '-O2',
    '-fvisibility=hidden',
    '-fno-stack-protector',
    '-fPIC',
    '-shared',
    '-nostdlib',
    '-s',
  ]
  const file = join(dirname(addon), 'sigshield-guard.so')
  run(compiler, [...args, ...flags, '-Wl,-z,nodelete', '-Wl,-z,now', '-Inative', 'native/guard/guard.c', '-o', file], {
    cwd: root,
    env: { ...process.env, ...env },
  })
}
